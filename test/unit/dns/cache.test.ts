import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cachingResolver, type CachingResolver } from '../../../src/dns/cache.ts'
import type { Lookup, RecordType } from '../../../src/dns/resolver.ts'
import { zoneMap } from '../../support/zone-map.ts'
import { ManualClock } from './manual-clock.ts'
import { addresses, PendingResolver } from './pending-resolver.ts'

/** A cache over a resolver that gives one answer to everything. */
function over(answer: Lookup<RecordType>, maxEntries = 100, maxCharacters?: number) {
  const clock = new ManualClock()
  const queries: string[] = []
  const inner = {
    lookup<T extends RecordType>(name: string, type: T): Promise<Lookup<T>> {
      queries.push(`${name} ${type}`)
      return Promise.resolve(answer as Lookup<T>)
    },
  }
  const cache = cachingResolver(inner, { maxEntries, now: () => clock.nowMs(), ...(maxCharacters === undefined ? {} : { maxCharacters }) })
  return { cache, clock, queries }
}

const ttlOf = (lookup: Lookup<RecordType> | undefined): number | undefined => (lookup === undefined || 'cause' in lookup ? undefined : lookup.ttlSeconds)

test('an answer is kept for its time, which is counted down', async () => {
  const { cache, clock, queries } = over(addresses(300, '192.0.2.1'))
  assert.deepEqual(await cache.lookup('a.example', 'A'), addresses(300, '192.0.2.1'))
  clock.advance(100_500)
  assert.deepEqual(await cache.lookup('A.Example.', 'A'), addresses(199, '192.0.2.1'))
  clock.advance(199_499)
  assert.equal(ttlOf(await cache.lookup('a.example', 'A')), 0)
  assert.equal(queries.length, 1)
  clock.advance(1)
  assert.equal(ttlOf(await cache.lookup('a.example', 'A')), 300)
  assert.deepEqual(queries, ['a.example A', 'a.example A'])
})

test('types are kept apart', async () => {
  const zone = zoneMap({ 'a.example': { A: ['192.0.2.1'], TXT: ['text'] } })
  const cache = cachingResolver(zone, { maxEntries: 10, now: () => 0 })
  const [a, txt, mx] = [await cache.lookup('a.example', 'A'), await cache.lookup('a.example', 'TXT'), await cache.lookup('a.example', 'MX')]
  assert.deepEqual([a.status === 'records' && a.records, txt.status === 'records' && txt.records, mx.status], [['192.0.2.1'], [['text']], 'nodata'])
  await cache.lookup('a.example', 'MX')
  assert.deepEqual(zone.queries, ['a.example A', 'a.example TXT', 'a.example MX'])
})

test('absence is kept as long as it says', async () => {
  for (const status of ['nxdomain', 'nodata'] as const) {
    const { cache, clock, queries } = over({ status, ttlSeconds: 10, authenticated: true })
    await cache.lookup('a.example', 'A')
    clock.advance(9999)
    assert.deepEqual(await cache.lookup('a.example', 'A'), { status, ttlSeconds: 0, authenticated: true })
    clock.advance(1)
    await cache.lookup('a.example', 'A')
    assert.equal(queries.length, 2)
  }
})

test('a day is the most, and nothing is kept for no time', async () => {
  const long = over(addresses(1_000_000, '192.0.2.1'))
  assert.equal(ttlOf(await long.cache.lookup('a.example', 'A')), 86_400)
  long.clock.advance(86_400_000)
  await long.cache.lookup('a.example', 'A')
  assert.equal(long.queries.length, 2)
  for (const ttl of [0, -5]) {
    const none = over(addresses(ttl, '192.0.2.1'))
    assert.equal(ttlOf(await none.cache.lookup('a.example', 'A')), 0)
    await none.cache.lookup('a.example', 'A')
    assert.equal(none.queries.length, 2)
  }
})

test('a failure is kept for five seconds, as it was', async () => {
  for (const status of ['servfail', 'timeout'] as const) {
    const failure = { status, cause: 'a.example A: test', serversAnswer: true } as const
    const { cache, clock, queries } = over(failure)
    await cache.lookup('a.example', 'A')
    clock.advance(4999)
    assert.deepEqual(await cache.lookup('a.example', 'A'), failure)
    assert.equal(queries.length, 1)
    clock.advance(1)
    await cache.lookup('a.example', 'A')
    assert.equal(queries.length, 2)
  }
})

test('one query is in flight per question; all get its answer, even one of no time', async () => {
  const inner = new PendingResolver()
  const cache = cachingResolver(inner, { maxEntries: 10, now: () => 0 })
  const waiting = [cache.lookup('a.example', 'A'), cache.lookup('A.example', 'A'), cache.lookup('a.example.', 'A')]
  const other = cache.lookup('a.example', 'AAAA')
  assert.deepEqual(inner.queries, ['a.example A', 'a.example AAAA'])
  inner.answer('a.example A', addresses(0, '192.0.2.1'))
  inner.answer('a.example AAAA', { status: 'nodata', ttlSeconds: 0, authenticated: false })
  for (const lookup of await Promise.all(waiting)) assert.deepEqual(lookup, addresses(0, '192.0.2.1'))
  assert.equal((await other).status, 'nodata')
  void cache.lookup('a.example', 'A')
  assert.equal(inner.queries.length, 3)
})

test('what was used last stays; entries are bounded', async () => {
  const { cache, queries } = over(addresses(300, '192.0.2.1'), 3)
  for (const name of ['a', 'b', 'c']) await cache.lookup(name, 'A')
  await cache.lookup('a', 'A')
  await cache.lookup('d', 'A')
  assert.equal(cache.cached('b', 'A'), undefined)
  for (const name of ['a', 'c', 'd']) assert.ok(cache.cached(name, 'A'), name)
  assert.deepEqual(queries, ['a A', 'b A', 'c A', 'd A'])
  for (let i = 0; i < 1000; i++) await cache.lookup(`n${i}`, 'A')
  const kept = Array.from({ length: 1000 }, (_, i) => cache.cached(`n${i}`, 'A')).filter((known) => known !== undefined)
  assert.equal(kept.length, 3)
})

test('characters are bounded: few large answers push out many small ones, and one too large is not kept', async () => {
  const text = (length: number): Lookup<'TXT'> => ({ status: 'records', records: [['x'.repeat(length)]], name: 'a', ttlSeconds: 300, authenticated: false })
  const kept = async ({ cache }: { readonly cache: CachingResolver }): Promise<number> => {
    for (let i = 0; i < 20; i++) await cache.lookup(`n${i}`, 'TXT')
    return Array.from({ length: 20 }, (_, i) => cache.cached(`n${i}`, 'TXT')).filter((known) => known !== undefined).length
  }
  assert.equal(await kept(over(text(10), 100, 5000)), 20)
  assert.equal(await kept(over(text(1000), 100, 5000)), 4)
  assert.equal(await kept(over(text(5000), 100, 5000)), 0)
})

test('use does not wear out the bound', async () => {
  const { cache } = over(addresses(300, '192.0.2.1'), 100, 1000)
  await cache.lookup('a.example', 'A')
  for (let i = 0; i < 100; i++) await cache.lookup('a.example', 'A')
  for (let i = 0; i < 20; i++) await cache.lookup(`n${i}`, 'A')
  const kept = Array.from({ length: 20 }, (_, i) => cache.cached(`n${i}`, 'A')).filter((known) => known !== undefined)
  assert.equal(kept.length, 4)
})

test('`cached` asks nobody, and knows no more than is there', async () => {
  const { cache, clock, queries } = over(addresses(10, '192.0.2.1'))
  assert.equal(cache.cached('a.example', 'A'), undefined)
  assert.equal(cache.cached('a..example', 'A'), undefined)
  await cache.lookup('a.example', 'A')
  assert.deepEqual(cache.cached('A.EXAMPLE', 'A'), addresses(10, '192.0.2.1'))
  clock.advance(10_000)
  assert.equal(cache.cached('a.example', 'A'), undefined)
  assert.equal(queries.length, 1)
})

test('what cannot be a name is nxdomain, and nobody is asked', async () => {
  const { cache, queries } = over(addresses(10, '192.0.2.1'))
  assert.equal((await cache.lookup('a..example', 'A')).status, 'nxdomain')
  assert.equal((await cache.lookup('bücher.example', 'A')).status, 'nxdomain')
  assert.deepEqual(queries, [])
})

test('a resolver that breaks its word and rejects leaves nothing behind', async () => {
  const inner = new PendingResolver()
  const cache = cachingResolver(inner, { maxEntries: 10, now: () => 0 })
  const first = cache.lookup('a.example', 'A')
  inner.fail('a.example A', new Error('a bug'))
  await assert.rejects(first, /a bug/)
  const second = cache.lookup('a.example', 'A')
  inner.answer('a.example A', addresses(10, '192.0.2.1'))
  assert.deepEqual(await second, addresses(10, '192.0.2.1'))
})
