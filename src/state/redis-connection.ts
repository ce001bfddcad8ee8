/**
 * A connection to Redis (6 or later) or Valkey, of which the rest of Postern
 * knows only that scripts run there. It is made when it is first needed and made
 * anew where it was lost; nothing waits in a queue for a server that is away.
 * After a failure further calls fail at once until a pause is over, which grows
 * with each failure up to a bound.
 *
 * `run` rejects with a RedisError, whose text names the server and the cause and
 * holds no password. The client library is loaded with the first connection:
 * whoever has no Redis does not pay for it.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { adviceOn, isWrongServer } from './redis-advice.ts'
import { redisName, type RedisSettings } from './redis-settings.ts'

export type RedisArgument = string | Buffer
export type RedisReply = null | number | string | Buffer | readonly RedisReply[]

export interface RedisScript {
  readonly source: string
  readonly sha1: string
}

export interface Redis {
  /** Runs a script, whose text is sent only where the server does not have it. */
  run(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<RedisReply>
  /** What is under way rejects. */
  close(): void
}

/** `unreachable`: try again later; `denied`: who we are or what we may do is not right there; `failed`: it could not do this. */
export type RedisTrouble = 'unreachable' | 'denied' | 'failed'

export class RedisError extends Error {
  readonly trouble: RedisTrouble

  constructor(trouble: RedisTrouble, message: string) {
    super(message)
    this.name = 'RedisError'
    this.trouble = trouble
  }
}

export interface RedisTimes {
  /** for the connection, TLS and logging in, together */
  readonly connectMs: number
  readonly commandMs: number
  /** after the first failure; twice as long after each further one */
  readonly pauseMs: number
  readonly longestPauseMs: number
}

export const REDIS_TIMES: RedisTimes = { connectMs: 5000, commandMs: 10_000, pauseMs: 500, longestPauseMs: 30_000 }

export interface RedisContext {
  readonly readPassword: (path: string) => Promise<{ readonly status: 'ok'; readonly password: string } | { readonly status: 'unusable'; readonly problem: string }>
  readonly times?: RedisTimes
  /** from 0 to 1; how much a pause is shortened, up to its half, so that many machines do not come at once */
  readonly jitter?: () => number
  readonly monotonicMs?: () => number
}

/** What of the library is used. */
interface Client {
  connect(): Promise<unknown>
  sendCommand(args: readonly RedisArgument[]): Promise<unknown>
  destroy(): void
  on(event: 'error', listener: (error: Error) => void): unknown
}

export function redisScript(source: string): RedisScript {
  return { source, sha1: createHash('sha1').update(source).digest('hex') }
}

export class RedisConnection implements Redis {
  readonly #settings: RedisSettings
  readonly #context: RedisContext
  readonly #times: RedisTimes
  #client: Client | undefined
  #connecting: Promise<Client> | undefined
  #password = ''
  #proven = false
  #failures = 0
  #notBefore = -Infinity
  #lastFailure: RedisError | undefined
  #closed = false

  constructor(settings: RedisSettings, context: RedisContext) {
    this.#settings = settings
    this.#context = context
    this.#times = context.times ?? REDIS_TIMES
  }

  async run({ source, sha1 }: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<RedisReply> {
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return await this.#send(['EVALSHA', sha1, ...rest])
    } catch (error) {
      if (!(error instanceof RedisError && error.message.includes('NOSCRIPT'))) throw error
      return await this.#send(['EVAL', source, ...rest])
    }
  }

  close(): void {
    this.#closed = true
    this.#drop(this.#client)
  }

  async #send(command: readonly RedisArgument[]): Promise<RedisReply> {
    const client = this.#client ?? await this.#connected()
    try {
      const reply = await within(client.sendCommand(command), { ms: this.#times.commandMs, what: 'no reply' }) as RedisReply
      this.#works()
      return reply
    } catch (error) {
      // An error that Redis replied leaves the connection as it was.
      if (!(error instanceof Error && /^[A-Z][A-Z0-9]{2,} /.test(error.message))) {
        this.#drop(client)
        // One that has worked is made anew at once.
        throw this.#proven ? this.#errorOf(error, 'unreachable') : this.#failed(error)
      }
      this.#works()
      // A name may lead to the primary by now, and this connection stays where it is.
      if (/^(?:READONLY|MASTERDOWN) /.test(error.message)) this.#drop(client)
      throw this.#errorOf(error, isDenied(error.message) || isWrongServer(error.message) ? 'denied' : 'failed')
    }
  }

  /** One attempt at a time, for all who wait. */
  #connected(): Promise<Client> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #connect(): Promise<Client> {
    if (this.isClosed()) throw this.#errorOf(new Error('the connection was closed'), 'unreachable')
    if (this.#lastFailure !== undefined && this.#now() < this.#notBefore) throw this.#lastFailure
    let client: Client | undefined
    try {
      client = await this.#create()
      await within(client.connect(), { ms: this.#times.connectMs, what: 'no connection' })
      if (this.isClosed()) throw new Error('the connection was closed')
    } catch (error) {
      this.#drop(client)
      throw this.#failed(error)
    }
    this.#client = client
    this.#proven = false
    return client
  }

  /** Whoever takes connections and never answers does not. */
  #works(): void {
    this.#proven = true
    this.#failures = 0
    this.#lastFailure = undefined
  }

  async #create(): Promise<Client> {
    const { tls, login, database } = this.#settings
    this.#password = login === undefined ? '' : await this.#passwordOf(login.passwordFile)
    const { createClient, RESP_TYPES } = await import('@redis/client')
    const ca = tls?.ca === undefined ? {} : { ca: await readFile(tls.ca) }
    const client = createClient({
      socket: { ...this.#place(), ...(tls !== undefined && { tls: true as const, ...ca }), connectTimeout: this.#times.connectMs, reconnectStrategy: false },
      // The older protocol has all that is needed, and asks for no right to HELLO.
      RESP: 2, database, disableOfflineQueue: true, disableClientInfo: true, maintNotifications: 'disabled',
      commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
      ...(login?.username !== undefined && { username: login.username }),
      ...(login !== undefined && { password: this.#password }),
    }) as unknown as Client
    // What waits for a reply is rejected besides; without a listener the process would end.
    client.on('error', () => this.#drop(client))
    return client
  }

  #place(): { readonly host: string; readonly port: number } | { readonly path: string; readonly tls: false } {
    const { address } = this.#settings
    return address.kind === 'unix' ? { path: address.path, tls: false } : { host: address.host, port: address.port }
  }

  async #passwordOf(path: string): Promise<string> {
    const read = await this.#context.readPassword(path)
    if (read.status === 'ok') return read.password
    throw new RedisError('denied', `${path}: the password of Redis cannot be used: ${read.problem}`)
  }

  #failed(error: unknown): RedisError {
    const { pauseMs, longestPauseMs } = this.#times
    const pause = Math.min(longestPauseMs, pauseMs * 2 ** Math.min(this.#failures, 30))
    this.#failures++
    this.#notBefore = this.#now() + pause * (1 - (this.#context.jitter ?? Math.random)() / 2)
    this.#lastFailure = error instanceof RedisError ? error : this.#errorOf(error, deniedOrAway(error))
    return this.#lastFailure
  }

  #drop(client: Client | undefined): void {
    if (client === this.#client) this.#client = undefined
    try {
      client?.destroy()
    } catch (error) {
      // It says so where it was closed before.
      if (!(error instanceof Error && error.name === 'ClientClosedError')) throw error
    }
  }

  #errorOf(error: unknown, trouble: RedisTrouble): RedisError {
    const cause = causeOf(error)
    const text = this.#password === '' ? cause : cause.replaceAll(this.#password, '***')
    const advice = adviceOn(cause)
    return new RedisError(trouble, `Redis at ${redisName(this.#settings)}: ${text}${advice === undefined ? '' : ` (${advice})`}`)
  }

  /** It may become so while something is awaited. */
  private isClosed(): boolean {
    return this.#closed
  }

  #now(): number {
    return (this.#context.monotonicMs ?? (() => performance.now()))()
  }
}

function isDenied(text: string): boolean {
  return /^(?:NOAUTH|WRONGPASS|NOPERM) /.test(text)
}

function deniedOrAway(error: unknown): RedisTrouble {
  return error instanceof Error && /^(?:NOAUTH|WRONGPASS|NOPERM|ERR (?:AUTH|invalid password|DB index|Client sent AUTH))/.test(error.message) ? 'denied' : 'unreachable'
}

/** The addresses of a name that all failed say why one by one. */
function causeOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(causeOf))].join('; ')
  return error instanceof Error ? error.message || error.name : String(error)
}

async function within<T>(work: Promise<T>, { ms, what }: { readonly ms: number; readonly what: string }): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
