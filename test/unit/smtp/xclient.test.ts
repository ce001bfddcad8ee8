import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAttributes, XCLIENT_ATTRIBUTES, XFORWARD_ATTRIBUTES } from '../../../src/smtp/xclient.ts'

function read(text: string, known: readonly string[] = XCLIENT_ATTRIBUTES): Record<string, string | undefined> | string {
  const result = parseAttributes(text, known)
  return result.status === 'ok' ? Object.fromEntries(result.attributes) : `bad ${result.at}`
}

test('attributes as Postfix, swaks and nginx send them', () => {
  assert.deepEqual(read('NAME=spike.example ADDR=192.0.2.7 PORT=25 PROTO=ESMTP HELO=spike LOGIN=user@a.example'),
    { NAME: 'spike.example', ADDR: '192.0.2.7', PORT: '25', PROTO: 'ESMTP', HELO: 'spike', LOGIN: 'user@a.example' })
  assert.deepEqual(read('name=a  addr=IPV6:2001:DB8::1 proto=smtp'), { NAME: 'a', ADDR: '2001:db8::1', PROTO: 'SMTP' })
  assert.deepEqual(read('ADDR=2001:db8::1'), { ADDR: '2001:db8::1' })
  assert.deepEqual(read('ADDR=IPV6:2001:0db8:0:0::0001'), { ADDR: '2001:db8::1' })
  assert.deepEqual(read('ADDR=IPV6:::ffff:192.0.2.7'), { ADDR: '192.0.2.7' })
  assert.deepEqual(read('HELO=[192.0.2.7] DESTADDR=198.51.100.1 DESTPORT=587'), { HELO: '[192.0.2.7]', DESTADDR: '198.51.100.1', DESTPORT: '587' })
  assert.deepEqual(read('IDENT=4gP1T9 SOURCE=local', XFORWARD_ATTRIBUTES), { IDENT: '4gP1T9', SOURCE: 'LOCAL' })
})

test('what is not available', () => {
  assert.deepEqual(read('NAME=[UNAVAILABLE] ADDR=[unavailable] HELO=[TEMPUNAVAIL] PORT='), { NAME: undefined, ADDR: undefined, HELO: undefined, PORT: undefined })
})

test('xtext', () => {
  assert.deepEqual(read('LOGIN=a+20b+2B+3D HELO=x+2ey'), { LOGIN: 'a b+=', HELO: 'x.y' })
  for (const text of ['LOGIN=a+', 'LOGIN=a+4', 'LOGIN=a+g0']) assert.equal(read(text), 'bad LOGIN')
})

test('the last of two counts', () => assert.deepEqual(read('PORT=1 PORT=2'), { PORT: '2' }))

test('values that may not stand in a log line or a header', () => {
  for (const value of ['a+0D+0Ab', 'a+00', 'a+20b', 'a+7F', 'a+09']) {
    assert.equal(read(`HELO=${value}`), 'bad HELO', value)
    assert.equal(read(`NAME=${value}`), 'bad NAME', value)
  }
  assert.equal(read('LOGIN=a+0Ab'), 'bad LOGIN')
})

test('malformed', () => {
  for (const [text, at] of [
    ['', ''], ['ADDR', 'ADDR'], ['=x', '=x'], ['COLOUR=blue', 'COLOUR=blue'], ['SOURCE=LOCAL', 'SOURCE=LOCAL'],
    ['ADDR=x', 'ADDR'], ['ADDR=192.0.2.256', 'ADDR'], ['ADDR=IPV6:192.0.2.1x', 'ADDR'], ['ADDR=unix', 'ADDR'], ['ADDR=fe80::1%eth0', 'ADDR'], ['PORT=65536', 'PORT'], ['PORT=-1', 'PORT'], ['PORT=1e3', 'PORT'],
    ['PROTO=LHLO', 'PROTO'], [`HELO=${'x'.repeat(256)}`, 'HELO'], ['\xff\x01=1', '??=1'],
  ] as const) assert.equal(read(text), `bad ${at}`, text)
})

test('a malformed attribute is reported short and printable', () => {
  const result = read('\x1b[31m' + 'x'.repeat(500))
  assert.ok(typeof result === 'string' && result.length <= 44 && /^[\x20-\x7e]*$/.test(result))
})
