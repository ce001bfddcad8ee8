/**
 * Machines that share a real Redis: logins and their rights, TLS, a server that
 * dies in the middle, and what one machine was taught in the scores of the other.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test, type TestContext } from 'node:test'
import type { MessageClass } from '../../src/spam/bayes/store.ts'
import { RedisBayes } from '../../src/state/redis-bayes.ts'
import { RedisError } from '../../src/state/redis-connection.ts'
import type { RedisSettings } from '../../src/state/redis-settings.ts'
import { DAY, message } from '../support/bayes-store-contract.ts'
import { makeCertificate } from '../support/peers/certificate.ts'
import { missing } from '../support/peers/programs.ts'
import { startRedis, type RedisServer } from '../support/peers/redis.ts'
import type { Stage } from '../support/policy-stage.ts'
import { CLIENT } from '../support/policy-zone.ts'
import { freePort } from '../support/ports.ts'
import { run, temporaryDirectory, until, type Outcome } from '../support/process.ts'
import { postern, sendAndTake, startSpamStage, untilEachWorker, untilLooked, type SpamStatus } from '../support/spam-stage.ts'
import { taughtMessage, writeMaildir } from '../support/taught-mail.ts'
import { rowsIn } from '../unit/spam/bayes/bayes-fixture.ts'

const MAIN = process.env['POSTERN_MAIN'] ?? join(import.meta.dirname, '../../src/main.ts')
/** As docs/operations.md has it. */
const RIGHTS = '~postern:* +eval +evalsha +exists +get +set +del +hget +hset +hmget +hdel +hincrby +hgetall +rpush +llen +lrange +ltrim +zadd +zrem +zcard +zrange +zrangebyscore +zscan +time +info'

function passwordFile(text: string): string {
  const path = join(temporaryDirectory('redis-login'), 'password')
  writeFileSync(path, `${text}\n`)
  chmodSync(path, 0o600)
  return path
}

function storeAt(t: TestContext, server: RedisServer, settings: Partial<RedisSettings> = {}): RedisBayes {
  const whole = { ...server.settings, ...settings }
  const store = new RedisBayes(server.connect(whole), { tokensVersion: 1, prefix: whole.prefix, maxTokens: 10_000, tokenDays: 50, maxKept: 2 })
  t.after(() => store.close())
  return store
}

const fails = (work: Promise<unknown>, trouble: string, words: RegExp): Promise<void> => assert.rejects(work, (error) => error instanceof RedisError && error.trouble === trouble && words.test(error.message) || assert.fail(String(error)))

/** All that a store does. */
async function exercise(store: RedisBayes): Promise<void> {
  for (let at = 0; at < 5; at++) assert.equal(await store.learn(message(`m${at}`, [at, 7, 2 ** 50 + at]), at < 3 ? 'ham' : 'spam'), 'learned')
  assert.equal(await store.learn(message('m0', [0, 7, 2 ** 50]), 'spam'), 'moved')
  assert.equal(await store.forget(message('m4', [4, 7, 2 ** 50 + 4])), 'forgotten')
  assert.equal(await store.maintain(DAY), true)
  assert.deepEqual(await rowsIn(store), new Map([[0, '0/1'], [1, '1/0'], [2, '1/0'], [3, '0/1'], [7, '2/2'], [2 ** 50, '0/1'], [2 ** 50 + 1, '1/0'], [2 ** 50 + 2, '1/0'], [2 ** 50 + 3, '0/1']]))
  const kept: string[] = []
  for await (const one of store.kept()) kept.push(one.class)
  assert.deepEqual(kept.sort(), ['ham', 'ham', 'spam', 'spam'])
  assert.equal(await store.maintain(DAY + 60), true)
  assert.deepEqual((await store.counts()).tokens, 0)
}

describe('who we are to Redis', { skip: missing('redis-server', 'openssl') }, () => {
  let server: RedisServer
  let tls: { readonly port: number; readonly ca: string }
  before(async () => {
    const { certFile, keyFile } = await makeCertificate()
    tls = { port: await freePort(), ca: certFile }
    server = await startRedis([`user gateway on >s3cret ${RIGHTS}`, 'user reader on >s3cret ~postern:* +get', `tls-port ${tls.port}`, `tls-cert-file ${certFile}`, `tls-key-file ${keyFile}`, `tls-ca-cert-file ${certFile}`, 'tls-auth-clients no'])
  })
  after(() => server.stop())

  test('an ACL user needs no other rights than those that are documented', async (t) => {
    await exercise(storeAt(t, server, { login: { username: 'gateway', passwordFile: passwordFile('s3cret') } }))
  })

  test('a wrong password, missing rights and a prefix of others are told as such', async (t) => {
    const login = (username: string, password: string) => ({ login: { username, passwordFile: passwordFile(password) } })
    await fails(storeAt(t, server, login('gateway', 'wrong')).counts(), 'denied', /WRONGPASS/)
    await fails(storeAt(t, server, login('reader', 's3cret')).counts(), 'denied', /NOPERM/)
    await fails(storeAt(t, server, { ...login('gateway', 's3cret'), prefix: 'others' }).counts(), 'denied', /NOPERM|No permissions|can't access/i)
    await fails(storeAt(t, server, { database: 99 }).counts(), 'denied', /DB index/)
  })

  test('a unix socket, and another database', async (t) => {
    const address = { kind: 'unix' as const, path: server.path }
    await storeAt(t, server, { address, database: 5, prefix: 'five' }).learn(message('a', [1]), 'ham')
    assert.equal((await storeAt(t, server, { address, prefix: 'five' }).counts()).ham, 0)
    assert.equal((await storeAt(t, server, { database: 5, prefix: 'five' }).counts()).ham, 1)
  })

  test('TLS, with the certificate checked', async (t) => {
    const address = { kind: 'tcp' as const, host: '127.0.0.1', port: tls.port }
    await exercise(storeAt(t, server, { address, tls: { ca: tls.ca }, login: { username: 'gateway', passwordFile: passwordFile('s3cret') }, prefix: 'postern:tls' }))
    await fails(storeAt(t, server, { address, tls: { ca: undefined } }).counts(), 'unreachable', /self-signed|certificate/)
    await fails(storeAt(t, server, { tls: { ca: tls.ca } }).counts(), 'unreachable', /Redis at 127\.0\.0\.1/)
  })
})

describe('a Redis that dies', { skip: missing('redis-server') }, () => {
  test('in the middle of adding up, and is there again: nothing counts twice', async (t) => {
    const server = await startRedis(['appendonly yes', 'appendfsync always'])
    t.after(() => server.stop())
    const tokens = Array.from({ length: 40_000 }, () => randomBytes(6).readUIntBE(0, 6))
    const open = (): RedisBayes => {
      const store = new RedisBayes(server.connect(), { tokensVersion: 1, prefix: 'postern' })
      t.after(() => store.close())
      return store
    }
    const store = open()
    for (const name of ['a', 'b']) await store.learn(message(name, tokens), 'ham')
    const work = store.maintain(DAY)
    const cut = assert.rejects(work, RedisError)
    const done = async (): Promise<number> => (await other.counts()).tokens
    const other = open()
    await until('something is added up', async () => await done() > 2000)
    await server.kill()
    await cut
    await assert.rejects(store.learn(message('c', [1]), 'spam'), RedisError)
    await server.restart()
    await until('it is had again', async () => await store.counts().then(() => true, () => false))
    const { tokens: added, waiting } = await store.counts()
    assert.ok(added < 40_000 && waiting === 2, `${added} added`)
    // The lease of whoever was cut short is its own.
    assert.equal(await store.maintain(DAY), true)
    assert.deepEqual(new Set((await rowsIn(store)).values()), new Set(['2/0']))
    assert.equal((await store.counts()).tokens, new Set(tokens).size)
  })

  test('whoever died while adding up keeps nobody out for longer than the lease', async (t) => {
    const server = await startRedis()
    t.after(() => server.stop())
    const store = storeAt(t, server)
    await store.learn(message('a', [1]), 'ham')
    await server.command('set', 'postern:{bayes}:upkeep', 'gone', 'px', '60000')
    assert.equal(await store.maintain(DAY), false)
    await server.command('pexpire', 'postern:{bayes}:upkeep', '0')
    assert.equal(await store.maintain(DAY), true)
    assert.deepEqual(await rowsIn(store), new Map([[1, '1/0']]))
    const left = Number(await server.command('exists', 'postern:{bayes}:upkeep'))
    assert.equal(left, 0)
  })

  test('what was lost is a new store, whose first revision is above all that were', async (t) => {
    const server = await startRedis()
    t.after(() => server.stop())
    const store = storeAt(t, server)
    await store.learn(message('a', [1]), 'ham')
    const before = await store.counts()
    await server.command('flushall')
    assert.equal(await store.learn(message('a', [1]), 'ham'), 'learned')
    const now = await store.counts()
    assert.ok((now.since ?? 0) > before.revision)
    // Another machine has made it anew, with other bounds.
    await server.command('flushall')
    const other = new RedisBayes(server.connect(), { tokensVersion: 1, prefix: 'postern', maxTokens: 1_000_000 })
    t.after(() => other.close())
    await other.learn(message('b', [2 ** 50]), 'spam')
    await store.learn(message('c', [2 ** 50, 5]), 'spam')
    await store.maintain(DAY)
    assert.deepEqual(await rowsIn(other), new Map([[5, '0/1'], [2 ** 50, '0/2']]))
  })

  test('many lessons are added up by those who learn, so that few wait', async (t) => {
    const server = await startRedis()
    t.after(() => server.stop())
    const store = new RedisBayes(server.connect(), { tokensVersion: 1, prefix: 'postern', maxWaiting: 20, maxKept: 10 })
    t.after(() => store.close())
    for (let at = 0; at < 75; at++) await store.learn(message(`m${at}`, [at, 1000]), 'spam')
    const { waiting, tokens } = await store.counts()
    assert.deepEqual([waiting, tokens], [15, 61])
    assert.equal(Number(await server.command('zcard', 'postern:{bayes}:spam')), 25)
  })
})

describe('what is broken in Redis', { skip: missing('redis-server') }, () => {
  let server: RedisServer
  before(async () => {
    server = await startRedis()
  })
  after(() => server.stop())
  beforeEach(() => server.command('flushall'))

  test('where the numbers alone are lost, the rest goes too: what is taught again counts', async (t) => {
    const lessons = Array.from({ length: 30 }, (_, at) => message(`m${at}`, [at, 2 ** 50 + at * 2 ** 35, 7_000_000]))
    const store = storeAt(t, server)
    for (const lesson of lessons) await store.learn(lesson, 'ham')
    await store.maintain(DAY)
    await store.learn(message('waits', [5]), 'ham')
    await server.command('del', 'postern:{bayes}:numbers')
    const other = storeAt(t, server)
    for (const lesson of lessons.slice(0, 20)) assert.equal(await other.learn(lesson, 'spam'), 'learned')
    await other.maintain(DAY)
    const { ham, spam, waiting, tokens } = await other.counts()
    assert.deepEqual({ ham, spam, waiting, tokens }, { ham: 0, spam: 20, waiting: 0, tokens: 41 })
    assert.deepEqual(new Set((await rowsIn(other)).values()), new Set(['0/1', '0/20']))
    // Whoever knew it before goes on with what is there now.
    assert.equal(await store.learn(lessons[0] ?? message('', []), 'spam'), 'known')
  })

  test('a machine whose clock is ahead takes away nothing: Redis knows the day', async (t) => {
    const store = storeAt(t, server)
    const today = Math.floor(Date.now() / 86_400_000)
    const lesson = message('a', [1, 2, 3], today + 400)
    await store.learn(lesson, 'ham')
    await store.maintain(today + 400)
    assert.deepEqual(await rowsIn(store), new Map([[1, '1/0'], [2, '1/0'], [3, '1/0']]))
    assert.equal(await store.learn(lesson, 'ham'), 'known')
    assert.equal(Number(await server.command('zscore', 'postern:{bayes}:ham', lesson.key)), today)
  })

  test('values that nobody can read count for nothing, and hold up nothing', async (t) => {
    const store = storeAt(t, server)
    const tokens = Array.from({ length: 40 }, (_, at) => at)
    await store.learn(message('a', tokens), 'ham')
    await store.maintain(DAY)
    const field = (token: number): Buffer => Buffer.from(token.toString(16).padStart(10, '0'), 'hex')
    await server.command('hset', 'postern:{bayes}:t:0', field(3), 'xxxxx')
    await server.command('hset', 'postern:{bayes}:t:0', field(4), 'y'.repeat(300))
    await server.command('hset', 'postern:{bayes}:t:0', 'field', 'x')
    await server.command('hset', 'postern:{bayes}:m:1', 'key', 'x')
    await server.command('rpush', 'postern:{bayes}:waiting', 'no lesson')
    await store.learn(message('b', tokens.slice(0, 10), DAY + 20), 'ham')
    assert.equal(await store.maintain(DAY + 20), true)
    const rows = await rowsIn(store)
    assert.deepEqual([rows.get(2), rows.get(3), rows.get(4), rows.get(39), rows.size], ['2/0', '1/0', '1/0', '1/0', 40])
    assert.equal((await store.counts()).waiting, 0)
    assert.equal(await store.maintain(DAY + 60), true)
    assert.equal((await rowsIn(store)).size, 10)
  })
})

describe('two machines', { skip: missing('redis-server', 'swaks') }, () => {
  const directory = temporaryDirectory('machine-a')
  let server: RedisServer
  let stage: Stage
  before(async () => {
    server = await startRedis()
    const shared = { redis: { address: `127.0.0.1:${server.tcp.port}` }, spam: { shipped_rules: false, bayes: { store: 'redis', min_messages: 20 } } }
    for (const name of ['mail', 'state']) mkdirSync(join(directory, name))
    writeFileSync(join(directory, 'postern.yaml'), JSON.stringify({
      ...shared, hostname: 'a.example', state: join(directory, 'state'), domains: ['hop.example'], listeners: [{ name: 'in', role: 'inbound', listen: ['127.0.0.1:2525'], next: 'local' }], hops: { local: { maildir: join(directory, 'mail/{local}') } },
    }))
    stage = await startSpamStage({ spam: shared.spam, root: { redis: shared.redis } })
  })
  after(async () => {
    await stage.stop()
    await server.stop()
  })

  const onA = (...words: readonly string[]): Promise<Outcome> => run([process.execPath, MAIN, ...words, '--config', join(directory, 'postern.yaml')], { timeoutMs: 120_000 })
  const train = async (kind: MessageClass, count: number): Promise<void> => {
    const { code, output } = await onA('train', kind, writeMaildir(join(directory, kind), kind, { count }))
    assert.equal(code, 0, output)
    assert.match(output, new RegExp(`${count} learned as ${kind}`))
  }
  const bayes = ({ tests }: SpamStatus): string => tests.find((name) => name.startsWith('BAYES_')) ?? 'none'
  const score = async (kind: MessageClass, n: number): Promise<string> => bayes(await sendAndTake(stage, CLIENT.clean, { data: taughtMessage(kind, n) }))
  const workersSay = (kind: MessageClass, n: number, expected: RegExp): Promise<SpamStatus> => untilEachWorker(stage, CLIENT.clean, { mail: { data: taughtMessage(kind, n) }, fits: (found) => expected.test(bayes(found)) })
  const WANTED = /^BAYES_(?:00|05|20)$/
  // So few lessons make nobody sure.
  const UNWANTED = /^BAYES_[689]/
  const logged = (text: string): number => stage.gateway.log().filter(({ msg }) => msg === text).length

  test('what one was taught, the gateway of the other scores with', async () => {
    assert.equal(await score('spam', 9001), 'none')
    await train('ham', 40)
    await train('spam', 40)
    await untilLooked(stage, 'the other machine has it', async () => UNWANTED.test(await score('spam', 9001)))
    await workersSay('spam', 9001, UNWANTED)
    assert.match(await score('ham', 9001), WANTED)
    const status = await postern(stage.gateway, 'train', 'status')
    assert.match(status.output, /knows 40 wanted and 40 unwanted messages/)
    const known = await postern(stage.gateway, 'train', 'ham', join(directory, 'ham'))
    assert.match(known.output, /0 learned as ham, 40 known already/)
    assert.match((await onA('check')).output, new RegExp(`learned +in Redis at 127\\.0\\.0\\.1:${server.tcp.port}: 40 wanted and 40 unwanted messages`))
  })

  test('while it is away mail is scored by the last model, the log says so once, and training says why not', async () => {
    await server.kill()
    const { code, output } = await onA('train', 'spam', join(directory, 'spam'))
    assert.equal(code, 75, output)
    assert.match(output, new RegExp(`Redis at 127\\.0\\.0\\.1:${server.tcp.port}: .*ECONNREFUSED.*what was learnt so far is kept`))
    const checked = await onA('check')
    assert.deepEqual([checked.code, /warning: Redis at .*ECONNREFUSED.*scored by the last model/.test(checked.output)], [0, true], checked.output)
    await untilLooked(stage, 'the gateway has noticed', () => logged('nothing can be learned') > 0)
    assert.match(await score('spam', 9002), UNWANTED)
    assert.equal(logged('nothing can be learned'), 1)
  })

  test('it comes back with nothing: the old model stays until as much is known again', async () => {
    await server.restart()
    await untilLooked(stage, 'it works again', () => logged('learning works again') > 0)
    await until('the loss is told', () => stage.gateway.log().some(({ msg }) => /not in its store any more/.test(String(msg))), { detail: () => stage.gateway.output() })
    assert.match(await score('spam', 9003), UNWANTED)
    const { output } = await onA('train', 'ham', writeMaildir(join(directory, 'few'), 'spam', { from: 500, count: 5 }))
    assert.match(output, /5 learned as ham[^]*the model in use was made of another store/)
    assert.match(await score('spam', 9004), UNWANTED)
    // Taught the other way round: the verdict turns with the new store.
    assert.equal((await onA('train', 'ham', join(directory, 'spam'))).code, 0)
    assert.equal((await onA('train', 'spam', join(directory, 'ham'))).code, 0)
    await untilLooked(stage, 'the new store counts', async () => WANTED.test(await score('spam', 9005)))
  })
})
