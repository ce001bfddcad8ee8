/**
 * The hosts that do the work of one next hop for one login: tried in their
 * order, each with a pool of its own. A host that cannot be used is left alone
 * for a while, longer each time, and then one transaction tries it again;
 * where all are left alone they are tried all the same, so that a hop of one
 * host is asked each time. A host can be used once it has answered MAIL: there
 * are those that let us in, and then leave or want another login.
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

/** The hosts that one MAIL need not ask again, and since when it looks for one. */
export interface Search {
  readonly failed: Set<Candidate>
  startedAt: number | undefined
}

/** What a transaction does with connections. */
export interface Connections extends Pick<Pool, 'release' | 'rest' | 'resume'> {
  acquire(choice: Choice, search: Search): Promise<RelayConnection | Refusal>
  /** The host has given its word on MAIL, whatever it was. */
  worked(connection: RelayConnection): void
  /** The host has let us in, and takes no MAIL. Returns whether there is another to ask, and time for it. */
  failed(connection: RelayConnection, search: Search): boolean
}

interface Candidate {
  readonly host: RelayHost
  readonly rest: BackOff
  /** the connection by which a transaction is finding out whether it is back */
  probe: RelayConnection | 'opening' | undefined
}

const REST = { firstMs: 10_000, mostMs: 5 * 60_000 } as const
/** A client waits five minutes for its reply to MAIL (RFC 5321 §4.5.3.2.2): another host is tried only where there is time left. */
const SEARCH_MS = 90_000

export class RelayHosts implements Connections {
  readonly #hosts: readonly Candidate[]
  readonly #now: () => number
  readonly #homes = new WeakMap<RelayConnection, Candidate>()

  /** @param hosts one at least, the first is asked first */
  constructor(hosts: readonly RelayHost[], now: () => number) {
    this.#hosts = hosts.map((host) => ({ host, rest: new BackOff(now, REST), probe: undefined }))
    this.#now = now
  }

  /** Whether `acquire` would not have to wait for another to finish. */
  get hasRoom(): boolean {
    return this.#hosts.some(({ host }) => host.pool.hasRoom)
  }

  async acquire(choice: Choice, search = newSearch()): Promise<RelayConnection | Refusal> {
    search.startedAt ??= this.#now()
    let last: Refusal | undefined
    for (const candidate of this.#inTurn()) {
      if (search.failed.has(candidate)) continue
      const got = await this.#ask(candidate, choice)
      if (!('refusal' in got) || got.fault === undefined) return got
      last = got
      search.failed.add(candidate)
      if (!this.#hasTime(search)) break
    }
    if (last === undefined) throw new Error('a search that is over goes on')
    return last
  }

  worked(connection: RelayConnection): void {
    const candidate = this.#home(connection)
    endProbe(candidate, connection)
    candidate.rest.clear()
  }

  failed(connection: RelayConnection, search: Search): boolean {
    const candidate = this.#home(connection)
    endProbe(candidate, connection)
    candidate.rest.failed()
    search.failed.add(candidate)
    return this.#hasTime(search) && this.#hosts.some((one) => !search.failed.has(one))
  }

  release(connection: RelayConnection): void {
    const candidate = this.#home(connection)
    endProbe(candidate, connection)
    candidate.host.pool.release(connection)
  }

  rest(connection: RelayConnection, giveUp: () => void): void {
    this.#home(connection).host.pool.rest(connection, giveUp)
  }

  resume(connection: RelayConnection): void {
    this.#home(connection).host.pool.resume(connection)
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
    const alone = this.#hosts.filter(({ rest, probe }) => rest.resting || probe !== undefined)
    return alone.length === 0 ? this.#hosts : [...this.#hosts.filter((one) => !alone.includes(one)), ...alone]
  }

  async #ask(candidate: Candidate, choice: Choice): Promise<RelayConnection | Refusal> {
    const { host, rest } = candidate
    const probes = rest.failing && candidate.probe === undefined
    if (probes) candidate.probe = 'opening'
    const got = await host.pool.acquire(choice)
    if (probes) candidate.probe = 'refusal' in got ? undefined : got
    if (!('refusal' in got)) this.#homes.set(got, candidate)
    else if (got.fault !== undefined) rest.failed()
    return got
  }

  #hasTime({ startedAt }: Search): boolean {
    return startedAt === undefined || this.#now() - startedAt < SEARCH_MS
  }

  #home(connection: RelayConnection): Candidate {
    const candidate = this.#homes.get(connection)
    if (candidate === undefined) throw new Error('a connection of another hop')
    return candidate
  }
}

export function newSearch(): Search {
  return { failed: new Set(), startedAt: undefined }
}

function endProbe(candidate: Candidate, connection: RelayConnection): void {
  if (candidate.probe === connection) candidate.probe = undefined
}
