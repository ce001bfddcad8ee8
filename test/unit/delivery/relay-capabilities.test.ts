import { test } from 'node:test'
import assert from 'node:assert/strict'
import { CapabilityCache } from '../../../src/delivery/capability-cache.ts'
import type { Capabilities } from '../../../src/smtp/capabilities.ts'
import { path, send, stage, until, type Peer } from './scripted-hop.ts'

const offering = (...keywords: string[]) => async (peer: Peer): Promise<void> => {
  await peer.hello(...keywords)
  await peer.serve()
}
const down = (peer: Peer): void => peer.end('421 4.3.2 down')
const keys = (capabilities: Capabilities | undefined): string[] | undefined => capabilities && [...capabilities.keys()]

test('the cache: fresh for five minutes, one failed attempt a second', () => {
  let now = 5
  const cache = new CapabilityCache(() => now)
  assert.deepEqual([cache.known, cache.fresh, cache.mayAsk], [undefined, false, true])
  cache.failed()
  now += 999
  assert.equal(cache.mayAsk, false)
  now += 1
  assert.equal(cache.mayAsk, true)
  const learned = new Map([['DSN', '']])
  cache.learned(learned)
  now += 5 * 60_000 - 1
  assert.deepEqual([cache.known, cache.fresh], [learned, true])
  now += 1
  assert.deepEqual([cache.known, cache.fresh], [learned, false])
})

test('who asks first connects; the others wait with it, and the connection is used', async (t) => {
  const s = await stage(t, offering('SIZE 1000', 'DSN'))
  const all = await Promise.all([s.relay.capabilities(), s.relay.capabilities(), s.relay.capabilities()])
  for (const one of all) assert.deepEqual([...one ?? []], [['SIZE', '1000'], ['DSN', '']])
  assert.equal((await send(s.begin())).status, 250)
  assert.equal(s.hop.peers.length, 1)
})

test('fresh ones cost nothing; stale ones are asked for anew, on a new connection', async (t) => {
  const s = await stage(t, [offering('DSN'), offering('CHUNKING')], { idleMs: 3_600_000, maxAgeMs: 3_600_000 })
  assert.deepEqual(keys(await s.relay.capabilities()), ['DSN'])
  s.clock.advance(5 * 60_000 - 1)
  assert.deepEqual(keys(await s.relay.capabilities()), ['DSN'])
  assert.equal(s.hop.peers.length, 1)
  s.clock.advance(1)
  assert.deepEqual(keys(await s.relay.capabilities()), ['CHUNKING'])
  assert.equal(s.hop.peers.length, 2)
})

test('each new connection teaches', async (t) => {
  const s = await stage(t, [offering('DSN'), offering('CHUNKING')])
  assert.deepEqual(keys(await s.relay.capabilities()), ['DSN'])
  const [one, two] = [s.begin(), s.begin()]
  await one.mail(path('<a@x>'))
  await two.mail(path('<b@x>'))
  assert.equal(s.hop.peers.length, 2)
  assert.deepEqual(keys(await s.relay.capabilities()), ['CHUNKING'])
})

test('never reached: undefined, and no more than one attempt a second', async (t) => {
  const s = await stage(t, [down, down, offering('DSN')])
  assert.equal(await s.relay.capabilities(), undefined)
  assert.equal(await s.relay.capabilities(), undefined)
  s.clock.advance(999)
  assert.equal(await s.relay.capabilities(), undefined)
  assert.equal(s.hop.peers.length, 1)
  s.clock.advance(1)
  assert.equal(await s.relay.capabilities(), undefined)
  assert.equal(s.hop.peers.length, 2)
  s.clock.advance(1000)
  assert.deepEqual(keys(await s.relay.capabilities()), ['DSN'])
})

test('stale and down: the last word', async (t) => {
  const s = await stage(t, [offering('DSN'), down])
  await s.relay.capabilities()
  s.clock.advance(5 * 60_000)
  assert.deepEqual(keys(await s.relay.capabilities()), ['DSN'])
  assert.equal(s.hop.peers.length, 2)
  assert.equal(s.log.at('warn').length, 1)
})

test('stale and every connection in use: the last word at once', async (t) => {
  const s = await stage(t, offering('DSN'), { connections: 1, maxAgeMs: 3_600_000 })
  const transaction = s.begin()
  await transaction.mail(path('<a@x>'))
  s.clock.advance(5 * 60_000)
  assert.deepEqual(keys(await s.relay.capabilities()), ['DSN'])
  assert.equal(s.hop.peers.length, 1)
})

test('stale with room only in the unused: one of them makes way', async (t) => {
  const s = await stage(t, [offering('DSN'), offering('CHUNKING')], { connections: 1, idleMs: 3_600_000, maxAgeMs: 3_600_000 })
  await s.relay.capabilities()
  s.clock.advance(5 * 60_000)
  assert.deepEqual(keys(await s.relay.capabilities()), ['CHUNKING'])
  await s.hop.peers[0]?.closed()
  assert.equal(s.hop.peers[0]?.lines.at(-1), 'QUIT')
})

test('after close it asks no more', async (t) => {
  const s = await stage(t, offering('DSN'))
  await s.relay.close()
  assert.equal(await s.relay.capabilities(), undefined)
  assert.equal(s.hop.peers.length, 0)
})

test('a hop that is silent is waited for three seconds, by everybody together; then the last word will do', async (t) => {
  const s = await stage(t, [offering('DSN'), async (peer) => peer.closed(), offering('SIZE 5')], { idleMs: 1 })
  await s.relay.capabilities()
  s.clock.advance(5 * 60_000)
  const asked = [s.relay.capabilities(), s.relay.capabilities()]
  s.clock.advance(2999)
  let answered = 0
  for (const one of asked) void one.then(() => answered++)
  await until(() => s.hop.peers.length === 2)
  assert.equal(answered, 0)
  s.clock.advance(1)
  assert.deepEqual((await Promise.all(asked)).map(keys), [['DSN'], ['DSN']])
  assert.deepEqual(keys(await s.relay.capabilities()), ['DSN'])
  assert.equal(s.hop.peers.length, 2)
})
