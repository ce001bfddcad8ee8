import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkIprev, IPREV_LIMITS } from '../../../src/auth/iprev.ts'
import type { IprevOutcome } from '../../../src/auth/iprev.ts'
import type { Lookup, RecordType, Resolver } from '../../../src/dns/resolver.ts'
import { reverseName, zoneMap } from '../../support/zone-map.ts'
import type { ZoneData, ZoneEntry } from '../../support/zone-map.ts'

const V4 = '192.0.2.1'
const V6 = '2001:db8::7'
const check = (zone: ZoneData, address = V4): Promise<IprevOutcome> => checkIprev(address, zoneMap(zone))

test('a name that leads back to the client is a pass, IPv4 and IPv6', async () => {
  const zone: ZoneData = {
    [reverseName(V4)]: { PTR: ['Mail.Example.ORG'] },
    [reverseName(V6)]: { PTR: ['mail.example.org'] },
    'mail.example.org': { A: ['192.0.2.9', V4], AAAA: ['2001:db8:0:0::8', '2001:0db8::0007'] },
  }
  const pass = { status: 'pass', confirmed: ['mail.example.org'], ptr: ['mail.example.org'], ignored: [], ptrCount: 1 }
  for (const address of [V4, V6, '::ffff:192.0.2.1', '::FFFF:c000:201', '2001:DB8:0:0:0:0:0:7', '2001:db8::7%eth0']) assert.deepEqual(await check(zone, address), pass, address)
})

test('only addresses of the client\'s family are asked for', async () => {
  const zone = zoneMap({ [reverseName(V4)]: { PTR: ['a.example'] }, [reverseName(V6)]: { PTR: ['b.example'] }, 'a.example': { A: [V4], AAAA: 'timeout' }, 'b.example': { AAAA: [V6], A: 'timeout' } })
  assert.equal((await checkIprev(V4, zone)).status, 'pass')
  assert.equal((await checkIprev(V6, zone)).status, 'pass')
  assert.deepEqual(zone.queries, [`${reverseName(V4)} PTR`, 'a.example A', `${reverseName(V6)} PTR`, 'b.example AAAA'])
})

test('no PTR: the name does not exist, or exists without one', async () => {
  assert.deepEqual(await check({}), { status: 'no-ptr', cause: '1.2.0.192.in-addr.arpa has no PTR record' })
  assert.equal((await check({ [reverseName(V4)]: { TXT: ['x'] } })).status, 'no-ptr')
  assert.equal((await check({ [`x.${reverseName(V4)}`]: { TXT: ['x'] } })).status, 'no-ptr')
  const v6 = await check({}, V6)
  assert.deepEqual(v6, { status: 'no-ptr', cause: '7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa has no PTR record' })
})

/** What may become of one forward look-up, and what it makes of the whole with others: the strongest wins. */
const FORWARD = {
  confirmed: { A: [V4] },
  other: { A: ['192.0.2.200'] },
  nodata: { TXT: ['x'] },
  nxdomain: undefined,
  servfail: { A: 'servfail' },
  timeout: { A: 'timeout' },
} as const satisfies Readonly<Record<string, ZoneEntry | undefined>>

test('one confirmed name is a pass whatever the others did; without one, any failure is temporary', async () => {
  const kinds = Object.keys(FORWARD) as (keyof typeof FORWARD)[]
  let combinations = 0
  for (const one of kinds) for (const two of kinds) for (const three of kinds) {
    const zone = zoneMap({ [reverseName(V4)]: { PTR: ['a.example', 'b.example', 'c.example'] } })
    for (const [name, kind] of [['a.example', one], ['b.example', two], ['c.example', three]] as const) zone.set(name, FORWARD[kind])
    const all = [one, two, three]
    const expected = all.includes('confirmed') ? 'pass' : all.includes('servfail') || all.includes('timeout') ? 'temperror' : 'not-confirmed'
    const outcome = await checkIprev(V4, zone)
    assert.equal(outcome.status, expected, all.join(' '))
    if (outcome.status === 'pass') assert.equal(outcome.confirmed.length, all.filter((kind) => kind === 'confirmed').length)
    if (outcome.status === 'temperror') {
      assert.equal(outcome.stage, 'forward')
      assert.match(outcome.cause, /^A of [abc]\.example: (?:servfail|timeout) \(/)
    }
    combinations++
  }
  assert.equal(combinations, 216)
})

test('a failure at the first question says so', async () => {
  for (const fault of ['timeout', 'servfail'] as const) {
    const outcome = await check({ [reverseName(V4)]: fault })
    assert.ok(outcome.status === 'temperror')
    assert.equal(outcome.stage, 'ptr')
    assert.match(outcome.cause, new RegExp(`^PTR of 1\\.2\\.0\\.192\\.in-addr\\.arpa: ${fault} \\(`))
  }
})

test('a CNAME in the reverse zone and one at the name are followed', async () => {
  assert.equal((await check({ [reverseName(V4)]: { CNAME: '1.0-127.2.0.192.in-addr.arpa' }, '1.0-127.2.0.192.in-addr.arpa': { PTR: ['a.example'] }, 'a.example': { CNAME: 'b.example' }, 'b.example': { A: [V4] } })).status, 'pass')
  assert.equal((await check({ [reverseName(V4)]: { CNAME: 'loop.example' }, 'loop.example': { CNAME: 'loop.example' } })).status, 'temperror')
  assert.equal((await check({ [reverseName(V4)]: { PTR: ['a.example'] }, 'a.example': { CNAME: 'a.example' } })).status, 'temperror')
})

test('a hundred PTR records: so many are asked and no more, the same each time', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `n${String(i).padStart(3, '0')}.example`)
  const entries: Record<string, ZoneEntry> = Object.fromEntries(names.map((name) => [name, { A: ['192.0.2.200'] }]))
  for (const order of [names, names.toReversed()]) {
    const zone = zoneMap({ ...entries, [reverseName(V4)]: { PTR: order } })
    const outcome = await checkIprev(V4, zone)
    assert.ok(outcome.status === 'not-confirmed')
    assert.deepEqual(outcome.ptr, names.slice(0, IPREV_LIMITS.maxNames))
    assert.equal(outcome.ptrCount, 100)
    assert.equal(outcome.cause, 'n000.example and the 9 other names asked of 100: no A record with the client\'s address')
    assert.equal(zone.queries.length, 1 + IPREV_LIMITS.maxNames)
  }
})

test('the same name many times is asked once', async () => {
  const zone = zoneMap({ [reverseName(V4)]: { PTR: ['a.example', 'A.example', 'a.example'] }, 'a.example': { A: [V4] } })
  assert.equal((await checkIprev(V4, zone)).status, 'pass')
  assert.equal(zone.queries.length, 2)
})

test('names that no host has are shown, printable, and not asked', async () => {
  const hostile = ['"quoted".example', 'a b.example', 'x;y.example', '<script>.example', 'a\\b.example']
  const zone = zoneMap({ [reverseName(V4)]: { PTR: [...hostile, 'good.example'] }, 'good.example': { A: [V4] } })
  const outcome = await checkIprev(V4, zone)
  assert.ok(outcome.status === 'pass')
  assert.deepEqual([...outcome.ignored].sort(), [...hostile].sort())
  assert.deepEqual(outcome.ptr, ['good.example'])
  assert.equal(zone.queries.length, 2)
  const none = await check({ [reverseName(V4)]: { PTR: ['"quoted".example'] } })
  assert.ok(none.status === 'not-confirmed')
  assert.deepEqual([none.ptr, none.cause], [[], 'the PTR record gives no name that a host can have: "quoted".example'])
})

test('control characters of a lying resolver come out printable', async () => {
  const liar: Resolver = {
    lookup: <T extends RecordType>(): Promise<Lookup<T>> => Promise.resolve({ status: 'records', records: ['a\r\nX-Evil: 1.example', '\u0000'], name: 'x', ttlSeconds: 1, authenticated: false } as unknown as Lookup<T>),
  }
  const outcome = await checkIprev(V4, liar)
  assert.ok(outcome.status === 'not-confirmed')
  assert.deepEqual(outcome.ignored, ['?', 'a x-evil: 1.example'])
  assert.match(outcome.cause, /^[\x20-\x7e]+$/)
})

test('at most so many look-ups are in flight', async () => {
  let inFlight = 0
  let most = 0
  const zone = zoneMap({ [reverseName(V4)]: { PTR: Array.from({ length: 10 }, (_, i) => `n${i}.example`) } })
  const slow: Resolver = {
    async lookup(name, type) {
      most = Math.max(most, ++inFlight)
      await new Promise((resolve) => setImmediate(resolve))
      inFlight--
      return zone.lookup(name, type)
    },
  }
  assert.equal((await checkIprev(V4, slow)).status, 'not-confirmed')
  assert.equal(most, IPREV_LIMITS.maxAtOnce)
})

test('private and loopback addresses are asked like any other; no address is no question', async () => {
  for (const address of ['127.0.0.1', '10.1.2.3', '::1', 'fe80::1%eth0']) {
    const bare = address.replace('%eth0', '')
    assert.equal((await check({ [reverseName(bare)]: { PTR: ['a.example'] }, 'a.example': bare.includes(':') ? { AAAA: [bare] } : { A: [bare] } }, address)).status, 'pass', address)
  }
  const zone = zoneMap({})
  for (const address of ['', 'unix', '192.0.2', '1.2.3.4.5', ':::', '192.0.2.1\r\n']) assert.equal((await checkIprev(address, zone)).status, 'none', JSON.stringify(address))
  assert.deepEqual(zone.queries, [])
})
