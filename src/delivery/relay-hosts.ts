/**
 * The hosts that do the work of one next hop for one login: tried in their
 * order, each with a pool of its own. A host that cannot be used is left alone
 * for a while, longer each time, and then one transaction tries it again;
 * where all are left alone they are tried all the same, so that a hop of one
 * host is asked each time.
 *
 * To a transaction it is a pool. `acquire` never rejects.
 */
import type { RelayConnection, Refusal } from './relay-connect.ts'
import { BackOff } from './back-off.ts'
import type { Choice, Pool } from './pool.ts'

export interface RelayHost {
  readonly pool: Pool
  /** what the host was told of us, and its certificate's authorities, are read again */
  reload(): Promise<void>
}

/** What a transaction does with connections. */
export type Connections = Pick<Pool, 'acquire' | 'release' | 'rest' | 'resume'>

interface Candidate {
  readonly host: RelayHost
  readonly rest: BackOff
  /** a transaction is finding out whether it is back */
  probed: boolean
}

const REST = { firstMs: 10_000, mostMs: 5 * 60_000 } as const
/** A client waits five minutes for its reply to MAIL (RFC 5321 §4.5.3.2.2): another host is tried only where there is time left. */
const SEARCH_MS = 90_000

export class RelayHosts implements Connections {
  readonly #hosts: readonly Candidate[]
  readonly #now: () => number
  readonly #homes = new WeakMap<RelayConnection, Pool>()

  /** @param hosts one at least, the first is asked first */
  constructor(hosts: readonly RelayHost[], now: () => number) {
    this.#hosts = hosts.map((host) => ({ host, rest: new BackOff(now, REST), probed: false }))
    this.#now = now
  }

  /** Whether `acquire` would not have to wait for another to finish. */
  get hasRoom(): boolean {
    return this.#hosts.some(({ host }) => host.pool.hasRoom)
  }

  async acquire(choice: Choice): Promise<RelayConnection | Refusal> {
    const startedAt = this.#now()
    let last: Refusal | undefined
    for (const candidate of this.#inTurn()) {
      const got = await this.#ask(candidate, choice)
      if (!('refusal' in got) || got.fault === undefined) return got
      last = got
      if (this.#now() - startedAt >= SEARCH_MS) break
    }
    if (last === undefined) throw new Error('a hop has at least one host')
    return last
  }

  release(connection: RelayConnection): void {
    this.#home(connection).release(connection)
  }

  rest(connection: RelayConnection, giveUp: () => void): void {
    this.#home(connection).rest(connection, giveUp)
  }

  resume(connection: RelayConnection): void {
    this.#home(connection).resume(connection)
  }

  tick(): void {
    for (const { host } of this.#hosts) host.pool.tick()
  }

  async reload(): Promise<void> {
    for (const { host, rest } of this.#hosts) {
      rest.clear()
      await host.reload()
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map(({ host }) => host.pool.close()))
  }

  /** Those that are left alone come last. */
  #inTurn(): readonly Candidate[] {
    const alone = this.#hosts.filter(({ rest, probed }) => rest.resting || probed)
    return alone.length === 0 ? this.#hosts : [...this.#hosts.filter((one) => !alone.includes(one)), ...alone]
  }

  async #ask(candidate: Candidate, choice: Choice): Promise<RelayConnection | Refusal> {
    const { host, rest } = candidate
    const probe = rest.failing && !candidate.probed
    if (probe) candidate.probed = true
    const got = await host.pool.acquire(choice)
    if (probe) candidate.probed = false
    if (!('refusal' in got)) {
      rest.clear()
      this.#homes.set(got, host.pool)
    } else if (got.fault !== undefined) rest.failed()
    return got
  }

  #home(connection: RelayConnection): Pool {
    const pool = this.#homes.get(connection)
    if (pool === undefined) throw new Error('a connection of another hop')
    return pool
  }
}
