import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readResolvConf } from '../../../src/dns/resolv-conf.ts'

const DEFAULT = { servers: [{ host: '127.0.0.1', port: 53 }], timeoutMs: 5000, tries: 2 }

test('no file, an empty one, one without servers: the server on this machine', () => {
  for (const text of [undefined, '', 'search example\n', '# nameserver 192.0.2.1\n;nameserver 192.0.2.2\n', 'nameserver\nnameserver dns.example\n']) assert.deepEqual(readResolvConf(text), DEFAULT)
})

test('servers in order, three at the most, IPv6 with scope', () => {
  const { servers } = readResolvConf('domain example\nnameserver 192.0.2.1\r\nnameserver\t2001:db8::1 # the second\nnameserver nonsense\nnameserver fe80::1%eth0\nnameserver 192.0.2.4')
  assert.deepEqual(servers.map(({ host }) => host), ['192.0.2.1', '2001:db8::1', 'fe80::1%eth0'])
  assert.ok(servers.every(({ port }) => port === 53))
})

test('time-out and attempts, the last word of each, within the bounds of the C library', () => {
  const options = (text: string): readonly number[] => {
    const { timeoutMs, tries } = readResolvConf(text)
    return [timeoutMs, tries]
  }
  assert.deepEqual(options('options ndots:2 timeout:3 attempts:4 rotate\n'), [3000, 4])
  assert.deepEqual(options('options timeout:3\noptions attempts:1\noptions timeout:1'), [1000, 1])
  assert.deepEqual(options('options timeout:99 attempts:99'), [30_000, 5])
  assert.deepEqual(options('options timeout:0 attempts:0'), [1000, 1])
  assert.deepEqual(options('options timeout:x attempts: timeout'), [5000, 2])
})
