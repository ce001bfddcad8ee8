import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClamReplyReader, parseClamReply } from '../../../../src/spam/engines/clamav-reply.ts'

test('what clamd says', () => {
  const cases = [
    ['stream: OK', { status: 'clean' }],
    ['stream: Win.Test.EICAR_HDB-1 FOUND', { status: 'found', name: 'Win.Test.EICAR_HDB-1' }],
    ['stream: Test(44d88612fea8a8f36de82e1278abb02f:68) FOUND', { status: 'found', name: 'Test(44d88612fea8a8f36de82e1278abb02f:68)' }],
    ['stream: OK FOUND', { status: 'found', name: 'OK' }],
    ['INSTREAM size limit exceeded. ERROR', { status: 'too-big' }],
    ['stream: Can\'t allocate memory ERROR', { status: 'error', text: 'stream: Can\'t allocate memory ERROR' }],
    ['UNKNOWN COMMAND', { status: 'error', text: 'UNKNOWN COMMAND' }],
    ['COMMAND UNAVAILABLE', { status: 'error', text: 'COMMAND UNAVAILABLE' }],
    ['', undefined], ['OK', undefined], ['stream: FOUND', undefined], ['stream: OKAY', undefined], ['220 mail.example ESMTP', undefined],
  ] as const
  for (const [text, expected] of cases) assert.deepEqual(parseClamReply(text), expected, text)
})

test('a reply is read alike wherever it is cut', () => {
  const reply = Buffer.from('stream: Evil.Thing-1 FOUND\0', 'latin1')
  for (let i = 0; i <= reply.length; i++) {
    for (let j = i; j <= reply.length; j++) {
      const reader = new ClamReplyReader()
      const states = [reply.subarray(0, i), reply.subarray(i, j), reply.subarray(j)].map((piece) => reader.push(piece))
      assert.equal(states.at(-1), 'whole')
      assert.equal(reader.text(), 'stream: Evil.Thing-1 FOUND')
      assert.equal(reader.end(), 'whole')
    }
  }
})

test('one that never ends is bad after 4 KiB, and one that breaks off is bad', () => {
  const endless = new ClamReplyReader()
  let pushed = 0
  while (endless.push(Buffer.alloc(100, 'x')) === 'more') pushed += 100
  assert.ok(pushed <= 4096)
  const broken = new ClamReplyReader()
  assert.equal(broken.push(Buffer.from('stream: O')), 'more')
  assert.equal(broken.end(), 'bad')
})
