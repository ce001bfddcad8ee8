/**
 * Answers kept for their time to live, negative ones too (RFC 2308), a day at
 * the most; what goes out has its time counted down. A failure is kept for a
 * few seconds, so that a dead zone is not asked by each message (RFC 2308 §7,
 * RFC 9520 §3.2). One query is in flight per question: whoever asks the same
 * meanwhile waits for the same answer, and gets it even if its time is zero.
 *
 * Bounded by entries and by characters held; what was used last stays longest.
 * A look-up never rejects as long as those of the inner resolver do not.
 */
import { MAX_NEGATIVE_TTL_SECONDS } from './answer.ts'
import { ByUse } from '../state/by-use.ts'
import { normalName } from './name.ts'
import type { Lookup, RecordType, Resolver } from './resolver.ts'

export interface CacheOptions {
  readonly maxEntries: number
  /** of all records together; by default 500 for each entry, which few have */
  readonly maxCharacters?: number
  /** milliseconds on a clock that only goes forward */
  readonly now: () => number
}

export interface CachingResolver extends Resolver {
  /** what is known without asking anybody; counts as a use */
  cached<T extends RecordType>(name: string, type: T): Lookup<T> | undefined
}

const MAX_TTL_SECONDS = 86_400
const FAILURE_MS = 5000
/** what an entry takes besides its records */
const ENTRY_CHARACTERS = 200

interface Entry<T extends RecordType> {
  readonly lookup: Lookup<T>
  readonly untilMs: number
  readonly characters: number
}

export function cachingResolver(inner: Resolver, options: CacheOptions): CachingResolver {
  return new Cache(inner, options)
}

class Cache implements CachingResolver {
  readonly #inner: Resolver
  readonly #options: Required<CacheOptions>
  /** By `TYPE name`. What a key leads to is of that key's type. */
  readonly #entries = new ByUse<Entry<RecordType>>()
  readonly #inFlight = new Map<string, Promise<Lookup<RecordType>>>()
  #characters = 0

  constructor(inner: Resolver, options: CacheOptions) {
    this.#inner = inner
    this.#options = { maxCharacters: options.maxEntries * 500, ...options }
  }

  lookup<T extends RecordType>(name: string, type: T): Promise<Lookup<T>> {
    const normal = normalName(name)
    if (normal === undefined) return Promise.resolve({ status: 'nxdomain', ttlSeconds: MAX_NEGATIVE_TTL_SECONDS, authenticated: false })
    const key = `${type} ${normal}`
    const known = this.#known<T>(key)
    if (known) return Promise.resolve(known)
    const shared = this.#inFlight.get(key) as Promise<Lookup<T>> | undefined
    if (shared) return shared
    const asked = this.#ask(key, () => this.#inner.lookup(normal, type))
    this.#inFlight.set(key, asked)
    return asked
  }

  cached<T extends RecordType>(name: string, type: T): Lookup<T> | undefined {
    const normal = normalName(name)
    return normal === undefined ? undefined : this.#known(`${type} ${normal}`)
  }

  #known<T extends RecordType>(key: string): Lookup<T> | undefined {
    const entry = this.#entries.use(key) as Entry<T> | undefined
    if (entry === undefined) return undefined
    const leftMs = entry.untilMs - this.#options.now()
    if (leftMs <= 0) {
      this.#drop(key)
      return undefined
    }
    const { lookup } = entry
    return 'cause' in lookup ? lookup : { ...lookup, ttlSeconds: Math.floor(leftMs / 1000) }
  }

  async #ask<T extends RecordType>(key: string, ask: () => Promise<Lookup<T>>): Promise<Lookup<T>> {
    try {
      const found = await ask()
      const lookup: Lookup<T> = 'cause' in found ? found : { ...found, ttlSeconds: Math.min(Math.max(found.ttlSeconds, 0), MAX_TTL_SECONDS) }
      // What was not asked is not known either.
      const keepMs = !('cause' in lookup) ? lookup.ttlSeconds * 1000 : lookup.ours === true ? 0 : FAILURE_MS
      if (keepMs > 0) this.#keep(key, { lookup, untilMs: this.#options.now() + keepMs, characters: key.length + charactersOf(lookup) })
      return lookup
    } finally {
      this.#inFlight.delete(key)
    }
  }

  #keep<T extends RecordType>(key: string, entry: Entry<T>): void {
    const { maxEntries, maxCharacters } = this.#options
    this.#drop(key)
    this.#entries.set(key, entry)
    this.#characters += entry.characters
    for (;;) {
      const { oldest } = this.#entries
      if (oldest === undefined || (this.#entries.size <= maxEntries && this.#characters <= maxCharacters)) return
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    this.#characters -= this.#entries.get(key)?.characters ?? 0
    this.#entries.delete(key)
  }
}

function charactersOf(lookup: Lookup<RecordType>): number {
  if (lookup.status !== 'records') return ENTRY_CHARACTERS
  let sum = ENTRY_CHARACTERS
  for (const record of lookup.records) {
    if (typeof record === 'string') sum += record.length
    else if ('exchange' in record) sum += record.exchange.length
    else for (const text of record) sum += text.length
  }
  return sum
}
