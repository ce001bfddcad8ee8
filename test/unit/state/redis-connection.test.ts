/** A connection to Redis: where it cannot be had calls fail soon, and the more seldom it is tried; no password in what is said. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readPasswordFile } from '../../../src/delivery/password-file.ts'
import { REDIS_TIMES, RedisConnection, RedisError, redisScript, type RedisContext } from '../../../src/state/redis-connection.ts'
import type { RedisSettings } from '../../../src/state/redis-settings.ts'
import { temporaryDirectory } from '../../support/process.ts'

const SCRIPT = redisScript('return 1')

interface Fake {
  readonly port: number
  /** commands that came, their words */
  readonly commands: string[][]
  readonly connections: () => number
  stop(): Promise<void>
}

/** Answers each command with what `reply` says; undefined: not at all. */
async function fake(t: TestContext, reply: (words: readonly string[]) => string | undefined): Promise<Fake> {
  const commands: string[][] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server: Server = createServer((socket) => {
    connections++
    sockets.add(socket)
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      for (;;) {
        const count = Number(/^\*(\d+)\r\n/.exec(text)?.[1] ?? 0)
        const match = new RegExp(`^\\*\\d+\\r\\n(?:\\$\\d+\\r\\n[^\\r]*\\r\\n){${count}}`).exec(text)
        if (count === 0 || match === null) return
        text = text.slice(match[0].length)
        const words = [...match[0].matchAll(/\$\d+\r\n([^\r]*)\r\n/g)].map(([, word = '']) => word)
        commands.push(words)
        const answer = reply(words)
        if (answer !== undefined) socket.write(answer)
      }
    })
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  t.after(stop)
  return { port: address.port, commands, connections: () => connections, stop }
}

function connect(t: TestContext, port: number, { context, ...changed }: Partial<RedisSettings> & { readonly context?: Partial<RedisContext> } = {}): RedisConnection {
  const settings: RedisSettings = { address: { kind: 'tcp', host: '127.0.0.1', port }, tls: undefined, login: undefined, database: 0, prefix: 'postern', ...changed }
  const redis = new RedisConnection(settings, { readPassword: readPasswordFile, jitter: () => 0, ...context })
  t.after(() => redis.close())
  return redis
}

function password(text: string): string {
  const path = join(temporaryDirectory('redis-password'), 'pw')
  writeFileSync(path, `${text}\n`, { mode: 0o600 })
  return path
}

const rejects = (work: Promise<unknown>, trouble: string, message: RegExp): Promise<void> => assert.rejects(work, (error) => {
  assert.ok(error instanceof RedisError)
  assert.deepEqual([error.trouble, error.cause], [trouble, undefined])
  assert.match(error.message, message)
  return true
})

test('a script is sent whole only where the server does not have it', async (t) => {
  const { port, commands } = await fake(t, ([name]) => (name === 'EVALSHA' ? '-NOSCRIPT No matching script.\r\n' : name === 'EVAL' ? '*2\r\n$2\r\nok\r\n:7\r\n' : '+OK\r\n'))
  const redis = connect(t, port, { database: 3 })
  assert.deepEqual(await redis.run(SCRIPT, ['a'], ['b', Buffer.from([0x63])]), [Buffer.from('ok'), 7])
  assert.deepEqual(commands, [['SELECT', '3'], ['EVALSHA', SCRIPT.sha1, '1', 'a', 'b', 'c'], ['EVAL', 'return 1', '1', 'a', 'b', 'c']])
})

test('after a failure it is not tried again before the pause is over, which grows up to a bound', async (t) => {
  const server = await fake(t, () => undefined)
  const { port } = server
  await server.stop()
  const clock = { nowMs: 0 }
  const redis = connect(t, port, { context: { monotonicMs: () => clock.nowMs, jitter: () => 0.5, times: { ...REDIS_TIMES, pauseMs: 100, longestPauseMs: 1000 } } })
  const refused = new RegExp(`^Redis at 127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`)
  await rejects(redis.run(SCRIPT, [], []), 'unreachable', refused)
  const back = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => back.listen(port, '127.0.0.1', resolve))
  t.after(() => back.close())
  let tried = 0
  back.on('connection', () => tried++)
  const pauses: number[] = []
  for (let round = 0; round < 6; round++) {
    const from = clock.nowMs
    while (tried === pauses.length) {
      clock.nowMs += 25
      await assert.rejects(redis.run(SCRIPT, [], []), RedisError)
    }
    pauses.push(clock.nowMs - from)
  }
  // Three quarters of 100, 200, 400, 800, and of the bound.
  assert.deepEqual(pauses, [75, 150, 300, 600, 750, 750])
})

test('a server that does not reply is left, and a later call connects anew', async (t) => {
  let silent = true
  const { port, connections } = await fake(t, () => (silent ? undefined : ':1\r\n'))
  const clock = { nowMs: 0 }
  const redis = connect(t, port, { context: { monotonicMs: () => clock.nowMs, times: { ...REDIS_TIMES, commandMs: 50 } } })
  await rejects(redis.run(SCRIPT, [], []), 'unreachable', /no reply within 50 ms/)
  silent = false
  clock.nowMs = REDIS_TIMES.pauseMs
  assert.equal(await redis.run(SCRIPT, [], []), 1)
  assert.equal(connections(), 2)
  // It has worked: the next one is made at once.
  silent = true
  await rejects(redis.run(SCRIPT, [], []), 'unreachable', /no reply/)
  silent = false
  assert.equal(await redis.run(SCRIPT, [], []), 1)
  assert.equal(connections(), 3)
})

test('a login that hangs ends too', async (t) => {
  const { port } = await fake(t, ([name]) => (name === 'AUTH' ? undefined : '+OK\r\n'))
  const redis = connect(t, port, { login: { username: 'anna', passwordFile: password('secret') }, context: { times: { ...REDIS_TIMES, connectMs: 50 } } })
  await rejects(redis.run(SCRIPT, [], []), 'unreachable', /no connection within 50 ms/)
})

test('a password that is refused is told from a server that is away, and never shown', async (t) => {
  const { port, commands } = await fake(t, ([name, , given]) => (name === 'AUTH' ? `-WRONGPASS invalid password ${given ?? ''}\r\n` : '+OK\r\n'))
  const redis = connect(t, port, { login: { username: 'anna', passwordFile: password('s3cret') } })
  await rejects(redis.run(SCRIPT, [], []), 'denied', /^Redis at 127\.0\.0\.1:\d+: WRONGPASS invalid password \*\*\*$/)
  assert.deepEqual(commands, [['AUTH', 'anna', 's3cret']])
  const open = password('s3cret')
  writeFileSync(`${open}.loose`, 's3cret\n', { mode: 0o644 })
  await rejects(connect(t, port, { login: { username: undefined, passwordFile: `${open}.loose` } }).run(SCRIPT, [], []), 'denied', /pw\.loose: the password of Redis cannot be used: its permissions 0644/)
})

test('an error of a script leaves the connection; a right that is missing is told as such', async (t) => {
  let answer = '-OOM command not allowed\r\n'
  const { port, connections } = await fake(t, () => answer)
  const redis = connect(t, port)
  await rejects(redis.run(SCRIPT, [], []), 'failed', /OOM command not allowed \(its memory is full: raise its maxmemory\)$/)
  answer = '-NOPERM this user has no permissions to run the \'evalsha\' command\r\n'
  await rejects(redis.run(SCRIPT, [], []), 'denied', /NOPERM/)
  assert.equal(connections(), 1)
})

test('a replica is left, since a name may lead to the primary by now', async (t) => {
  let answer = "-READONLY You can't write against a read only replica.\r\n"
  const { port, connections } = await fake(t, () => answer)
  const redis = connect(t, port)
  await rejects(redis.run(SCRIPT, [], []), 'failed', /READONLY .* \(it is a replica: redis\.address has to be the primary/)
  answer = ':1\r\n'
  assert.equal(await redis.run(SCRIPT, [], []), 1)
  assert.equal(connections(), 2)
})

test('a node of a cluster that has the keys elsewhere, and a Sentinel, are a matter of the configuration', async (t) => {
  for (const answer of ['-MOVED 3723 127.0.0.1:7001\r\n', "-ERR unknown command 'EVALSHA', with args beginning with: 'x'\r\n"]) {
    const { port } = await fake(t, () => answer)
    await rejects(connect(t, port).run(SCRIPT, [], []), 'denied', /redis\.address has to be/)
  }
})

test('what is under way when it is closed rejects, and so does what comes later', async (t) => {
  const { port, commands } = await fake(t, () => undefined)
  const redis = connect(t, port)
  const work = redis.run(SCRIPT, [], [])
  const ended = assert.rejects(work, RedisError)
  while (commands.length === 0) await new Promise(setImmediate)
  redis.close()
  await ended
  await rejects(redis.run(SCRIPT, [], []), 'unreachable', /closed/)
})
