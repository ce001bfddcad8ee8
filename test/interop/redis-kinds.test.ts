/**
 * Servers of Redis that Postern does not work with, or not now: what is said of
 * each, that nothing is damaged, and that it goes on where that can be mended.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { checkStore } from '../../src/cli/check-store.ts'
import { TOKENS_VERSION } from '../../src/spam/bayes/store.ts'
import { RedisBayes } from '../../src/state/redis-bayes.ts'
import { RedisError } from '../../src/state/redis-connection.ts'
import type { RedisSettings } from '../../src/state/redis-settings.ts'
import { DAY, message } from '../support/bayes-store-contract.ts'
import { missing } from '../support/peers/programs.ts'
import { accepts } from '../support/peers/listening.ts'
import { startRedis, type RedisServer } from '../support/peers/redis.ts'
import { freePort } from '../support/ports.ts'
import { run, start, temporaryDirectory, until } from '../support/process.ts'
import { rowsIn } from '../unit/spam/bayes/bayes-fixture.ts'

async function redis(t: TestContext, ...options: readonly string[]): Promise<RedisServer> {
  const server = await startRedis(options)
  t.after(() => server.stop())
  return server
}

function storeAt(t: TestContext, server: RedisServer, { settings = server.settings, warn }: { readonly settings?: RedisSettings; readonly warn?: (warning: string) => void } = {}): RedisBayes {
  const store = new RedisBayes(server.connect(settings), { tokensVersion: TOKENS_VERSION, prefix: 'postern', maxTokens: 10_000, ...(warn !== undefined && { warn }) })
  t.after(() => store.close())
  return store
}

/** What no script may do. */
async function cli({ tcp }: RedisServer, ...words: readonly string[]): Promise<string> {
  return (await run(['redis-cli', '-h', tcp.host, '-p', String(tcp.port), ...words])).output
}

const fails = (work: Promise<unknown>, trouble: string, words: RegExp): Promise<void> => assert.rejects(work, (error) => (error instanceof RedisError && error.trouble === trouble && words.test(error.message)) || assert.fail(String(error)))
const check = (redis: RedisSettings) => checkStore({ kind: 'redis', redis })

describe('kinds of Redis', { skip: missing('redis-server') }, () => {
  test('a cluster is not followed; a node that has all of it will do', async (t) => {
    const node = async (port: number): Promise<RedisServer> => await redis(t, 'cluster-enabled yes', 'cluster-config-file nodes.conf', `cluster-port ${port}`)
    const bus = await freePort()
    const [other, whole] = [await node(await freePort()), await node(bus)]
    await fails(storeAt(t, other).counts(), 'failed', /CLUSTERDOWN .*not whole/)
    await cli(other, 'cluster', 'meet', whole.tcp.host, String(whole.tcp.port), String(bus))
    await cli(whole, 'cluster', 'addslotsrange', '0', '16383')
    let told = ''
    await until('the cluster is whole', async () => {
      told = (await Promise.all([other, whole].map((one) => cli(one, 'cluster', 'info')))).join('\n')
      return told.split('cluster_state:ok').length === 3
    }, { timeoutMs: 20_000, detail: () => told })
    await fails(storeAt(t, other).learn(message('a', [1]), 'ham'), 'denied', /MOVED .*clusters are not followed/)
    const report = await check(other.settings)
    assert.ok(/MOVED .*clusters are not followed/.test(report.errors.join()), JSON.stringify(report))
    const store = storeAt(t, whole)
    assert.equal(await store.learn(message('a', [1, 2]), 'ham'), 'learned')
    assert.equal(await store.maintain(DAY), true)
    assert.equal((await rowsIn(store)).size, 2)
  })

  test('a replica is told as such, by check too; once it is the primary it learns', async (t) => {
    const primary = await redis(t)
    const replica = await redis(t, `replicaof ${primary.tcp.host} ${primary.tcp.port}`)
    const store = storeAt(t, replica)
    await fails(store.learn(message('a', [1]), 'ham'), 'failed', /READONLY .*it is a replica: redis\.address has to be the primary/)
    assert.match((await check(replica.settings)).warnings.join(), /it is a replica/)
    await cli(replica, 'replicaof', 'no', 'one')
    assert.equal(await store.learn(message('a', [1]), 'ham'), 'learned')
    assert.deepEqual((await check(replica.settings)).warnings, [])
  })

  test('a Sentinel is told as such', async (t) => {
    const primary = await redis(t)
    const directory = temporaryDirectory('sentinel')
    const port = await freePort()
    writeFileSync(join(directory, 'sentinel.conf'), `port ${port}\nbind 127.0.0.1\ndir ${directory}\nsentinel monitor main ${primary.tcp.host} ${primary.tcp.port} 1\n`)
    const sentinel = start(['redis-server', join(directory, 'sentinel.conf'), '--sentinel'])
    t.after(() => sentinel.stop())
    await until('the sentinel listens', () => accepts({ host: '127.0.0.1', port }), { detail: () => sentinel.output() })
    const settings: RedisSettings = { ...primary.settings, address: { kind: 'tcp', host: '127.0.0.1', port } }
    await fails(storeAt(t, primary, { settings }).counts(), 'denied', /it is a Sentinel, or lets nobody run scripts/)
    assert.match((await check(settings)).errors.join(), /it is a Sentinel/)
  })

  test('where its memory is full nothing is learned by halves, and it goes on where there is more', async (t) => {
    const server = await redis(t)
    const store = storeAt(t, server)
    const lessons = Array.from({ length: 40 }, (_, at) => message(`m${at}`, Array.from({ length: 50 }, (_, token) => at * 1000 + token)))
    for (const lesson of lessons.slice(0, 20)) await store.learn(lesson, 'ham')
    await cli(server, 'config', 'set', 'maxmemory', '1')
    for (const lesson of lessons) await fails(store.learn(lesson, 'spam'), 'failed', /OOM .*raise its maxmemory/)
    await fails(store.maintain(DAY), 'failed', /OOM /)
    const { ham, spam } = await store.counts()
    assert.deepEqual({ ham, spam }, { ham: 20, spam: 0 })
    await cli(server, 'config', 'set', 'maxmemory', '0')
    for (const lesson of lessons) await store.learn(lesson, 'spam')
    assert.equal(await store.maintain(DAY), true)
    const after = await store.counts()
    assert.deepEqual({ ham: after.ham, spam: after.spam, tokens: after.tokens }, { ham: 0, spam: 40, tokens: 2000 })
    assert.deepEqual(new Set((await rowsIn(store)).values()), new Set(['0/1']))
  })

  test('one that throws away what was learned is warned of once, where we may ask', async (t) => {
    const server = await redis(t, 'maxmemory 100mb', 'maxmemory-policy allkeys-lru')
    const warnings: string[] = []
    const store = storeAt(t, server, { warn: (warning) => void warnings.push(warning) })
    for (let at = 0; at < 3; at++) await store.learn(message(`m${at}`, [at]), 'ham')
    await server.command('flushall')
    await store.learn(message('m', [1]), 'ham')
    const told = /^it throws away what was learned where its memory is full \(maxmemory-policy allkeys-lru\)/
    assert.ok(warnings.length === 1 && told.test(warnings[0] ?? ''), warnings.join())
    assert.match((await check(server.settings)).warnings.join(), /Redis at .*: it throws away what was learned/)
  })
})
