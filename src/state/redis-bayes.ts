/**
 * What the classifier learnt, in Redis: the BayesStore that several machines
 * share. Learning a message is one script, which leaves its tokens to be added
 * up later by `maintain`; where many wait, whoever learns adds them up first, so
 * that Redis never holds much more than is kept.
 *
 * Rejects with a RedisError where Redis cannot be had, and with an Error where
 * what is there has tokens of another version. A Redis that has lost what it
 * knew is a new store, with a first revision above all that were before.
 */
import type { BayesCounts, BayesProgress, BayesStore, ForgetOutcome, KeptMessage, LearnOutcome, LearntMessage, MessageClass, TokenRows } from '../spam/bayes/store.ts'
import { UPKEEP_DEFAULTS, type UpkeepSettings } from './bayes-upkeep.ts'
import { warningsOf } from './redis-advice.ts'
import { bayesKeys, bitsFor, MOST_BITS, packTokens, unpackBuckets, type BayesKeys } from './redis-bayes-packing.ts'
import { CLEAR, COUNTS, DUMP, FORGET, GLANCE, INFO, KEPT, KEPT_KEYS, LEARN, OPEN } from './redis-bayes-scripts.ts'
import { RedisBayesUpkeep, type Shape } from './redis-bayes-upkeep.ts'
import { bufferOf, listOf, numberOf, textOf } from './redis-replies.ts'
import { RedisError, type Redis, type RedisArgument, type RedisReply, type RedisScript } from './redis-connection.ts'

export interface RedisBayesSettings extends Partial<UpkeepSettings> {
  /** of the tokens that are learnt */
  readonly tokensVersion: number
  /** of all keys */
  readonly prefix: string
  /** milliseconds since 1970 */
  readonly now?: () => number
  /** lessons that may wait to be added up before whoever learns does it */
  readonly maxWaiting?: number
  /** told once of what the server says of itself that does not go with what is kept there */
  readonly warn?: (warning: string) => void
}

/** Some 5 MB. */
const MAX_WAITING = 1000
const BUCKETS_AT_ONCE = 32
const KEPT_AT_ONCE = 64
/** Keys that are not there cost Redis a microsecond each. */
const CLEARED_AT_ONCE = 4096
/** Of a millisecond: so many changes would have to come in each, for a store to reach the first revision of a later one. */
const REVISIONS_PER_MS = 1000

export class RedisBayes implements BayesStore {
  readonly #redis: Redis
  readonly #settings: UpkeepSettings & RedisBayesSettings & { readonly now: () => number; readonly maxWaiting: number }
  readonly #keys: BayesKeys
  readonly #upkeep: RedisBayesUpkeep
  #shape: Shape | undefined
  #told = false

  constructor(redis: Redis, settings: RedisBayesSettings) {
    this.#redis = redis
    this.#settings = { ...UPKEEP_DEFAULTS, now: Date.now, maxWaiting: MAX_WAITING, ...settings }
    this.#keys = bayesKeys(settings.prefix)
    this.#upkeep = new RedisBayesUpkeep({ redis, keys: this.#keys, settings: this.#settings })
  }

  async learn({ key, tokens, singles, day }: LearntMessage, as: MessageClass): Promise<LearnOutcome> {
    const keys = this.#keys
    const days = as === 'ham' ? [keys.ham, keys.spam] : [keys.spam, keys.ham]
    const [outcome, waiting] = await this.#run(LEARN, [keys.numbers, keys.messages(key), keys.waiting, keys.kept, ...days], [key, as.charAt(0), String(day), packTokens(tokens), bytesOf(singles)])
    await this.#relieve(waiting, day)
    return oneOf(outcome, ['learned', 'known', 'moved'] as const)
  }

  async forget({ key, tokens, day }: LearntMessage): Promise<ForgetOutcome> {
    const keys = this.#keys
    const [outcome, waiting] = await this.#run(FORGET, [keys.numbers, keys.messages(key), keys.waiting, keys.kept, keys.ham, keys.spam], [key, String(day), packTokens(tokens)])
    await this.#relieve(waiting, day)
    return oneOf(outcome, ['forgotten', 'unknown'] as const)
  }

  async counts(): Promise<BayesCounts> {
    const keys = this.#keys
    const [ham, spam, tokens, revision, since, waiting, held, hams, spams] = await this.#run(COUNTS, [keys.numbers, keys.waiting, keys.ham, keys.spam], [])
    return { ham: numberOf(ham), spam: numberOf(spam), tokens: numberOf(tokens), revision: numberOf(revision), since: numberOf(since), kept: { hams: numberOf(hams), spams: numberOf(spams) }, waiting: numberOf(waiting), ...(textOf(held) !== '' && { expiryHeld: numberOf(held) }) }
  }

  progress(): Promise<BayesProgress> {
    return this.counts()
  }

  async maintain(day: number, signal?: AbortSignal): Promise<boolean> {
    // So that what was made anew since is known.
    await this.counts()
    return await this.#upkeep.run({ day, shape: await this.#open(), signal })
  }

  async *tokens(): AsyncGenerator<TokenRows> {
    const { bits } = await this.#open()
    for (let first = 0; first < 2 ** bits; first += BUCKETS_AT_ONCE) {
      const buckets = Array.from({ length: BUCKETS_AT_ONCE }, (_, at) => this.#keys.bucket(first + at))
      const [dump] = await this.#run(DUMP, [this.#keys.numbers, ...buckets], [])
      // The store was made anew meanwhile, with other buckets.
      if (this.#shape?.bits !== bits) throw new RedisError('failed', 'Redis: what is stored was replaced while it was read')
      const { keys, ham, spam } = unpackBuckets(bufferOf(dump), { first, bits })
      if (keys.length > 0) yield { keys, ham, spam }
    }
  }

  async *kept(): AsyncGenerator<KeptMessage> {
    const found = await this.#keptKeys()
    for (let at = 0; at < found.length; at += KEPT_AT_ONCE) {
      const [values] = await this.#run(KEPT, [this.#keys.numbers, this.#keys.kept], found.slice(at, at + KEPT_AT_ONCE))
      for (const value of listOf(values)) {
        // Removed since.
        if (value === null) continue
        const bytes = bufferOf(value)
        const words = bytes.subarray(1)
        yield { class: bytes[0] === LETTER_S ? 'spam' : 'ham', singles: Uint32Array.from({ length: Math.trunc(words.length / 4) }, (_, i) => words.readUInt32LE(i * 4)) }
      }
    }
  }

  close(): void {
    this.#redis.close()
  }

  /** In their own order. A scan may name one twice. */
  async #keptKeys(): Promise<readonly Buffer[]> {
    const found = new Map<string, Buffer>()
    for (const days of [this.#keys.ham, this.#keys.spam]) {
      let cursor: RedisArgument = '0'
      do {
        const [next, members] = await this.#run(KEPT_KEYS, [this.#keys.numbers, days], [cursor])
        // Each with its day behind it.
        for (const [i, member] of listOf(members).entries()) if (i % 2 === 0) found.set(bufferOf(member).toString('latin1'), bufferOf(member))
        cursor = bufferOf(next)
      } while (cursor.toString() !== '0')
    }
    return [...found.values()].sort((one, other) => Buffer.compare(one, other))
  }

  async #relieve(waiting: RedisReply | undefined, day: number): Promise<void> {
    if (numberOf(waiting) >= this.#settings.maxWaiting) await this.#upkeep.run({ day, shape: await this.#open(), signal: undefined, only: 'adding' })
  }

  /** What stands behind `ok`. Makes the store where there is none, or where it was made anew. */
  async #run(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<readonly RedisReply[]> {
    for (let tries = 0; tries < 3; tries++) {
      const { name } = await this.#open()
      const [state, ...rest] = listOf(await this.#redis.run(script, keys, [name, ...args]))
      if (textOf(state) === 'ok') return rest
      this.#shape = undefined
    }
    throw new RedisError('failed', 'Redis: what is stored is replaced again and again')
  }

  /** Messages that are known, and counts of nobody knows how many: without the numbers they are of no use, and in the way of what is taught anew. */
  async #clear(): Promise<void> {
    const all = 2 ** MOST_BITS
    for (let first = 0; first < all; first += CLEARED_AT_ONCE) await this.#redis.run(CLEAR, [this.#keys.numbers], [this.#keys.under, String(first), String(first + CLEARED_AT_ONCE - 1)])
  }

  async #open(): Promise<Shape> {
    if (this.#shape !== undefined) return this.#shape
    const { tokensVersion, maxTokens, now, prefix } = this.#settings
    const open = async (): Promise<readonly RedisReply[]> => listOf(await this.#redis.run(OPEN, [this.#keys.numbers], [String(tokensVersion), String(bitsFor(maxTokens)), String(now() * REVISIONS_PER_MS), this.#keys.under]))
    let reply = await open()
    for (let tries = 0; textOf(reply[0]) === 'rest' && tries < 3; tries++) {
      await this.#clear()
      reply = await open()
    }
    const [state, version, bits] = reply
    if (textOf(state) !== 'ok') throw new RedisError('failed', `Redis: ${this.#keys.numbers} is lost again and again`)
    if (numberOf(version) !== tokensVersion) throw new Error(`Redis has tokens of version ${textOf(version)}, this Postern makes ${tokensVersion}: remove the keys ${prefix}:{bayes}:* or use another prefix, and train the classifier again`)
    await this.#tell()
    return (this.#shape = { bits: numberOf(bits), name: `${tokensVersion}:${numberOf(bits)}` })
  }

  async #tell(): Promise<void> {
    const { warn } = this.#settings
    if (warn === undefined || this.#told) return
    this.#told = true
    for (const warning of await warningsAbout(this.#redis)) warn(warning)
  }
}

/** What does not go with what is kept there; nothing where we may not ask. */
export async function warningsAbout(redis: Redis): Promise<readonly string[]> {
  try {
    return warningsOf(textOf(await redis.run(INFO, [], [])))
  } catch (error) {
    // That it is away, or has no such right for us, is told by whatever is asked next.
    if (error instanceof RedisError) return []
    throw error
  }
}

/** What is there, without making anything. Undefined: nothing. */
export async function glanceAt(redis: Redis, prefix: string): Promise<{ readonly version: number; readonly ham: number; readonly spam: number } | undefined> {
  const [version, ham, spam] = listOf(await redis.run(GLANCE, [bayesKeys(prefix).numbers], []))
  return version === null ? undefined : { version: numberOf(version), ham: numberOf(ham), spam: numberOf(spam) }
}

const LETTER_S = 's'.charCodeAt(0)

function bytesOf(singles: Uint32Array): Buffer {
  const bytes = Buffer.allocUnsafe(singles.length * 4)
  for (const [at, single] of singles.entries()) bytes.writeUInt32LE(single, at * 4)
  return bytes
}

function oneOf<T extends string>(reply: RedisReply | undefined, words: readonly T[]): T {
  const text = textOf(reply)
  const found = words.find((word) => word === text)
  if (found === undefined) throw new Error(`an unexpected reply of a script: ${text}`)
  return found
}
