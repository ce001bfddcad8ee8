/**
 * The servers and how they are: one that was silent lately is asked last. After
 * half a minute a single look-up tries it first again, so that a server that
 * stays down costs that one look-up its time-out, not all of them.
 */
import type { Log } from '../observe/log.ts'
import type { Clock } from './clock.ts'
import { nameServer, type ServerAddress } from './exchange.ts'

export interface Server {
  readonly address: ServerAddress
  readonly name: string
  /** messages that were answers, whatever they said */
  answers: number
  /** it refuses queries with EDNS */
  plain: boolean
  /** until when it is asked last; undefined: it is well */
  silentUntilMs: number | undefined
  probing: boolean
}

const SILENCE_MS = 30_000

export class Servers {
  readonly all: readonly Server[]
  readonly #clock: Clock
  readonly #log: Log

  constructor(addresses: readonly ServerAddress[], clock: Clock, log: Log) {
    this.all = addresses.map((address) => ({ address, name: nameServer(address), answers: 0, plain: false, silentUntilMs: undefined, probing: false }))
    this.#clock = clock
    this.#log = log
  }

  /** In the order in which to ask: as configured, then those that were silent, the one silent for the longest first. */
  inOrder(): Server[] {
    const now = this.#clock.nowMs()
    const back = this.all.find(({ silentUntilMs }) => silentUntilMs !== undefined && silentUntilMs <= now)
    const rank = (server: Server): number => (server === back ? -Infinity : (server.silentUntilMs ?? 0))
    const order = [...this.all].sort((a, b) => rank(a) - rank(b))
    if (back) back.silentUntilMs = now + SILENCE_MS
    return order
  }

  answered(server: Server): void {
    server.answers++
    if (server.silentUntilMs === undefined) return
    server.silentUntilMs = undefined
    this.#log.info({ server: server.name }, 'DNS server answers again')
  }

  wasSilent(server: Server, cause: string): void {
    if (server.silentUntilMs === undefined) this.#log.warn({ server: server.name, cause }, 'DNS server does not answer')
    server.silentUntilMs = this.#clock.nowMs() + SILENCE_MS
  }
}
