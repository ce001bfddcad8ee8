import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDate, ReceivedCounter, receivedField, type ReceivedFacts } from '../../../src/message/received.ts'
import type { SessionFacts } from '../../../src/smtp/session-handler.ts'
import { tlsFacts } from '../../support/tls-facts.ts'

const SESSION: SessionFacts = {
  address: '192.0.2.7', port: 4321, spokeEarly: false, name: undefined, login: undefined, helo: 'client.example',
  protocol: 'ESMTP', tls: undefined, forwarded: new Map(),
}

function field(facts: Partial<ReceivedFacts> = {}, session: Partial<SessionFacts> = {}): string {
  return receivedField({
    hostname: 'mx.example', id: 'ABCDEFGHJK', recipient: '<b@hop.example>', smtputf8: false, date: new Date(Date.UTC(2026, 1, 3, 4, 5, 6)), hideClient: false,
    session: { ...SESSION, ...session }, ...facts,
  })
}

test('the whole field (RFC 5321 §4.4)', () => {
  assert.equal(field(), 'Received: from client.example ([192.0.2.7])\r\n\tby mx.example with ESMTP id ABCDEFGHJK\r\n\tfor <b@hop.example>;\r\n\tTue, 3 Feb 2026 04:05:06 +0000\r\n')
})

test('who it came from', () => {
  assert.match(field({}, { address: '2001:db8::7' }), /from client\.example \(\[IPv6:2001:db8::7\]\)/)
  assert.match(field({}, { name: 'spike.example' }), /from client\.example \(spike\.example \[192\.0\.2\.7\]\)/)
  assert.match(field({}, { address: undefined }), /from client\.example \(local\)/)
  assert.match(field({}, { helo: '[192.0.2.7]' }), /from \[192\.0\.2\.7\] \(/)
})

test('a client that is to be hidden is not in it', () => {
  const hidden = field({ hideClient: true }, { name: 'spike.example', tls: undefined })
  assert.equal(hidden, 'Received: by mx.example with ESMTP id ABCDEFGHJK\r\n\tfor <b@hop.example>;\r\n\tTue, 3 Feb 2026 04:05:06 +0000\r\n')
})

test('how it came (RFC 3848, RFC 6531 §4.3)', () => {
  const tls = tlsFacts({ cipher: 'TLS_AES_128_GCM_SHA256' })
  const authentication = { login: 'anna', mechanism: 'PLAIN' }
  for (const [session, smtputf8, keyword] of [
    [{ protocol: 'SMTP' }, false, 'SMTP'], [{ protocol: 'ESMTP' }, false, 'ESMTP'], [{ protocol: 'LMTP' }, false, 'LMTP'],
    [{ protocol: 'ESMTP', tls }, false, 'ESMTPS'], [{ protocol: 'LMTP', tls }, false, 'LMTPS'],
    [{ protocol: 'ESMTP' }, true, 'UTF8SMTP'], [{ protocol: 'ESMTP', tls }, true, 'UTF8SMTPS'], [{ protocol: 'LMTP' }, true, 'UTF8LMTP'], [{ protocol: 'LMTP', tls }, true, 'UTF8LMTPS'],
    [{ protocol: 'ESMTP', authentication }, false, 'ESMTPA'], [{ protocol: 'ESMTP', tls, authentication }, false, 'ESMTPSA'], [{ protocol: 'LMTP', tls, authentication }, false, 'LMTPSA'], [{ protocol: 'ESMTP', tls, authentication }, true, 'UTF8SMTPSA'],
  ] as const) assert.match(field({ smtputf8 }, session), new RegExp(`with ${keyword} id `), keyword)
  assert.match(field({}, { tls }), /\r\n\t\(using TLSv1\.3 with cipher TLS_AES_128_GCM_SHA256\)\r\n/)
})

test('whatever a client says of itself, the field stays one field of short, printable lines', () => {
  const nasty = ['a\r\nSubject: x', 'a b', 'a(b', 'a)', 'a;b', '\xff', 'a\0', '"', '\\', '<x>', 'x'.repeat(255)]
  for (const text of nasty) {
    for (const made of [field({}, { helo: text }), field({}, { name: text }), field({ recipient: `<${text}@hop.example>` }), field({}, { tls: tlsFacts({ version: text, cipher: text }) })]) {
      const lines = made.split('\r\n')
      assert.equal(lines.pop(), '')
      assert.ok(lines.every((line, i) => (i === 0 ? line.startsWith('Received: ') : line.startsWith('\t'))), made)
      assert.ok(lines.every((line) => line.length <= 998 && /^[\t\x20-\x7e]*$/.test(line)), made)
    }
  }
})

test('an address in UTF-8 stands there as it came, but only with SMTPUTF8', () => {
  const wire = Buffer.from('<jörg@hop.example>').toString('latin1')
  assert.ok(field({ recipient: wire, smtputf8: true }).includes(`for ${wire};`))
  assert.ok(field({ recipient: wire }).includes('for <j??rg@hop.example>;'))
})

test('no recipient is named, where there are several, or where a line would be too long (RFC 5322 §2.1.1)', () => {
  assert.ok(!field({ recipient: undefined }).includes('for '))
  assert.ok(!field({ recipient: `<${'x'.repeat(2000)}@hop.example>` }).includes('for '))
})

test('dates', () => {
  assert.equal(formatDate(new Date(Date.UTC(2024, 1, 29, 23, 59, 59))), 'Thu, 29 Feb 2024 23:59:59 +0000')
  assert.equal(formatDate(new Date(0)), 'Thu, 1 Jan 1970 00:00:00 +0000')
})

const HEADERS: readonly (readonly [text: string, count: number])[] = [
  ['', 0],
  ['Received: a\r\n\r\n', 1],
  ['received:\r\nRECEIVED : b\r\nReCeIvEd\t: c\r\n\r\nReceived: in the body\r\n', 3],
  ['Subject: Received: no\r\n Received: folded\r\n\tReceived: folded\r\nReceived-SPF: no\r\nXReceived: no\r\nReceive: no\r\nReceived\r\n\r\n', 0],
  ['\r\nReceived: in the body\r\n', 0],
  ['Received: without an end', 1],
  ['Received: a\r\nReceived: b\r\nSubject: x\r\nReceived: c\r\n\r\n', 3],
  ['Received', 0],
]

for (const [text, count] of HEADERS) {
  test(`counts ${count} in ${JSON.stringify(text.slice(0, 40))}, at every split point`, () => {
    const bytes = Buffer.from(text)
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const counter = new ReceivedCounter()
        for (const piece of [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]) counter.feed(piece)
        assert.equal(counter.count, count, `cut at ${first} and ${second}`)
      }
    }
  })
}
