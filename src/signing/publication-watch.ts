/**
 * What the DNS was last seen to say of each key. A key is asked about when it
 * is first known and then every hour; every two minutes while its record is
 * not right, and every half minute while it could not be asked for; and after a
 * reload where it is not right. A DNS that does not answer changes nothing about
 * what was seen before.
 *
 * A right record that is not right any more is asked for a second time before
 * that counts: one name server that is behind, or a slip in a zone, would hold
 * up the mail of a domain otherwise. The second look waits until no cache has
 * the first answer any more, since it would only say the same again.
 *
 * A change is logged once. No timers: `tick` is called by whoever has the
 * clock. Bounds: keys that were found by messages (a table with `%`), and
 * look-ups at once.
 */
import type { Resolver } from '../dns/resolver.ts'
import type { Log } from '../observe/log.ts'
import { recordName } from './key-record.ts'
import { describePublished, lookUpPublished, type Published } from './published.ts'
import type { SigningKey } from './signing-key.ts'

export interface WatchContext {
  readonly resolver: Resolver
  readonly log: Log
  /** milliseconds on a clock that only goes forward */
  readonly now: () => number
  /** 0 … 1: so that the keys of many workers are not asked for all at once */
  readonly random?: () => number
}

type Seen = Exclude<Published, { status: 'temperror' }>

/** Whether receivers can verify what the key signs, as far as is known. */
export type Standing = 'right' | 'wrong' | 'unknown'

interface Watched {
  readonly key: SigningKey
  seen: Seen | undefined
  /** it was right, and the last answer says that it is not: that is asked again */
  doubted: boolean
  /** why it could not be asked for, the last time */
  cause: string | undefined
  nextMs: number
  asking: boolean
}

const RIGHT_MS = 3_600_000
const WRONG_MS = 120_000
const FAILED_MS = 30_000
/** Until the second look at a record that was right; the answer's time to live in between. */
const SOONEST_AGAIN_MS = 10_000
const LATEST_AGAIN_MS = RIGHT_MS
/** Part of a wait by which it may be longer. */
const SPREAD = 0.1
const MAX_AT_ONCE = 8
const MAX_FOUND = 10_000

export class PublicationWatch {
  readonly #context: WatchContext
  #watched = new Map<string, Watched>()
  #asking = 0
  #closed = false
  #whenAsked: (() => void)[] = []

  constructor(context: WatchContext) {
    this.#context = context
  }

  /**
   * From now on these, and those that messages lead to; what is known of them stays known. One that is not right is
   * asked about at once: whoever has just published its record says so by a reload.
   */
  keep(keys: readonly SigningKey[]): void {
    const now = this.#context.now()
    this.#watched = new Map(keys.map((key) => [idOf(key), this.#watched.get(idOf(key)) ?? fresh(key, now)]))
    for (const watched of this.#watched.values()) if (watched.seen?.status !== 'matches') watched.nextMs = now
  }

  standing(key: SigningKey): Standing {
    const id = idOf(key)
    const watched = this.#watched.get(id)
    if (watched === undefined) {
      if (this.#watched.size < MAX_FOUND) this.#watched.set(id, fresh(key, this.#context.now()))
      return 'unknown'
    }
    if (watched.seen === undefined) return 'unknown'
    return watched.seen.status === 'matches' ? 'right' : 'wrong'
  }

  /** Why a key is not known to be right. */
  describe(key: SigningKey): string {
    const watched = this.#watched.get(idOf(key))
    if (watched?.seen !== undefined) return describePublished(key, watched.seen)
    return watched?.cause === undefined ? `${recordName(key)} has not been asked for yet` : describePublished(key, { status: 'temperror', cause: watched.cause })
  }

  /** Asks about those that are due. */
  tick(): void {
    const now = this.#context.now()
    for (const watched of this.#watched.values()) {
      if (this.#asking >= MAX_AT_ONCE || this.#closed) return
      if (!watched.asking && watched.nextMs <= now) void this.#ask(watched)
    }
  }

  /** Resolves when no look-up is under way. */
  idle(): Promise<void> {
    return this.#asking === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenAsked.push(resolve))
  }

  /** Asks about all that nothing is known of; resolves when there is an answer, or none, for each. */
  async askUnknown(): Promise<void> {
    const due = (): boolean => [...this.#watched.values()].some((one) => one.seen === undefined && one.cause === undefined)
    while (!this.#closed && due()) {
      this.tick()
      await this.idle()
    }
  }

  close(): void {
    this.#closed = true
  }

  async #ask(watched: Watched): Promise<void> {
    this.#asking++
    watched.asking = true
    const { published, ttlSeconds } = await lookUpPublished(watched.key, this.#context.resolver)
    watched.asking = false
    this.#asking--
    if (!this.#closed) this.#note(watched, published, ttlSeconds)
    if (this.#asking === 0) for (const done of this.#whenAsked.splice(0)) done()
  }

  #note(watched: Watched, published: Published, ttlSeconds: number): void {
    const { domain, selector } = watched.key
    if (published.status === 'temperror') {
      this.#askIn(watched, FAILED_MS)
      this.#noteSilence(watched, published.cause)
      return
    }
    watched.cause = undefined
    if (published.status !== 'matches' && watched.seen?.status === 'matches' && !watched.doubted) {
      watched.doubted = true
      // Caches count in whole seconds.
      this.#askIn(watched, Math.min(Math.max((ttlSeconds + 1) * 1000, SOONEST_AGAIN_MS), LATEST_AGAIN_MS))
      this.#context.log.debug({ domain, selector, published: published.status }, 'DKIM record of a key is not right any more; it is asked for again before that counts')
      return
    }
    this.#askIn(watched, published.status === 'matches' ? RIGHT_MS : WRONG_MS)
    const before = watched.seen
    watched.seen = published
    watched.doubted = false
    if (before === undefined || !sameAs(before, published)) this.#tell(watched.key, published, before)
  }

  #askIn(watched: Watched, ms: number): void {
    const { now, random = Math.random } = this.#context
    watched.nextMs = now() + ms * (1 + SPREAD * random())
  }

  /** What was seen before still holds; of a key that nothing is known of it is told once. */
  #noteSilence(watched: Watched, cause: string): void {
    const { log } = this.#context
    const { domain, selector } = watched.key
    if (watched.seen === undefined && watched.cause === undefined) log.warn({ domain, selector, cause }, 'DKIM record of a key could not be asked for yet')
    else log.debug({ domain, selector, cause }, 'DKIM record of a key could not be asked for')
    watched.cause = cause
  }

  #tell(key: SigningKey, published: Seen, before: Seen | undefined): void {
    const { log } = this.#context
    const { domain, selector } = key
    if (published.status !== 'matches') log.warn({ domain, selector, published: published.status, cause: describePublished(key, published) }, 'DKIM key is not published as it signs')
    else if (published.testing) log.warn({ domain, selector, published: published.status, cause: describePublished(key, published) }, 'DKIM key is published as being tested')
    else if (before !== undefined) log.info({ domain, selector, published: published.status }, 'DKIM key is published as it signs again')
    else log.debug({ domain, selector, published: published.status }, 'DKIM key is published')
  }
}

function fresh(key: SigningKey, nowMs: number): Watched {
  return { key, seen: undefined, doubted: false, cause: undefined, nextMs: nowMs, asking: false }
}

function idOf(key: SigningKey): string {
  return `${recordName(key)} ${key.publicData}`
}

function sameAs(a: Seen, b: Seen): boolean {
  if (a.status === 'matches') return b.status === 'matches' && a.testing === b.testing
  return a.status === b.status && (a.status !== 'unusable' || b.status !== 'unusable' || a.why === b.why)
}
