import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plain, readProxyHeader } from '../../../src/smtp/proxy-protocol.ts'

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n'

function version2(command: number, family: number, body: Buffer): Buffer {
  const head = Buffer.alloc(16)
  head.write(SIGNATURE, 'latin1')
  head.writeUInt8(command, 12)
  head.writeUInt8(family, 13)
  head.writeUInt16BE(body.length, 14)
  return Buffer.concat([head, body])
}

const inet = Buffer.from([192, 0, 2, 7, 198, 51, 100, 1, 0x10, 0xe1, 0, 25])
const inet6 = Buffer.concat([Buffer.from('20010db8000000000000000000000007', 'hex'), Buffer.from('20010db8000000000000000000000001', 'hex'), Buffer.from([0x10, 0xe1, 0, 25])])
const mapped = Buffer.concat([Buffer.from('00000000000000000000ffffc0000207', 'hex'), Buffer.alloc(16), Buffer.from([0x10, 0xe1, 0, 25])])
const tlv = Buffer.from([0x04, 0, 3, 1, 2, 3])

const CASES: readonly { name: string; header: Buffer; client: { address: string; port: number } | undefined }[] = [
  { name: 'TCP4', header: Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 4321 25\r\n'), client: { address: '192.0.2.7', port: 4321 } },
  { name: 'TCP6', header: Buffer.from('PROXY TCP6 2001:DB8::7 2001:db8::1 4321 25\r\n'), client: { address: '2001:db8::7', port: 4321 } },
  { name: 'TCP6 written out', header: Buffer.from('PROXY TCP6 2001:0db8:0000:0000:0000:0000:0000:0007 2001:db8::1 4321 25\r\n'), client: { address: '2001:db8::7', port: 4321 } },
  { name: 'TCP6, IPv4 inside', header: Buffer.from('PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 4321 25\r\n'), client: { address: '192.0.2.7', port: 4321 } },
  { name: 'UNKNOWN', header: Buffer.from('PROXY UNKNOWN\r\n'), client: undefined },
  { name: 'UNKNOWN with addresses', header: Buffer.from(`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`), client: undefined },
  { name: 'v2 inet', header: version2(0x21, 0x11, inet), client: { address: '192.0.2.7', port: 4321 } },
  { name: 'v2 inet with extensions', header: version2(0x21, 0x11, Buffer.concat([inet, tlv])), client: { address: '192.0.2.7', port: 4321 } },
  { name: 'v2 inet6', header: version2(0x21, 0x21, inet6), client: { address: '2001:db8::7', port: 4321 } },
  { name: 'v2 inet6, IPv4 inside', header: version2(0x21, 0x21, mapped), client: { address: '192.0.2.7', port: 4321 } },
  { name: 'v2 unix', header: version2(0x21, 0x31, Buffer.alloc(216)), client: undefined },
  { name: 'v2 unspecified', header: version2(0x21, 0x00, Buffer.alloc(0)), client: undefined },
  { name: 'v2 local', header: version2(0x20, 0x00, Buffer.alloc(0)), client: undefined },
  { name: 'v2 local, addresses ignored', header: version2(0x20, 0x11, inet), client: undefined },
]

for (const { name, header, client } of CASES) {
  test(`${name}: at every split point`, () => {
    const behind = Buffer.from('EHLO a\r\nPROXY \r\n\r\n')
    for (let cut = 0; cut < header.length; cut++) assert.deepEqual(readProxyHeader(header.subarray(0, cut)), { status: 'incomplete' }, `cut at ${cut}`)
    for (let more = 0; more <= behind.length; more++) {
      assert.deepEqual(readProxyHeader(Buffer.concat([header, behind.subarray(0, more)])), { status: 'ok', length: header.length, client })
    }
  })
}

const MALFORMED: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['no header', Buffer.from('EHLO client.example\r\n')],
  ['a TLS hello', Buffer.from([0x16, 0x03, 0x01])],
  ['lower case', Buffer.from('proxy ')],
  ['another word', Buffer.from('PROXIED TCP4 ')],
  ['no family', Buffer.from('PROXY \r\n')],
  ['unknown family', Buffer.from('PROXY TCP5 192.0.2.7 198.51.100.1 4321 25\r\n')],
  ['families mixed', Buffer.from('PROXY TCP4 2001:db8::7 2001:db8::1 4321 25\r\n')],
  ['destination missing', Buffer.from('PROXY TCP4 192.0.2.7 4321 25\r\n')],
  ['too many words', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 4321 25 x\r\n')],
  ['two spaces', Buffer.from('PROXY TCP4  192.0.2.7 198.51.100.1 4321 25\r\n')],
  ['a port too high', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n')],
  ['no port', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 4321 x\r\n')],
  ['an address with a zone', Buffer.from('PROXY TCP6 fe80::1%eth0 fe80::2 4321 25\r\n')],
  ['a line without end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
  ['a line that ends too late', Buffer.from(`PROXY UNKNOWN ${'1'.repeat(92)}\r\n`)],
  ['v2: half a signature, then not', Buffer.from('\r\n\r\n\0\r\nQUIX')],
  ['v2: version 1', version2(0x11, 0x11, inet)],
  ['v2: command 2', version2(0x22, 0x11, inet)],
  ['v2: addresses cut short', version2(0x21, 0x11, inet.subarray(0, 11))],
  ['v2: IPv6 addresses cut short', version2(0x21, 0x21, inet6.subarray(0, 35))],
]

for (const [name, bytes] of MALFORMED) {
  test(`malformed: ${name}`, () => {
    let result = readProxyHeader(bytes.subarray(0, 1))
    for (let length = 2; length <= bytes.length && result.status === 'incomplete'; length++) result = readProxyHeader(bytes.subarray(0, length))
    assert.equal(result.status, 'malformed')
    assert.equal(readProxyHeader(bytes).status, 'malformed', 'in one piece, too')
  })
}

test('IPv4 inside IPv6 is IPv4', () => {
  assert.equal(plain('::ffff:192.0.2.7'), '192.0.2.7')
  assert.equal(plain('::FFFF:c000:207'), '192.0.2.7')
  assert.equal(plain('::ffff:0:0'), '0.0.0.0')
  assert.equal(plain('2001:DB8::1'), '2001:db8::1')
  assert.equal(plain('192.0.2.7'), '192.0.2.7')
})
