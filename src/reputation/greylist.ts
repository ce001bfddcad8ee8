/**
 * Greylisting (RFC 6647): a suspicious client is asked to come back later, once.
 * Whom to ask is not decided here; this says whether they have come back.
 *
 * What has to come back is the same pool, sender domain and recipient: the
 * recipient, so that a robot that goes through its list of recipients has not
 * come back by that. What is remembered of one that did is the pool and sender
 * domain: a pool that retries for one recipient retries for all. The sender's
 * local part is in neither, because it changes with each message of many lists.
 *
 * A pool is what retries may come from: the organizational domain of the
 * client's confirmed name, because large senders retry from any of their
 * networks; or the network (/24, /64) where there is no such name, or where the
 * name is one of a provider's pool, whose customers are strangers to each other.
 *
 * `deferred`: to be asked to come back; coming too early changes nothing, and
 * coming after the window begins anew. `passed`: it has come back now. `known`:
 * it did before. `unavailable`: the store cannot say, and nobody is asked to
 * come back for that. Nothing throws. Records hold three numbers under a key of
 * at most 850 characters.
 */
import { causeText, thrownText } from '../auth/stranger-text.ts'
import { networkKey, parseIpAddress } from './reverse-name.ts'

export interface GreylistRecord {
  /** milliseconds since 1970 */
  readonly firstSeenAt: number
  /** undefined: not yet */
  readonly passedAt: number | undefined
  /** what is older may be forgotten */
  readonly expiresAt: number
}

/** Shared by all workers. May fail, by throwing or rejecting. */
export interface GreylistStore {
  get(key: string): GreylistRecord | undefined | Promise<GreylistRecord | undefined>
  put(key: string, record: GreylistRecord): void | Promise<void>
}

export interface GreylistSettings {
  /** not before this */
  readonly delayMs: number
  /** and not after this, both since the first try */
  readonly windowMs: number
  /** how long one that has passed is remembered, since it was last seen */
  readonly rememberMs: number
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** RFC 6647 §5 looks for the retry between a minute and a day; some retry less often than that. */
export const GREYLIST_DEFAULTS: GreylistSettings = { delayMs: 5 * MINUTE_MS, windowMs: 2 * DAY_MS, rememberMs: 35 * DAY_MS }

export interface GreylistInput {
  readonly address: string
  /** confirmed (iprev), and not generic (generic-name.ts) */
  readonly names: readonly string[]
  /** '' for the null reverse-path */
  readonly senderDomain: string
  readonly recipient: string
}

export interface GreylistContext {
  readonly store: GreylistStore
  /** milliseconds since 1970 */
  readonly now: () => number
  /** by the list of public suffixes; undefined where a name has none */
  readonly organizationalDomain: (name: string) => string | undefined
}

export type GreylistOutcome =
  | { readonly status: 'deferred'; readonly first: boolean; readonly retryAfterMs: number; readonly pool: string }
  | { readonly status: 'passed'; readonly waitedMs: number; readonly pool: string }
  | { readonly status: 'known'; readonly pool: string }
  | { readonly status: 'unavailable'; readonly cause: string }
  /** the client has no IP address */
  | { readonly status: 'none'; readonly cause: string }

export type Greylist = (input: GreylistInput) => Promise<GreylistOutcome>

const MAX_DOMAIN_CHARACTERS = 255
const MAX_RECIPIENT_CHARACTERS = 320
/** A known pool is written again when a tenth of its time has gone, not with each message. */
const RENEW_FRACTION = 0.1

export function createGreylist(settings: GreylistSettings, context: GreylistContext): Greylist {
  return async (input) => {
    const pool = poolOf(input, context.organizationalDomain)
    if (pool === undefined) return { status: 'none', cause: 'the client has no IP address' }
    try {
      return await decide(settings, context, keysOf(pool, input))
    } catch (error) {
      return { status: 'unavailable', cause: causeText(`the greylist cannot be read or written: ${thrownText(error)}`) }
    }
  }
}

interface Keys {
  readonly pool: string
  /** of who has passed */
  readonly known: string
  /** of who is waited for */
  readonly waiting: string
}

function keysOf(pool: string, { senderDomain, recipient }: GreylistInput): Keys {
  const pair = `${pool} ${senderDomain.toLowerCase().slice(0, MAX_DOMAIN_CHARACTERS) || '<>'}`
  return { pool, known: `known ${pair}`, waiting: `waiting ${pair} ${recipient.toLowerCase().slice(0, MAX_RECIPIENT_CHARACTERS)}` }
}

function poolOf({ address, names }: GreylistInput, organizationalDomain: GreylistContext['organizationalDomain']): string | undefined {
  const client = parseIpAddress(address)
  if (client === undefined) return undefined
  // The first in the order of the alphabet, so that it is the same each time.
  const [domain] = names.map((name) => organizationalDomain(name)?.toLowerCase()).filter((one) => one !== undefined).sort()
  return domain?.slice(0, MAX_DOMAIN_CHARACTERS) ?? networkKey(client)
}

async function decide(settings: GreylistSettings, { store, now }: GreylistContext, { pool, known, waiting }: Keys): Promise<GreylistOutcome> {
  const at = now()
  const passed = await store.get(known)
  if (passed !== undefined && at < passed.expiresAt) {
    if (passed.expiresAt - at < settings.rememberMs * (1 - RENEW_FRACTION)) await store.put(known, { ...passed, expiresAt: at + settings.rememberMs })
    return { status: 'known', pool }
  }
  const found = await store.get(waiting)
  const waitedMs = found === undefined ? NaN : at - found.firstSeenAt
  // A clock that was set back begins anew too, and asks nobody to wait for longer than the delay.
  if (found === undefined || waitedMs < 0 || waitedMs > settings.windowMs) {
    await store.put(waiting, { firstSeenAt: at, passedAt: undefined, expiresAt: at + settings.windowMs })
    return { status: 'deferred', first: true, retryAfterMs: settings.delayMs, pool }
  }
  if (waitedMs < settings.delayMs) return { status: 'deferred', first: false, retryAfterMs: settings.delayMs - waitedMs, pool }
  await store.put(known, { firstSeenAt: found.firstSeenAt, passedAt: at, expiresAt: at + settings.rememberMs })
  return { status: 'passed', waitedMs, pool }
}

const MAX_RECORDS = 100_000

/** In the memory of one process. Where there are too many, the one that was put in or changed first is forgotten. */
export class MemoryGreylist implements GreylistStore {
  readonly #records = new Map<string, GreylistRecord>()
  readonly #maxRecords: number
  readonly #now: () => number

  constructor(now: () => number, maxRecords: number = MAX_RECORDS) {
    this.#now = now
    this.#maxRecords = maxRecords
  }

  get size(): number {
    return this.#records.size
  }

  get(key: string): GreylistRecord | undefined {
    const found = this.#records.get(key)
    if (found === undefined || this.#now() < found.expiresAt) return found
    this.#records.delete(key)
    return undefined
  }

  put(key: string, record: GreylistRecord): void {
    this.#records.delete(key)
    this.#records.set(key, record)
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= this.#maxRecords) return
      this.#records.delete(oldest)
    }
  }
}
