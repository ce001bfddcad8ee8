/**
 * A redis-server of the test's own: on loopback and on a unix socket, in a
 * temporary directory, writing nothing to disk. An Error with its log where it
 * does not listen.
 */
import { join } from 'node:path'
import { REDIS_TIMES, RedisConnection, redisScript, type RedisArgument, type RedisReply } from '../../../src/state/redis-connection.ts'
import type { RedisSettings } from '../../../src/state/redis-settings.ts'
import { readPasswordFile } from '../../../src/delivery/password-file.ts'
import { freePort } from '../ports.ts'
import { start, temporaryDirectory, until, type RunningProcess } from '../process.ts'
import { accepts } from './listening.ts'

export interface RedisServer {
  readonly tcp: { readonly host: string; readonly port: number }
  readonly path: string
  /** without TLS, as nobody in particular */
  readonly settings: RedisSettings
  readonly log: () => string
  /** what a client in the test sees with these settings; closed by the caller */
  connect(settings?: RedisSettings): RedisConnection
  /** a command of the test itself */
  command(...words: readonly RedisArgument[]): Promise<RedisReply>
  signal(name: NodeJS.Signals): void
  /** at once: what it knew is lost */
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

/** @param options lines of its configuration besides; `port 0` among them: it does not listen without TLS but on its socket */
export async function startRedis(options: readonly string[] = []): Promise<RedisServer> {
  const directory = temporaryDirectory('redis')
  const path = join(directory, 'redis.sock')
  const tcp = { host: '127.0.0.1', port: await freePort() }
  const settings: RedisSettings = { address: { kind: 'tcp', ...tcp }, tls: undefined, login: undefined, database: 0, prefix: 'postern' }
  const words = ['--bind', tcp.host, '--port', String(tcp.port), '--unixsocket', path, '--dir', directory, '--save', '', '--appendonly', 'no', '--daemonize', 'no', ...options.flatMap((line) => {
    const [name = '', ...values] = line.split(' ')
    return [`--${name}`, ...values]
  })]
  let running: RunningProcess | undefined
  const log = (): string => running?.output() ?? ''
  const begin = async (): Promise<void> => {
    const started = start(['redis-server', ...words])
    running = started
    await until('redis-server listens', async () => started.hasEnded() || await accepts({ path }), { detail: log })
    if (started.hasEnded()) throw new Error(`redis-server ended:\n${log()}`)
  }
  const kill = async (): Promise<void> => {
    running?.signal('SIGKILL')
    await running?.stop()
  }
  await begin()
  const connect = (own = settings): RedisConnection => new RedisConnection(own, { readPassword: readPasswordFile, times: { ...REDIS_TIMES, connectMs: 2500 } })
  return {
    tcp, path, settings, log, connect, kill, restart: begin, stop: kill, signal: (name) => running?.signal(name),
    command: async (...args) => {
      const redis = connect({ ...settings, address: { kind: 'unix', path } })
      try {
        return await redis.run(redisScript('return redis.call(unpack(ARGV))'), [], args)
      } finally {
        redis.close()
      }
    },
  }
}
