/**
 * A next hop that speaks SMTP or LMTP, over TCP or a unix socket, with or
 * without TLS: the NextHop of `smtp:` and `lmtp:` in the configuration.
 *
 * `createRelayHop` opens nothing; the first transaction, or the first who asks
 * for the capabilities, does. Nothing here rejects: a hop that is down is a 4xx
 * for the client and a warning in the log, and the next transaction tries anew.
 */
import type { Socket } from 'node:net'
import type { RelaySettings, SocketAddress } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import type { Capabilities } from '../smtp/capabilities.ts'
import { CapabilityCache } from './capability-cache.ts'
import type { ClientFacts, NextHop, Transaction } from './next-hop.ts'
import { Pool } from './pool.ts'
import { SYSTEM_CLOCK, type Clock } from './relay-clock.ts'
import { Connector, connectTo } from './relay-connect.ts'
import { RelayTransaction } from './relay-transaction.ts'

export interface RelayHopContext {
  /** what we say in EHLO */
  readonly hostname: string
  readonly log: Log
  readonly clock?: Clock
  readonly connect?: (address: SocketAddress) => Socket
}

/** No client waits longer for its EHLO reply because a hop is silent. */
const ASK_MS = 3000
/** How often waits are compared with the clock: a time-out may come this much late. */
const TICK_MS = 500

export function createRelayHop(settings: RelaySettings, context: RelayHopContext): NextHop {
  return new RelayHop(settings, context)
}

class RelayHop implements NextHop {
  readonly name: string
  readonly kind: 'smtp' | 'lmtp'
  #settings: RelaySettings
  #context: RelayHopContext
  #pool: Pool
  #cache: CapabilityCache
  /** since when the hop is being asked what it can do; undefined: it is not */
  #askedAt: number | undefined
  #curious: ((known: Capabilities | undefined) => void)[] = []
  #now: () => number
  #stopTicking: () => void

  constructor(settings: RelaySettings, context: RelayHopContext) {
    const clock = context.clock ?? SYSTEM_CLOCK
    const now = () => clock.now()
    const connector = new Connector(settings, { hostname: context.hostname, log: context.log, clock, connect: context.connect ?? connectTo })
    this.name = settings.name
    this.kind = settings.kind
    this.#settings = settings
    this.#context = context
    this.#now = now
    this.#cache = new CapabilityCache(now)
    this.#pool = new Pool({
      name: settings.name,
      log: context.log,
      now,
      connections: settings.connections,
      idleMs: settings.idleMs,
      maxAgeMs: settings.maxAgeMs,
      waitMs: settings.timeouts.connectMs,
      open: async (watch) => {
        const got = await connector.open(watch)
        if ('refusal' in got) this.#cache.failed()
        else this.#cache.learned(got.capabilities)
        return got
      },
    })
    this.#stopTicking = clock.every(TICK_MS, () => this.#tick())
  }

  capabilities(): Promise<Capabilities | undefined> {
    const known = this.#cache.known
    // A hop that is busy is not made to wait for: what it said before will do.
    if (known && (this.#cache.fresh || !this.#pool.hasRoom)) return Promise.resolve(known)
    if (this.#askedAt === undefined) {
      if (!this.#cache.mayAsk) return Promise.resolve(known)
      this.#askedAt = this.#now()
      void this.#ask()
    } else if (this.#now() - this.#askedAt >= ASK_MS) return Promise.resolve(known)
    return new Promise((resolve) => this.#curious.push(resolve))
  }

  begin(client: ClientFacts): Transaction {
    return new RelayTransaction({ settings: this.#settings, hostname: this.#context.hostname, log: this.#context.log, pool: this.#pool }, client)
  }

  async close(): Promise<void> {
    await this.#pool.close()
    this.#stopTicking()
  }

  async #ask(): Promise<void> {
    const got = await this.#pool.acquire('fresh')
    this.#askedAt = undefined
    if (!('refusal' in got)) this.#pool.release(got)
    this.#tell()
  }

  #tick(): void {
    this.#pool.tick()
    if (this.#askedAt !== undefined && this.#now() - this.#askedAt >= ASK_MS) this.#tell()
  }

  #tell(): void {
    const curious = this.#curious
    this.#curious = []
    for (const resolve of curious) resolve(this.#cache.known)
  }
}
