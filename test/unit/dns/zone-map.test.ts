/** The zone map that tests of other parts rest on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordType } from '../../../src/dns/resolver.ts'
import { reverseName, zoneMap, type ZoneData } from '../../support/zone-map.ts'

const ZONE: ZoneData = {
  'a.example': { A: ['192.0.2.1'], MX: [[10, 'MX.a.example'], [0, '.']], TXT: ['v=spf1 -all', ['two', 'strings'], 'y'.repeat(300)] },
  'alias.example': { CNAME: 'A.Example', ttl: 7 },
  'loop.example': { CNAME: 'pool.example' },
  'pool.example': { CNAME: 'loop.example' },
  'dead.example': 'timeout',
  'below.dead.example': { A: ['192.0.2.2'] },
  'broken.example': 'servfail',
  'partly.example': { A: 'timeout', MX: 'servfail', TXT: ['this one answers'] },
  'alias-of-dead.example': { CNAME: 'dead.example' },
  'deep.empty.example': { AAAA: ['2001:DB8:0::1', '::FFFF:192.0.2.1'] },
  '*.wild.example': { A: ['127.0.0.2'] },
  'own.wild.example': { TXT: ['no address'] },
}

test('no name, no data, failure and silence are told apart', async () => {
  const zone = zoneMap(ZONE)
  const statuses: readonly (readonly [string, RecordType, string])[] = [
    ['a.example', 'A', 'records'], ['A.EXAMPLE', 'A', 'records'], ['a.example', 'AAAA', 'nodata'], ['gone.example', 'A', 'nxdomain'], ['a..example', 'A', 'nxdomain'], ['example', 'A', 'nodata'], ['empty.example', 'A', 'nodata'],
    ['dead.example', 'A', 'timeout'], ['dead.example', 'TXT', 'timeout'], ['below.dead.example', 'A', 'records'], ['other.dead.example', 'A', 'nxdomain'], ['broken.example', 'MX', 'servfail'],
    ['partly.example', 'A', 'timeout'], ['partly.example', 'MX', 'servfail'], ['partly.example', 'TXT', 'records'], ['partly.example', 'AAAA', 'nodata'],
    ['alias.example', 'A', 'records'], ['alias.example', 'AAAA', 'nodata'], ['alias-of-dead.example', 'A', 'timeout'], ['loop.example', 'A', 'servfail'], ['loop.example', 'CNAME', 'records'],
    ['x.wild.example', 'A', 'records'], ['x.y.wild.example', 'A', 'records'], ['x.wild.example', 'TXT', 'nodata'], ['own.wild.example', 'A', 'nodata'], ['x.own.wild.example', 'A', 'nxdomain'], ['wild.example', 'A', 'nodata'],
  ]
  for (const [name, type, status] of statuses) assert.equal((await zone.lookup(name, type)).status, status, `${name} ${type}`)
})

test('records as the interface has them', async () => {
  const zone = zoneMap(ZONE, { ttlSeconds: 99, authenticated: true })
  assert.deepEqual(await zone.lookup('alias.example', 'MX'), { status: 'records', records: [{ preference: 10, exchange: 'mx.a.example' }, { preference: 0, exchange: '' }], name: 'a.example', ttlSeconds: 7, authenticated: true })
  const txt = await zone.lookup('a.example', 'TXT')
  assert.deepEqual(txt, { status: 'records', records: [['v=spf1 -all'], ['two', 'strings'], ['y'.repeat(255), 'y'.repeat(45)]], name: 'a.example', ttlSeconds: 99, authenticated: true })
  const aaaa = await zone.lookup('deep.empty.example', 'AAAA')
  assert.deepEqual(aaaa.status === 'records' && aaaa.records, ['2001:db8::1', '::ffff:192.0.2.1'])
})

test('queries are noted, and names can be put in and taken away', async () => {
  const zone = zoneMap({})
  assert.equal((await zone.lookup('New.example', 'A')).status, 'nxdomain')
  zone.set('new.Example', { A: ['192.0.2.1'] })
  assert.equal((await zone.lookup('new.example', 'A')).status, 'records')
  zone.set('new.example', undefined)
  assert.equal((await zone.lookup('new.example', 'A')).status, 'nxdomain')
  assert.deepEqual(zone.queries, ['new.example A', 'new.example A', 'new.example A'])
  zone.forget()
  assert.deepEqual(zone.queries, [])
})

test('a map that is wrong is an error where it is made', () => {
  assert.throws(() => zoneMap({ 'a..example': 'timeout' }), /a\.\.example/)
  assert.throws(() => zoneMap({ 'a.example': { CNAME: 'b.example', A: ['192.0.2.1'] } }), /CNAME beside other records at a\.example/)
  assert.throws(() => zoneMap({ 'a.example': { A: ['2001:db8::1'] } }))
  assert.throws(() => zoneMap({ 'a.example': { AAAA: ['nonsense'] } }))
  assert.throws(() => zoneMap({ 'a.example': { TXT: ['snowman \u2603'] } }), /beyond one byte/)
})

test('names of addresses', () => {
  assert.equal(reverseName('192.0.2.1'), '1.2.0.192.in-addr.arpa')
  assert.equal(reverseName('2001:db8::1'), '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa')
  assert.equal(reverseName('::ffff:192.0.2.1'), `1.0.2.0.0.0.0.c.f.f.f.f${'.0'.repeat(20)}.ip6.arpa`)
})
