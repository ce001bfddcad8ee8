import assert from 'node:assert/strict'
import { test } from 'node:test'
import { genericName } from '../../../src/auth/generic-name.ts'

const V4 = '198.51.100.7'
const V6 = '2001:db8:1:2:a:b:c:d'

const POOL: readonly (readonly [address: string, name: string])[] = [
  [V4, '198-51-100-7.provider.example'],
  [V4, '198.51.100.7.provider.example'],
  [V4, '7.100.51.198.provider.example'],
  [V4, '7-100-51-198.dynamic.provider.example'],
  [V4, 'host198-51-100-7.provider.example'],
  [V4, 'ip-198-51-100-7.eu.provider.example'],
  [V4, '198x51x100x7.provider.example'],
  [V4, '198_51_100_7.provider.example'],
  [V4, 'h198051100007.provider.example'],
  [V4, '007100051198.provider.example'],
  [V4, '198-051-100-007.provider.example'],
  [V4, 'c6336407.provider.example'],
  [V4, 'p-c6-33-64-07.provider.example'],
  [V4, '3325256711.provider.example'],
  [V4, 'dyn-100-7.provider.example'],
  [V4, 'p5b0c1d2e.dip0.provider.example'],
  [V4, 'adsl2-pool7.city.provider.example'],
  [V4, 'cpe-100-7.cust.provider.example'],
  [V4, 'client-100-7.provider.example'],
  [V4, 'ppp7.provider.example'],
  [V4, 'a.dhcp.provider.example'],
  [V4, 'x7.cable.provider.example'],
  [V4, 'dialup.west.provider.example'],
  [V4, 'HOST-198-51-100-7.Provider.Example'],
  ['::ffff:198.51.100.7', '198-51-100-7.provider.example'],
  [V6, '2001-db8-1-2-a-b-c-d.provider.example'],
  [V6, '2001-0db8-0001-0002-000a-000b-000c-000d.provider.example'],
  [V6, '20010db800010002000a000b000c000d.provider.example'],
  [V6, 'h000a000b000c000d.provider.example'],
  [V6, '2001-db8-1-2.provider.example'],
  [V6, 'd.0.0.0.c.0.0.0.b.0.0.0.a.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.provider.example'],
  ['2001:db8:1:2::5', '2001-db8-1-2--5.provider.example'],
  ['2001:db8:1:2::5', 'x5.dyn6.provider.example'],
  [V6, 'c-d.cust.provider.example'],
]

const SERVERS: readonly (readonly [address: string, name: string])[] = [
  [V4, 'mail.example.org'],
  [V4, 'mx1.example.org'],
  [V4, 'example.org'],
  [V4, 'vps7.example.org'],
  [V4, 'static-198-51-100-7.provider.example'],
  [V4, '198-51-100-7.static.provider.example'],
  [V4, 'smtp-198-51-100-7.provider.example'],
  [V4, 'a100-7.smtp-out.sender.example'],
  [V4, 'out-7.lists.example.org'],
  [V4, 'mail.pool.example'],
  [V4, 'gateway.dsl.example'],
  [V4, 'web.cable.example'],
  [V4, 'dynamo.sub.example.org'],
  [V4, 'poolside.hotel.example.org'],
  [V4, 'server-100-7.example.org'],
  [V4, 'n198-51-100-70.example.org'],
  [V4, 'a.user.example.org'],
  [V6, 'mail.example.org'],
  [V6, 'beef.example.org'],
  ['2001:db8::1', 'a1.example.org'],
  ['2001:db8::', 'mx.example.org'],
]

test('names of pools are generic', () => {
  for (const [address, name] of POOL) {
    const { generic, why } = genericName([name], address)
    assert.equal(generic, true, `${name}: ${why}`)
    assert.notEqual(why, '', name)
  }
})

test('names of servers are not', () => {
  for (const [address, name] of SERVERS) assert.equal(genericName([name], address).generic, false, `${name}: ${genericName([name], address).why}`)
})

test('it says why', () => {
  assert.equal(genericName(['198-51-100-7.dsl.provider.example'], V4).why, 'the address stands in it; "dsl" is a word for a way of access')
  assert.equal(genericName(['198-51-100-7.static.provider.example'], V4).why, 'the address stands in it; "static" is a word for a server')
  assert.equal(genericName(['www.example.org'], V4).why, '')
})

test('one name that somebody gave is enough', () => {
  assert.equal(genericName(['198-51-100-7.provider.example', 'www.example.org'], V4).generic, false)
  assert.equal(genericName(['198-51-100-7.provider.example', '7.100.51.198.dyn.provider.example'], V4).generic, true)
})

test('no name, no address, and names that nobody has', () => {
  assert.deepEqual(genericName([], V4), { generic: false, why: '' })
  assert.deepEqual(genericName(['dyn.a.provider.example'], 'unix'), { generic: false, why: '' })
  for (const name of ['', '.', '(((', '[a-z', '\\', '"a b".example', 'é.example', '\r\n', '1'.repeat(10_000), 'a-'.repeat(5000)]) assert.equal(genericName([name], V4).generic, false, JSON.stringify(name.slice(0, 20)))
})
