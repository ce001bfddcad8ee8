/** A question that was not asked says nothing of name and servers: no silence, nothing to remember. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cachingResolver } from '../../../src/dns/cache.ts'
import type { Failure, Lookup, RecordType, Resolver } from '../../../src/dns/resolver.ts'
import { sessionResolver } from '../../../src/dns/session.ts'
import { createStubResolver } from '../../../src/dns/stub.ts'
import { startDnsServer } from '../../support/dns-server.ts'

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

function failing(failure: Failure, takesMs: number) {
  const clock = { nowMs: 0 }
  const asked: string[] = []
  const resolver: Resolver = {
    async lookup<T extends RecordType>(name: string): Promise<Lookup<T>> {
      asked.push(name)
      await Promise.resolve()
      clock.nowMs += takesMs
      return failure
    },
  }
  return { resolver, asked, clock, now: () => clock.nowMs }
}

test('the stub: a full gate and a closed resolver are reasons of our own', async () => {
  const server = await startDnsServer({ 'a.example': { A: ['192.0.2.1'] } })
  const stub = createStubResolver({ servers: [{ host: server.host, port: server.port }], timeoutMs: 60_000, tries: 1, maxInFlight: 1, maxWaiting: 1 }, { log: quiet })
  server.misbehave('a.example', 'hold')
  const first = stub.lookup('a.example', 'A')
  await server.asked('a.example')
  const second = stub.lookup('b.example', 'A')
  const third = await stub.lookup('c.example', 'A')
  assert.deepEqual([third.status, 'ours' in third && third.ours], ['timeout', true])
  stub.close()
  for (const found of await Promise.all([first, second, stub.lookup('d.example', 'A')])) assert.deepEqual([found.status, 'ours' in found && found.ours], ['timeout', true])
  await server.stop()
})

test('the stub: a server that is silent is no reason of ours', async () => {
  const server = await startDnsServer({})
  await server.stop()
  const stub = createStubResolver({ servers: [{ host: server.host, port: server.port }], timeoutMs: 200, tries: 1 }, { log: quiet })
  const found = await stub.lookup('a.example', 'A')
  assert.equal(found.status, 'timeout')
  assert.ok(!('ours' in found))
  stub.close()
})

test('the cache does not remember it', async () => {
  const { resolver, asked, now } = failing({ status: 'timeout', cause: 'too many', ours: true }, 0)
  const cache = cachingResolver(resolver, { maxEntries: 10, now })
  await cache.lookup('a.example', 'A')
  await cache.lookup('a.example', 'A')
  assert.equal(asked.length, 2)
})

test('a session does not take it for silence, and asks on', async () => {
  const { resolver, asked, now } = failing({ status: 'timeout', cause: 'too many', ours: true }, 1000)
  const session = sessionResolver(resolver, { now })
  await session.lookup('a.example', 'A')
  await session.lookup('b.example', 'A')
  await session.lookup('a.example', 'A')
  assert.equal(session.silent, false)
  assert.deepEqual(asked, ['a.example', 'b.example', 'a.example'])
})

test('a part of a session whose patience is spent leaves the others theirs; what it was refused is asked for them', async () => {
  const { resolver, asked, now } = failing({ status: 'servfail', cause: 'broken' }, 15_000)
  const session = sessionResolver(resolver, { now })
  await session.lookup('a.example', 'A')
  await session.lookup('b.example', 'A')
  const refused = await session.lookup('c.example', 'A')
  assert.deepEqual([refused.status, 'ours' in refused && refused.ours, session.silent], ['timeout', true, false])
  const other = session.fork()
  assert.equal((await other.lookup('c.example', 'A')).status, 'servfail')
  assert.deepEqual(asked, ['a.example', 'b.example', 'c.example'])
  // What one part knows the others know.
  await other.lookup('a.example', 'A')
  assert.equal(asked.length, 3)
})

test('servers that are dead are dead for all parts of a session', async () => {
  const { resolver, asked, now } = failing({ status: 'timeout', cause: 'silence' }, 5000)
  const session = sessionResolver(resolver, { now })
  const other = session.fork()
  await session.lookup('a.example', 'A')
  await other.lookup('b.example', 'A')
  assert.deepEqual([asked, session.silent, other.silent], [['a.example'], true, true])
})
