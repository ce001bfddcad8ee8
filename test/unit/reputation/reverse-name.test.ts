import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressKey, isLoopback, isUnrouted, networkKey, parseIpAddress, reverseLabels, reverseName, sameAddress } from '../../../src/reputation/reverse-name.ts'
import type { IpAddress } from '../../../src/reputation/reverse-name.ts'
import { reverseName as reverseNameOfTheMap } from '../../support/zone-map.ts'

function address(text: string): IpAddress {
  const parsed = parseIpAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

test('an address in any spelling is its bytes', () => {
  assert.deepEqual(address('192.0.2.1'), { family: 4, bytes: [192, 0, 2, 1] })
  for (const text of ['2001:db8::1', '2001:DB8:0:0:0:0:0:1', '2001:db8:0::0.0.0.1', '2001:db8::1%eth0']) assert.equal(addressKey(address(text)), '2001:0db8:0000:0000:0000:0000:0000:0001', text)
  assert.equal(addressKey(address('::')), '0000:0000:0000:0000:0000:0000:0000:0000')
  assert.equal(addressKey(address('1::')), '0001:0000:0000:0000:0000:0000:0000:0000')
  assert.equal(addressKey(address('::10.0.0.1')), '0000:0000:0000:0000:0000:0000:0a00:0001')
  for (const text of ['::ffff:192.0.2.1', '::FFFF:C000:201', '0:0:0:0:0:ffff:c000:0201']) assert.deepEqual(address(text), address('192.0.2.1'), text)
})

test('what is no address is none', () => {
  for (const text of ['', 'unix', '1.2.3', '01.2.3.4', '1.2.3.256', '::1::', 'g::', '192.0.2.1 ', '192.0.2.1\n', '%eth0', '[::1]', 'a'.repeat(10_000)]) assert.equal(parseIpAddress(text), undefined, text.slice(0, 20))
})

test('reverse names', () => {
  assert.equal(reverseLabels(address('192.0.2.99')), '99.2.0.192')
  assert.equal(reverseName(address('192.0.2.99')), '99.2.0.192.in-addr.arpa')
  // The example of RFC 5782 §2.4.
  assert.equal(reverseLabels(address('2001:db8:1:2:3:4:567:89ab')), 'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2')
  for (const text of ['203.0.113.250', '2001:db8::7', '::1', 'fe80::1:2:3:4']) assert.equal(reverseName(address(text)), reverseNameOfTheMap(text))
})

test('networks of clients', () => {
  assert.equal(networkKey(address('192.0.2.99')), '192.0.2.0/24')
  assert.equal(networkKey(address('::ffff:192.0.2.99')), '192.0.2.0/24')
  assert.equal(networkKey(address('2001:db8:1:2:3:4:5:6')), '2001:0db8:0001:0002::/64')
})

test('equal, whatever it was written as', () => {
  assert.ok(sameAddress(address('::ffff:192.0.2.1'), address('192.0.2.1')))
  assert.ok(!sameAddress(address('::192.0.2.1'), address('192.0.2.1')))
  assert.ok(!sameAddress(address('192.0.2.1'), address('192.0.2.2')))
  assert.ok(!sameAddress(undefined, undefined))
})

test('addresses that nobody outside reaches', () => {
  for (const text of ['0.0.0.0', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.0.2', '169.254.1.1', '172.31.0.1', '192.168.7.7', '224.0.0.1', '255.255.255.255', '::', '::1', 'fd00::1', 'fe80::1', 'ff02::1', '::ffff:127.0.0.1']) assert.ok(isUnrouted(address(text)), text)
  for (const text of ['8.8.8.8', '192.0.2.1', '100.128.0.1', '172.32.0.1', '2001:db8::1', '2a00::1', '::2']) assert.ok(!isUnrouted(address(text)), text)
  for (const text of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.2']) assert.ok(isLoopback(address(text)), text)
  for (const text of ['10.0.0.1', '::', '192.0.2.1']) assert.ok(!isLoopback(address(text)), text)
})
