import { test } from 'node:test'
import assert from 'node:assert/strict'
import { clientCommands, type DescribedClient } from '../../../src/smtp/xforward.ts'

const CLIENT: DescribedClient = {
  address: '192.0.2.7', port: 4711, name: 'client.example.org', helo: 'helo.example.org',
  protocol: 'ESMTP', login: 'user@example.org', source: 'REMOTE', ident: 'AB12',
}
const NOBODY: DescribedClient = { address: undefined, port: undefined, name: undefined, helo: undefined, protocol: 'SMTP', login: undefined, source: 'LOCAL', ident: 'X' }

test('XFORWARD: every offered attribute, in the order of the offer', () => {
  assert.deepEqual(clientCommands('XFORWARD', 'NAME ADDR PORT PROTO HELO IDENT SOURCE', CLIENT), [
    'XFORWARD NAME=client.example.org ADDR=192.0.2.7 PORT=4711 PROTO=ESMTP HELO=helo.example.org IDENT=AB12 SOURCE=REMOTE\r\n',
  ])
})

test('XFORWARD: only what is offered and known, whatever its case, and once', () => {
  assert.deepEqual(clientCommands('XFORWARD', 'addr Helo FOO LOGIN addr', CLIENT), ['XFORWARD ADDR=192.0.2.7 HELO=helo.example.org\r\n'])
  assert.deepEqual(clientCommands('XFORWARD', '', CLIENT), [])
  assert.deepEqual(clientCommands('XFORWARD', 'constructor toString __proto__', CLIENT), [])
})

test('XCLIENT: its own attributes', () => {
  assert.deepEqual(clientCommands('XCLIENT', 'NAME ADDR PORT PROTO HELO LOGIN IDENT SOURCE DESTADDR', CLIENT), [
    'XCLIENT NAME=client.example.org ADDR=192.0.2.7 PORT=4711 PROTO=ESMTP HELO=helo.example.org LOGIN=user@example.org\r\n',
  ])
})

test('what is not known is [UNAVAILABLE]', () => {
  assert.deepEqual(clientCommands('XFORWARD', 'NAME ADDR PORT HELO', NOBODY), ['XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] HELO=[UNAVAILABLE]\r\n'])
  assert.deepEqual(clientCommands('XCLIENT', 'LOGIN', NOBODY), ['XCLIENT LOGIN=[UNAVAILABLE]\r\n'])
})

test('IPv6 addresses carry their prefix', () => {
  assert.deepEqual(clientCommands('XCLIENT', 'ADDR', { ...CLIENT, address: '2001:db8::1' }), ['XCLIENT ADDR=IPV6:2001:db8::1\r\n'])
})

test('LMTP: a name to XFORWARD, ESMTP to XCLIENT', () => {
  const client = { ...CLIENT, protocol: 'LMTP' } as const
  assert.deepEqual(clientCommands('XFORWARD', 'PROTO', client), ['XFORWARD PROTO=LMTP\r\n'])
  assert.deepEqual(clientCommands('XCLIENT', 'PROTO', client), ['XCLIENT PROTO=ESMTP\r\n'])
})

test('values are xtext', () => {
  assert.deepEqual(clientCommands('XFORWARD', 'HELO', { ...CLIENT, helo: 'a+b=c' }), ['XFORWARD HELO=a+2Bb+3Dc\r\n'])
  assert.deepEqual(clientCommands('XCLIENT', 'LOGIN', { ...CLIENT, login: 'a b+\xe9' }), ['XCLIENT LOGIN=a+20b+2B+E9\r\n'])
})

test('values that the hop would refuse are as good as unknown', () => {
  for (const helo of ['a b', 'a\r\nMAIL FROM:<x>', 'a\0', '\xe9', '<x>', 'a;b', 'x'.repeat(256), '']) {
    assert.deepEqual(clientCommands('XFORWARD', 'HELO', { ...CLIENT, helo }), ['XFORWARD HELO=[UNAVAILABLE]\r\n'], helo)
  }
  for (const login of ['a\r\nb', 'x'.repeat(256), '\xe9'.repeat(100)]) {
    assert.deepEqual(clientCommands('XCLIENT', 'LOGIN', { ...CLIENT, login }), ['XCLIENT LOGIN=[UNAVAILABLE]\r\n'])
  }
})

test('no command is longer than 512 bytes; nothing is lost by the split', () => {
  const client = { ...CLIENT, name: 'n'.repeat(255), helo: 'h'.repeat(255), login: 'l'.repeat(255) }
  const lines = clientCommands('XCLIENT', 'NAME ADDR PORT PROTO HELO LOGIN', client)
  assert.equal(lines.length, 3)
  for (const line of lines) assert.ok(line.startsWith('XCLIENT ') && line.endsWith('\r\n') && line.length <= 512)
  assert.deepEqual(lines.join('').match(/[A-Z]+(?==)/g), ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN'])
})
