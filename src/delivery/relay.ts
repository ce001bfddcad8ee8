/**
 * A next hop that speaks SMTP or LMTP, over TCP or a unix socket, with or
 * without TLS and a login, on one host or several: the NextHop of `smtp:` and
 * `lmtp:` in the configuration.
 *
 * `createRelayHop` opens nothing; the first transaction, or the first who asks
 * for the capabilities, does. Nothing here rejects: a hop that is down is a 4xx
 * for the client and a warning in the log, and the next transaction tries anew.
 */
import type { Socket } from 'node:net'
import type { HopLogin, RelaySettings, SocketAddress } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import type { Capabilities } from '../smtp/capabilities.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'
import { CapabilityCache } from './capability-cache.ts'
import type { ClientFacts, NextHop, Transaction } from './next-hop.ts'
import { Pool } from './pool.ts'
import { SYSTEM_CLOCK, type Clock } from './relay-clock.ts'
import { Connector, type HostSettings } from './relay-connect.ts'
import { RelayHosts, type RelayHost } from './relay-hosts.ts'
import { connectTo } from './relay-socket.ts'
import { RelayTransaction } from './relay-transaction.ts'
import { SenderLogins } from './sender-logins.ts'

export interface RelayHopContext {
  /** what we say in EHLO */
  readonly hostname: string
  readonly log: Log
  readonly clock?: Clock
  readonly connect?: (address: SocketAddress, avoid: ReadonlySet<string>) => Socket
}

/** No client waits longer for its EHLO reply because a hop is silent. */
const ASK_MS = 3000
/** How often waits are compared with the clock: a time-out may come this much late. */
const TICK_MS = 500

/** A next hop that can be told that files have changed. */
export interface RelayNextHop extends NextHop {
  /** Reads passwords and authorities anew, and tries at once what it had left alone. Never rejects. */
  reload(): Promise<void>
}

export function createRelayHop(settings: RelaySettings, context: RelayHopContext): RelayNextHop {
  return new RelayHop(settings, context)
}

class RelayHop implements RelayNextHop {
  readonly name: string
  readonly kind: 'smtp' | 'lmtp'
  #settings: RelaySettings
  #context: RelayHopContext
  #clock: Clock
  /** of the hop's own login, by which its capabilities are asked */
  #hosts: RelayHosts
  #bySender: SenderLogins<RelayHosts>
  /** the same and those of the senders, each once */
  #all: readonly RelayHosts[]
  #cache: CapabilityCache
  /** since when the hop is being asked what it can do; undefined: it is not */
  #askedAt: number | undefined
  #curious: ((known: Capabilities | undefined) => void)[] = []
  #now: () => number
  #stopTicking: () => void

  constructor(settings: RelaySettings, context: RelayHopContext) {
    const clock = context.clock ?? SYSTEM_CLOCK
    this.name = settings.name
    this.kind = settings.kind
    this.#settings = settings
    this.#context = context
    this.#clock = clock
    this.#now = () => clock.now()
    this.#cache = new CapabilityCache(this.#now)
    const made = new Map<string, RelayHosts>()
    const hostsOf = (addresses: readonly SocketAddress[], login: HopLogin | undefined): RelayHosts => {
      const key = JSON.stringify([addresses, login?.user, login?.passwordFile])
      const found = made.get(key) ?? new RelayHosts(addresses.map((address) => this.#makeHost({ address, login, replaceable: addresses.length > 1 })), this.#now)
      made.set(key, found)
      return found
    }
    const addresses = settings.addresses ?? [settings.address]
    this.#hosts = hostsOf(addresses, settings.login)
    this.#bySender = new SenderLogins((settings.senderLogins ?? []).map((one) => [one.sender, hostsOf(one.addresses ?? addresses, one)]), this.#hosts)
    this.#all = [...made.values()]
    this.#stopTicking = clock.every(TICK_MS, () => this.#tick())
  }

  /** A host with its connections: one pool for each host and login. */
  #makeHost(host: HostSettings): RelayHost {
    const [settings, context] = [this.#settings, this.#context]
    const known = (settings.addresses ?? [settings.address]).includes(host.address)
    const connector = new Connector(settings, host, { hostname: context.hostname, log: context.log, clock: this.#clock, connect: context.connect ?? connectTo })
    const pool = new Pool({
      name: settings.name,
      log: context.log,
      now: this.#now,
      connections: settings.connections,
      idleMs: settings.idleMs,
      maxAgeMs: settings.maxAgeMs,
      waitMs: settings.timeouts.connectMs,
      open: async (watch) => {
        const got = await connector.open(watch)
        // A sender's own host may be another kind of server: what it can do is looked up on its connections.
        if (!known) return got
        if ('refusal' in got) this.#cache.failed()
        else this.#cache.learned(got.capabilities)
        return got
      },
    })
    return { pool, reload: () => connector.reload() }
  }

  capabilities(): Promise<Capabilities | undefined> {
    const known = this.#cache.known
    // A hop that is busy is not made to wait for: what it said before will do.
    if (known && (this.#cache.fresh || !this.#hosts.hasRoom)) return Promise.resolve(known)
    if (this.#askedAt === undefined) {
      if (!this.#cache.mayAsk) return Promise.resolve(known)
      this.#askedAt = this.#now()
      void this.#ask()
    } else if (this.#now() - this.#askedAt >= ASK_MS) return Promise.resolve(known)
    return new Promise((resolve) => this.#curious.push(resolve))
  }

  begin(client: ClientFacts): Transaction {
    const connections = (sender: EnvelopePath): RelayHosts => this.#bySender.of(sender)
    return new RelayTransaction({ settings: this.#settings, hostname: this.#context.hostname, log: this.#context.log, connections }, client)
  }

  async reload(): Promise<void> {
    for (const hosts of this.#all) await hosts.reload()
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((hosts) => hosts.close()))
    this.#stopTicking()
  }

  async #ask(): Promise<void> {
    const got = await this.#hosts.acquire('fresh')
    this.#askedAt = undefined
    if (!('refusal' in got)) this.#hosts.release(got)
    this.#tell()
  }

  #tick(): void {
    for (const hosts of this.#all) hosts.tick()
    if (this.#askedAt !== undefined && this.#now() - this.#askedAt >= ASK_MS) this.#tell()
  }

  #tell(): void {
    const curious = this.#curious
    this.#curious = []
    for (const resolve of curious) resolve(this.#cache.known)
  }
}
