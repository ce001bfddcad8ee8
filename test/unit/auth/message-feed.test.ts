import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_BODY_LINE_BYTES, MAX_HEADER_BYTES, MAX_HEADER_LINES, MessageFeed } from '../../../src/auth/message-feed.ts'

/** What comes out for pieces that go in: the pieces, or why they are refused. */
function fed(...pieces: readonly (string | Buffer)[]): string[] | string {
  const feed = new MessageFeed()
  const out: string[] = []
  for (const piece of pieces) {
    const step = feed.push(Buffer.from(piece as string, 'latin1'))
    if (step.status === 'refused') return step.cause
    out.push(...step.pieces.map((one) => one.toString('latin1')))
  }
  const last = feed.end()
  if (last.status === 'refused') return last.cause
  return [...out, ...last.pieces.map((one) => one.toString('latin1'))]
}

const MESSAGE = 'A: b\r\n c\r\nD: e\r\n\r\nline\r\n\r\n.\r\nend'
const HEADER = 'A: b\r\n c\r\nD: e\r\n\r\n'

test('the header section comes in one piece, then whole lines, then what has no line end', () => {
  assert.deepEqual(fed(MESSAGE), [HEADER, 'line\r\n\r\n.\r\n', 'end'])
})

test('wherever it is split, the bytes are the same, the header is one piece and the body whole lines', () => {
  for (let first = 0; first <= MESSAGE.length; first++) {
    for (let second = first; second <= MESSAGE.length; second++) {
      const out = fed(MESSAGE.slice(0, first), MESSAGE.slice(first, second), MESSAGE.slice(second))
      assert.ok(Array.isArray(out), `${first}, ${second}`)
      assert.equal(out.join(''), MESSAGE)
      assert.equal(out[0], HEADER)
      for (const piece of out.slice(1, -1)) assert.match(piece, /\n$/)
    }
  }
  assert.deepEqual(fed(...Array.from(MESSAGE)), [HEADER, 'line\r\n', '\r\n', '.\r\n', 'end'])
})

test('a message can be empty, be a header alone, have no header, end without a line end', () => {
  assert.deepEqual(fed(), [])
  assert.deepEqual(fed(''), [])
  assert.deepEqual(fed('A: b\r\n'), ['A: b\r\n'])
  assert.deepEqual(fed('A: b'), ['A: b'])
  assert.deepEqual(fed('\r\nbody\r\n'), ['\r\n', 'body\r\n'])
})

test('a CR or LF that is no line end is refused in the header, and text in the body', () => {
  for (const header of ['A: b\nC: d\r\n\r\n', 'A: b\rC: d\r\n\r\n', 'A: b\r\r\n\r\n', 'A: b\n\n', '\n', 'A: b\r']) {
    assert.match(String(fed(header)), /CR or LF/, JSON.stringify(header))
    assert.match(String(fed(...Array.from(header))), /CR or LF/, JSON.stringify(header))
  }
  assert.deepEqual(fed('A: b\r\n\r\na\rb\nc\r\n'), ['A: b\r\n\r\n', 'a\rb\nc\r\n'])
})

test('the bounds: bytes and lines of the header, a line of the body', () => {
  assert.ok(Array.isArray(fed(Buffer.from(`X: ${'a'.repeat(MAX_HEADER_BYTES - 10)}\r\n\r\n`))))
  assert.match(String(fed(Buffer.from(`X: ${'a'.repeat(MAX_HEADER_BYTES)}\r\n\r\n`))), /larger than 1048576 bytes/)
  const many = 'a:b\r\n'.repeat(MAX_HEADER_LINES)
  assert.ok(Array.isArray(fed(`${many}\r\n`)))
  assert.match(String(fed(`${many}a:b\r\n\r\n`)), /more than 10000 lines/)
  const piece = 'x'.repeat(MAX_BODY_LINE_BYTES / 2)
  assert.ok(Array.isArray(fed('\r\n', piece, piece, '\r\n', piece, piece, '\r\n')))
  assert.match(String(fed('\r\n', piece, piece, 'x')), /line of the body/)
})

test('a header that comes byte by byte is refused at its bound, not held for ever', () => {
  const feed = new MessageFeed()
  const piece = Buffer.alloc(1024, 0x61)
  for (let at = 0; at < MAX_HEADER_BYTES / 1024; at++) assert.equal(feed.push(piece).status, 'pieces')
  assert.equal(feed.push(piece).status, 'refused')
})
