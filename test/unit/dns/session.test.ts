import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Failure, Lookup, RecordType } from '../../../src/dns/resolver.ts'
import { sessionResolver, type SessionOptions } from '../../../src/dns/session.ts'
import { zoneMap } from '../../support/zone-map.ts'
import { ManualClock } from './manual-clock.ts'
import { addresses, PendingResolver } from './pending-resolver.ts'

const SILENCE: Failure = { status: 'timeout', cause: 'test: nobody answers', serversAnswer: false }
const DEAD_ZONE: Failure = { status: 'timeout', cause: 'test: a dead zone', serversAnswer: true }
const HERE = addresses(300, '192.0.2.1')

function session(options: Partial<SessionOptions> = {}, cached?: (name: string) => Lookup<RecordType> | undefined) {
  const clock = new ManualClock()
  const inner = new PendingResolver()
  const known = cached === undefined ? inner : Object.assign(inner, { cached: <T extends RecordType>(name: string) => cached(name) as Lookup<T> | undefined })
  const resolver = sessionResolver(known, { now: () => clock.nowMs(), ...options })
  return { clock, inner, resolver }
}

/** The cause, where a look-up was not so much as asked. */
async function notAsked(lookup: Promise<Lookup<RecordType>>): Promise<string> {
  const found = await lookup
  assert.ok(found.status === 'timeout', JSON.stringify(found))
  assert.match(found.cause, /not asked/)
  return found.cause
}

test('what was answered once is the answer to all', async () => {
  const zone = zoneMap({ 'a.example': { A: ['192.0.2.1'] }, 'broken.example': 'servfail' }, { ttlSeconds: 0 })
  const resolver = sessionResolver(zone, { now: () => 0 })
  const [first, second] = await Promise.all([resolver.lookup('a.example', 'A'), resolver.lookup('A.EXAMPLE.', 'A')])
  assert.equal(first, second)
  await resolver.lookup('a.example', 'A')
  await resolver.lookup('a.example', 'TXT')
  await resolver.lookup('broken.example', 'A')
  await resolver.lookup('broken.example', 'A')
  assert.deepEqual(zone.queries, ['a.example A', 'a.example TXT', 'broken.example A'])
})

test('what is known is told without a look-up', () => {
  const { inner, resolver } = session({}, (name) => (name === 'a.example' ? HERE : undefined))
  assert.equal(resolver.known?.('a.example', 'A'), HERE)
  assert.equal(resolver.known('b.example', 'A'), undefined)
  assert.equal(sessionResolver(zoneMap({ 'a.example': { A: ['192.0.2.1'] } }), { now: () => 0 }).known?.('a.example', 'A'), undefined)
  assert.deepEqual(inner.queries, [])
})

describe('silent servers', () => {
  test('cost one time-out: what is asked later is given up at once', async () => {
    const { clock, inner, resolver } = session()
    const first = resolver.lookup('a.example', 'PTR')
    clock.advance(10_000)
    inner.answer('a.example PTR', SILENCE)
    assert.deepEqual(await first, SILENCE)
    assert.match(await notAsked(resolver.lookup('b.example', 'TXT')), /^b\.example TXT: not asked: the DNS servers have been silent for 10000 ms of this session/)
    assert.deepEqual(inner.queries, ['a.example PTR'])
    assert.deepEqual(await resolver.lookup('a.example', 'PTR'), SILENCE, 'what was answered stays answered')
  })

  test('what is waited for still is given up too', async () => {
    const { clock, inner, resolver } = session()
    const first = resolver.lookup('a.example', 'A')
    clock.advance(8000)
    const second = resolver.lookup('b.example', 'A')
    clock.advance(2000)
    inner.answer('a.example A', SILENCE)
    assert.deepEqual(await first, SILENCE)
    assert.match(await notAsked(second), /^b\.example A/)
    // Its own answer comes to nobody.
    inner.answer('b.example A', HERE)
    assert.equal((await resolver.lookup('b.example', 'A')).status, 'timeout')
  })

  test('waits side by side count once, overlapping ones by the wall clock', async () => {
    const { clock, inner, resolver } = session({ budgetMs: 12_000 })
    const lookups = [resolver.lookup('a', 'A'), resolver.lookup('b', 'A')]
    clock.advance(3000)
    lookups.push(resolver.lookup('c', 'A'))
    clock.advance(2000)
    inner.answer('a A', SILENCE)
    inner.answer('b A', SILENCE)
    clock.advance(3000)
    inner.answer('c A', SILENCE)
    await Promise.all(lookups)
    // 8 s so far. Two more of 2 s, apart: 12 s.
    for (const name of ['d', 'e']) {
      const lookup = resolver.lookup(name, 'A')
      assert.ok(inner.queries.includes(`${name} A`), name)
      clock.advance(2000)
      inner.answer(`${name} A`, SILENCE)
      await lookup
    }
    assert.match(await notAsked(resolver.lookup('f', 'A')), /12000 ms/)
  })

  test('a long wait that ends after a short one is counted whole, once', async () => {
    const { clock, inner, resolver } = session({ budgetMs: 10_000 })
    const long = resolver.lookup('long', 'A')
    clock.advance(6000)
    const short = resolver.lookup('short', 'A')
    clock.advance(1000)
    inner.answer('short A', SILENCE)
    clock.advance(2000)
    inner.answer('long A', SILENCE)
    await Promise.all([long, short])
    const next = resolver.lookup('next', 'A')
    clock.advance(999)
    inner.answer('next A', SILENCE)
    await next
    assert.ok(inner.queries.length === 3)
    const last = resolver.lookup('last', 'A')
    clock.advance(1)
    inner.answer('last A', SILENCE)
    await last
    assert.match(await notAsked(resolver.lookup('over', 'A')), /10000 ms/)
  })

  test('an answer out of a cache, or a refusal at once, spends nothing', async () => {
    const { inner, resolver } = session()
    for (let i = 0; i < 50; i++) {
      const lookup = resolver.lookup(`n${i}`, 'A')
      inner.answer(`n${i} A`, SILENCE)
      assert.deepEqual(await lookup, SILENCE)
    }
    assert.equal(inner.queries.length, 50)
  })

  test('what a cache knows is told all the same', async () => {
    const { clock, inner, resolver } = session({}, (name) => (name === 'known.example' ? HERE : undefined))
    const first = resolver.lookup('a.example', 'A')
    clock.advance(5000)
    inner.answer('a.example A', SILENCE)
    await first
    assert.equal(await resolver.lookup('known.example', 'A'), HERE)
    await notAsked(resolver.lookup('unknown.example', 'A'))
  })

  test('are asked again after a minute', async () => {
    const { clock, inner, resolver } = session()
    const first = resolver.lookup('a.example', 'A')
    clock.advance(5000)
    inner.answer('a.example A', SILENCE)
    await first
    clock.advance(54_999)
    await notAsked(resolver.lookup('b.example', 'A'))
    clock.advance(1)
    const again = resolver.lookup('a.example', 'A')
    inner.answer('a.example A', HERE)
    assert.equal(await again, HERE)
  })
})

describe('a dead zone', () => {
  for (const failure of [DEAD_ZONE, { status: 'servfail', cause: 'test: SERVFAIL, late' } as const]) {
    test(`costs the others nothing (${failure.status})`, async () => {
      const { clock, inner, resolver } = session()
      const dead = resolver.lookup('dead.example', 'A')
      const slow = resolver.lookup('slow.example', 'A')
      clock.advance(10_000)
      inner.answer('dead.example A', failure)
      assert.equal(await dead, failure)
      inner.answer('slow.example A', HERE)
      assert.equal(await slow, HERE)
      const later = resolver.lookup('later.example', 'A')
      inner.answer('later.example A', HERE)
      assert.equal(await later, HERE)
    })
  }

  test('one dead name after the other is waited for up to a bound; what is in flight ends by itself', async () => {
    const { clock, inner, resolver } = session({ fruitlessMs: 20_000 })
    for (const name of ['a', 'b']) {
      const lookup = resolver.lookup(name, 'TXT')
      if (name === 'b') void resolver.lookup('slow', 'TXT')
      clock.advance(10_000)
      inner.answer(`${name} TXT`, DEAD_ZONE)
      await lookup
    }
    assert.match(await notAsked(resolver.lookup('c', 'TXT')), /waited 20000 ms for look-ups that came to nothing/)
    const slow = resolver.lookup('slow', 'TXT')
    inner.answer('slow TXT', HERE)
    assert.equal(await slow, HERE)
  })

  test('answers, however slow, spend nothing', async () => {
    const { clock, inner, resolver } = session()
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const lookup = resolver.lookup(name, 'TXT')
      clock.advance(9000)
      inner.answer(`${name} TXT`, name === 'c' ? { status: 'nxdomain', ttlSeconds: 1, authenticated: false } : HERE)
      await lookup
    }
    assert.equal(inner.queries.length, 5)
  })
})

test('a resolver that breaks its word and rejects is heard', async () => {
  const { inner, resolver } = session()
  const lookup = resolver.lookup('a.example', 'A')
  inner.fail('a.example A', new Error('a bug'))
  await assert.rejects(lookup, /a bug/)
})
