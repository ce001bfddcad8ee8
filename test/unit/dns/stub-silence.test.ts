/** The stub resolver and servers that refuse, are silent, die and come back; bounds, and the end. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cachingResolver } from '../../../src/dns/cache.ts'
import { sessionResolver } from '../../../src/dns/session.ts'
import { createStubResolver } from '../../../src/dns/stub.ts'
import type { DnsServer } from '../../support/dns-server.ts'
import { before, causeOf, recordsOf, TIMEOUT_MS } from './stub-fixture.ts'

const ONE = { 'a.example': { A: ['192.0.2.1'] }, 'b.example': { A: ['192.0.2.1'] }, 'dead.example': 'timeout' } as const
const TWO = { 'a.example': { A: ['192.0.2.2'] }, 'b.example': { A: ['192.0.2.2'] }, 'dead.example': 'timeout' } as const

describe('one server fails', () => {
  for (const how of ['servfail', 'refused', 'notimp'] as const) {
    test(`${how}: the next is asked at once, and the first is no worse for it`, async (t) => {
      const { resolver, servers: [first] } = await before(t, [ONE, TWO])
      first!.misbehave('a.example', how)
      assert.deepEqual(recordsOf(await resolver.lookup('a.example', 'A')), ['192.0.2.2'])
      assert.deepEqual(recordsOf(await resolver.lookup('b.example', 'A')), ['192.0.2.1'])
    })
  }

  test('all refuse: servfail, each asked once, and all causes told', async (t) => {
    const { resolver, servers: [first, second] } = await before(t, [ONE, TWO], { tries: 5 })
    first!.misbehave('a.example', 'refused')
    second!.misbehave('a.example', 'servfail')
    const lookup = await resolver.lookup('a.example', 'A')
    assert.equal(lookup.status, 'servfail')
    assert.match(causeOf(lookup), /^a\.example A: 127\.0\.0\.1:\d+: REFUSED; 127\.0\.0\.1:\d+: SERVFAIL$/)
    assert.deepEqual([first!.queries.length, second!.queries.length], [1, 1])
  })

  test('silence: the next is asked after the time-out, and asked first from then on', async (t) => {
    const { resolver, clock, servers: [first, second] } = await before(t, [ONE, TWO])
    first!.misbehave('*', 'drop')
    const lookup = resolver.lookup('a.example', 'A')
    await first!.asked('a.example')
    clock.advance(TIMEOUT_MS)
    assert.deepEqual(recordsOf(await lookup), ['192.0.2.2'])
    assert.deepEqual(recordsOf(await resolver.lookup('b.example', 'A')), ['192.0.2.2'])
    assert.deepEqual(second!.queries, ['a.example A udp', 'b.example A udp'])
    // Half a minute later it is tried again, by one look-up.
    first!.misbehave('*', undefined)
    clock.advance(30_000)
    assert.deepEqual(recordsOf(await resolver.lookup('b.example', 'A')), ['192.0.2.1'])
    assert.deepEqual(recordsOf(await resolver.lookup('a.example', 'A')), ['192.0.2.1'])
  })

  test('one that is dead is noticed at once where its machine says so, and one that is back is used', async (t) => {
    const { resolver, clock, log, servers: [first] } = await before(t, [ONE, TWO])
    await first!.die()
    assert.deepEqual(recordsOf(await resolver.lookup('a.example', 'A')), ['192.0.2.2'])
    await first!.comeBack()
    clock.advance(30_000)
    assert.deepEqual(recordsOf(await resolver.lookup('a.example', 'A')), ['192.0.2.1'])
    assert.deepEqual(log.map((line) => line.replace(/^\S+ /, '')), ['DNS server does not answer', 'DNS server answers again'])
  })

  test('silence and then a refusal is servfail: somebody did answer', async (t) => {
    const { resolver, clock, servers: [first, second] } = await before(t, [ONE, TWO])
    first!.misbehave('*', 'drop')
    second!.misbehave('a.example', 'refused')
    const lookup = resolver.lookup('a.example', 'A')
    await first!.asked('a.example')
    clock.advance(TIMEOUT_MS)
    assert.equal((await lookup).status, 'servfail')
  })
})

test('a lost packet costs one time-out', async (t) => {
  const { resolver, clock, server } = await before(t, [ONE])
  server.misbehave('a.example', 'drop', { times: 1 })
  const lookup = resolver.lookup('a.example', 'A')
  await server.asked('a.example')
  clock.advance(TIMEOUT_MS)
  assert.deepEqual(recordsOf(await lookup), ['192.0.2.1'])
})

test('an answer that comes just in time is one; one that is held longer is not', async (t) => {
  const { resolver, clock, server } = await before(t, [ONE], { tries: 1 })
  server.misbehave('a.example', 'hold')
  const inTime = resolver.lookup('a.example', 'A')
  await server.asked('a.example')
  clock.advance(TIMEOUT_MS - 1)
  assert.equal(server.release('a.example'), 1)
  assert.equal((await inTime).status, 'records')
  const late = resolver.lookup('a.example', 'A')
  await server.asked('a.example', 2)
  clock.advance(TIMEOUT_MS)
  assert.equal((await late).status, 'timeout')
  server.release()
})

describe('nobody answers', () => {
  test('so many attempts, one for each server at least, and no longer than promised', async (t) => {
    for (const [count, tries, attempts] of [[1, 1, 1], [1, 3, 3], [3, 1, 3], [2, 3, 3]] as const) {
      const { resolver, clock, servers } = await before(t, [ONE, TWO, ONE].slice(0, count), { tries })
      for (const server of servers) server.misbehave('*', 'drop')
      const began = clock.nowMs()
      const lookup = resolver.lookup('a.example', 'A')
      for (let attempt = 0; attempt < attempts; attempt++) {
        await servers[attempt % count]!.asked('a.example', 1 + Math.floor(attempt / count))
        clock.advance(TIMEOUT_MS)
      }
      const { status, cause, serversAnswer } = await lookup as { status: string; cause: string; serversAnswer: boolean }
      assert.deepEqual([status, serversAnswer], ['timeout', false])
      assert.equal(cause.split(';').length, attempts)
      assert.equal(clock.nowMs() - began, resolver.longestMs)
      assert.equal(resolver.longestMs, attempts * TIMEOUT_MS)
      assert.equal(clock.pending, 0)
    }
  })

  test('a chain that has to be asked for piece by piece takes no longer', async (t) => {
    const { resolver, clock, server } = await before(t, [{ 'one.example': { CNAME: 'two.example' }, 'two.example': 'timeout' }], { tries: 2, server: { followsAliases: false } })
    server.misbehave('one.example', 'drop', { times: 1 })
    const began = clock.nowMs()
    const lookup = resolver.lookup('one.example', 'A')
    await server.asked('one.example')
    clock.advance(TIMEOUT_MS)
    await server.asked('two.example')
    clock.advance(TIMEOUT_MS)
    assert.match(causeOf(await lookup), /^one\.example A: .*no answer in 4000 ms$/)
    assert.equal(clock.nowMs() - began, resolver.longestMs)
  })

  test('a server whose port is closed costs no time', async (t) => {
    const { resolver, server, clock } = await before(t, [ONE])
    await server.die()
    const lookup = await resolver.lookup('a.example', 'A')
    assert.ok(lookup.status === 'timeout' && lookup.serversAnswer === false)
    assert.match(lookup.cause, /nobody listens there/)
    assert.equal(clock.pending, 0)
    await server.comeBack()
    assert.equal((await resolver.lookup('a.example', 'A')).status, 'records', 'it is asked again, as there is no other')
  })
})

/** Whatever was sent to the server before is there when this is over. */
async function roundTrip({ host, port }: DnsServer): Promise<void> {
  const nothing = (): void => undefined
  const other = createStubResolver({ servers: [{ host, port }], timeoutMs: 10_000, tries: 1 }, { log: { debug: nothing, info: nothing, warn: nothing, error: nothing } })
  assert.equal((await other.lookup('round.trip', 'A')).status, 'nxdomain')
}

describe('a dead name before servers that live', () => {
  test('is told apart by asking for localhost', async (t) => {
    const { resolver, clock, server, logged, log } = await before(t, [ONE], { tries: 1 })
    const lookup = resolver.lookup('dead.example', 'A')
    await server.asked('dead.example')
    clock.advance(TIMEOUT_MS / 2)
    await logged('is there, though')
    clock.advance(TIMEOUT_MS / 2)
    const found = await lookup
    assert.ok(found.status === 'timeout' && found.serversAnswer === true)
    assert.deepEqual(server.queries, ['dead.example A udp', 'localhost A udp'])
    assert.ok(!log.some((line) => line.includes('does not answer')), 'the server is not blamed')
  })

  test('is told apart by the answers that others got, without asking', async (t) => {
    const { resolver, clock, server } = await before(t, [ONE], { tries: 1 })
    const lookup = resolver.lookup('dead.example', 'A')
    await server.asked('dead.example')
    await resolver.lookup('a.example', 'A')
    clock.advance(TIMEOUT_MS / 2)
    await roundTrip(server)
    clock.advance(TIMEOUT_MS / 2)
    const found = await lookup
    assert.ok(found.status === 'timeout' && found.serversAnswer === true)
    assert.deepEqual(server.queries, ['dead.example A udp', 'a.example A udp', 'round.trip A udp'])
  })

  test('many of them cost the server one such question at a time', async (t) => {
    const { resolver, clock, server } = await before(t, [{ '*.dead.example': 'timeout', 'localhost': 'timeout' }], { tries: 1 })
    const lookups = Array.from({ length: 10 }, (_, i) => resolver.lookup(`n${i}.dead.example`, 'A'))
    for (let i = 0; i < 10; i++) await server.asked(`n${i}.dead.example`)
    clock.advance(TIMEOUT_MS / 2)
    await server.asked('localhost')
    await roundTrip(server)
    clock.advance(TIMEOUT_MS / 2)
    for (const lookup of await Promise.all(lookups)) assert.ok(lookup.status === 'timeout' && lookup.serversAnswer === false)
    assert.equal(server.queries.filter((query) => query.startsWith('localhost')).length, 1)
  })
})

describe('a session before the stub and its cache', () => {
  const options = { maxEntries: 100 }

  test('a resolver that is down costs it one time-out', async (t) => {
    const { resolver, clock, server } = await before(t, [ONE], { tries: 1 })
    server.misbehave('*', 'drop')
    const now = (): number => clock.nowMs()
    const session = sessionResolver(cachingResolver(resolver, { ...options, now }), { now })
    const checks = [session.lookup('a.example', 'A'), session.lookup('b.example', 'A')]
    await server.asked('a.example')
    await server.asked('b.example')
    clock.advance(TIMEOUT_MS)
    for (const lookup of await Promise.all(checks)) assert.equal(lookup.status, 'timeout')
    for (const name of ['c.example', 'd.example', 'e.example']) assert.match(causeOf(await session.lookup(name, 'TXT')), /not asked/)
    assert.equal(clock.pending, 0)
  })

  test('a dead zone costs the other zones nothing', async (t) => {
    const { resolver, clock, server, logged } = await before(t, [ONE], { tries: 1 })
    const now = (): number => clock.nowMs()
    const session = sessionResolver(cachingResolver(resolver, { ...options, now }), { now })
    const dead = session.lookup('dead.example', 'A')
    await server.asked('dead.example')
    clock.advance(TIMEOUT_MS / 2)
    await logged('is there, though')
    clock.advance(TIMEOUT_MS / 2)
    assert.equal((await dead).status, 'timeout')
    assert.deepEqual(recordsOf(await session.lookup('a.example', 'A')), ['192.0.2.1'])
  })
})

describe('bounds', () => {
  test('look-ups in flight are bounded, those that wait have their turn, the rest are told', async (t) => {
    const { resolver, server } = await before(t, [ONE], { maxInFlight: 2, maxWaiting: 1 })
    server.misbehave('*', 'hold')
    const held = [resolver.lookup('a.example', 'A'), resolver.lookup('b.example', 'A')]
    const waits = resolver.lookup('a.example', 'TXT')
    assert.match(causeOf(await resolver.lookup('b.example', 'TXT')), /^b\.example TXT: 2 look-ups are in flight and 1 wait/)
    await server.asked('a.example')
    await server.asked('b.example')
    server.misbehave('*', undefined)
    server.release()
    assert.deepEqual((await Promise.all([...held, waits])).map(({ status }) => status), ['records', 'records', 'nodata'])
    assert.equal(server.queries.length, 3)
  })

  test('the wait for a place counts', async (t) => {
    const { resolver, server, clock } = await before(t, [ONE], { maxInFlight: 1, tries: 1 })
    server.misbehave('*', 'drop')
    const lookups = [resolver.lookup('a.example', 'A'), resolver.lookup('b.example', 'A')]
    await server.asked('a.example')
    clock.advance(TIMEOUT_MS)
    assert.deepEqual((await Promise.all(lookups)).map(({ status }) => status), ['timeout', 'timeout'])
    assert.equal(clock.pending, 0)
  })

  test('a thousand look-ups at once', async (t) => {
    const { resolver } = await before(t, [ONE])
    const lookups = await Promise.all(Array.from({ length: 1000 }, (_, i) => resolver.lookup(i % 2 === 0 ? 'a.example' : 'b.example', 'A')))
    assert.ok(lookups.every(({ status }) => status === 'records'))
  })
})

test('closed: what is in flight ends, what waits ends, what comes later too', async (t) => {
  const { resolver, server, clock, log } = await before(t, [ONE], { maxInFlight: 1 })
  server.misbehave('*', 'hold')
  const lookups = [resolver.lookup('a.example', 'A'), resolver.lookup('b.example', 'A')]
  await server.asked('a.example')
  resolver.close()
  lookups.push(resolver.lookup('c.example', 'A'))
  for (const lookup of await Promise.all(lookups)) {
    assert.equal(lookup.status, 'timeout')
    assert.match(causeOf(lookup), /the resolver is closed/)
  }
  assert.equal(clock.pending, 0)
  assert.deepEqual(log, [], 'that is nobody\'s fault')
  resolver.close()
})
