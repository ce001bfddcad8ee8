/**
 * Keeps the counts of the classifier's tokens in Redis: adds up lessons that
 * wait, removes tokens that nobody has learnt for long, and the rarest where
 * there are too many. As bayes-upkeep.ts does it for one machine, with the same
 * bounds.
 *
 * One of all processes of all machines works at a time: whoever has the lease, a
 * key that runs out by Redis's own clock. Each step is a script that looks at the
 * lease, and for lessons also at what was added last: a step whose reply was lost
 * is not done twice, and what was cut short goes on where it stopped. Between two
 * steps Redis serves everybody else.
 */
import { randomUUID } from 'node:crypto'
import type { UpkeepSettings } from './bayes-upkeep.ts'
import { changesOf, firstAfter, packChanges, packFields, unpackBuckets, unpackLesson, type BayesKeys, type HeldTokens, type Lesson, type Packed } from './redis-bayes-packing.ts'
import { ADD, CHANGED, DROP_KEPT, DROP_MESSAGES, DUMP, HOLD, LEAVE, RELEASE, REMOVE, ROWS, SET } from './redis-bayes-scripts.ts'
import type { Redis, RedisArgument, RedisReply, RedisScript } from './redis-connection.ts'
import { bufferOf, listOf, numberOf, textOf } from './redis-replies.ts'
import { expiryHeldOn, PRUNING_SLACK, Worths, type TokenRow } from './token-worth.ts'

/** Without a sign of life for so long, another goes on. */
const LEASE_MS = 60_000
/** Each some microseconds of Redis. */
const CHANGES_AT_ONCE = 500
const BUCKETS_AT_ONCE = 32
const MESSAGE_BUCKETS_AT_ONCE = 16
const ROWS_AT_ONCE = 64
/** Changes of one token are added in 16 bits. */
const MAX_BATCH_ROWS = 10_000

/** The number of buckets, and what scripts know it by. */
export interface Shape {
  readonly bits: number
  readonly name: string
}

export interface RedisUpkeepContext {
  readonly redis: Redis
  readonly keys: BayesKeys
  readonly settings: UpkeepSettings
}

export interface UpkeepRun {
  readonly day: number
  readonly shape: Shape
  readonly signal: AbortSignal | undefined
  /** the least that keeps the store small while much is learnt */
  readonly only?: 'adding'
}

/** Another works, or what is stored was replaced, or it is to end: this run is over, and nothing is lost by it. */
class CutShort extends Error {}

export class RedisBayesUpkeep {
  readonly #redis: Redis
  readonly #keys: BayesKeys
  readonly #settings: UpkeepSettings
  readonly #holder = randomUUID()
  #running = false

  constructor({ redis, keys, settings }: RedisUpkeepContext) {
    this.#redis = redis
    this.#keys = keys
    this.#settings = settings
  }

  /** false: another is at it, or it was cut short by the signal. */
  async run(run: UpkeepRun): Promise<boolean> {
    // The lease tells processes apart, and not what one of them does twice at once.
    if (this.#running) return false
    this.#running = true
    try {
      // Nobody's clock is believed where it is ahead of Redis's.
      const { day } = await this.#begun(run)
      try {
        await this.#work({ ...run, day })
      } finally {
        await this.#redis.run(RELEASE, [this.#keys.numbers, this.#keys.upkeep], ['', this.#holder])
      }
      return true
    } catch (error) {
      if (error instanceof CutShort) return false
      throw error
    } finally {
      this.#running = false
    }
  }

  async #work(run: UpkeepRun): Promise<void> {
    for (let more = true; more;) {
      more = await this.#addBatch(run)
      await this.#prune(run, PRUNING_SLACK)
    }
    if (run.only === undefined) {
      await this.#expire(run)
      await this.#prune(run, 1)
    }
    await this.#dropKept(run, { first: 0, most: this.#settings.maxKept })
  }

  /* --- adding up --- */

  /** The batch that was begun, or the next. False: nothing waited; what comes meanwhile is for the next run, or this one might never end. */
  async #addBatch(run: UpkeepRun): Promise<boolean> {
    const { batch, done } = await this.#begun(run)
    const lessons = await this.#lessons(run, batch)
    if (lessons.length === 0) {
      // What was to be added is not there any more.
      if (batch !== undefined) await this.#step(run, LEAVE, { keys: [this.#keys.waiting], args: [String(batch)] })
      return false
    }
    if (batch === undefined) await this.#step(run, SET, { args: ['batch', String(lessons.length)] })
    await this.#add(run, { lessons, batch: String(batch ?? lessons.length), done })
    return batch !== undefined || this.#isFull(lessons)
  }

  async #begun(run: UpkeepRun): Promise<Begun> {
    const [batch, done, expired, tokens, revision, day, heldOn] = await this.#step(run, HOLD, { args: [String(run.day)] })
    return { batch: optionalNumber(batch), done: textOf(done), expired: optionalNumber(expired), tokens: numberOf(tokens), revision: numberOf(revision), day: numberOf(day), heldOn: optionalNumber(heldOn) }
  }

  async #lessons(run: UpkeepRun, batch: number | undefined): Promise<readonly Lesson[]> {
    const lessons: Lesson[] = []
    const most = batch ?? MAX_BATCH_ROWS
    while (lessons.length < most && (batch !== undefined || !this.#isFull(lessons))) {
      const from = lessons.length
      const [found] = await this.#step(run, ROWS, { keys: [this.#keys.waiting], args: [String(from), String(Math.min(most, from + ROWS_AT_ONCE) - 1)] })
      const rows = listOf(found)
      if (rows.length === 0) break
      for (const row of rows) lessons.push(unpackLesson(bufferOf(row)))
    }
    return lessons
  }

  #isFull(lessons: readonly Lesson[]): boolean {
    return lessons.length >= MAX_BATCH_ROWS || lessons.reduce((sum, { tokens }) => sum + tokens.length, 0) >= this.#settings.batchTokens
  }

  async #add(run: UpkeepRun, { lessons, batch, done }: { readonly lessons: readonly Lesson[]; readonly batch: string; readonly done: string }): Promise<void> {
    const { bits } = run.shape
    const changes = changesOf(lessons)
    let before = done
    for (let from = done === '' ? 0 : firstAfter(changes, Number(done)); from < changes.keys.length; from += CHANGES_AT_ONCE) {
      const to = Math.min(changes.keys.length, from + CHANGES_AT_ONCE)
      const now = String(changes.keys[to - 1] ?? 0)
      const packed = packChanges(changes, { from, to, bits })
      await this.#step(run, ADD, { keys: this.#buckets(packed), args: [batch, before, now, String(changes.day), ...packed.map(({ bytes }) => bytes)] })
      before = now
    }
    await this.#step(run, LEAVE, { keys: [this.#keys.waiting], args: [batch] })
  }

  /* --- removing --- */

  /** Once a day. */
  async #expire(run: UpkeepRun): Promise<void> {
    const { day } = run
    const { expired, heldOn } = await this.#begun(run)
    // A machine that is behind another by a day looks no second time. A day further ahead was one of a clock that was wrong, Redis's own even.
    if (expired === day || expired === day + 1) return
    const first = day - this.#settings.tokenDays
    const { going, held } = await this.#tooOld(run, { first, heldOn })
    if (held) return
    if (going > 0) await this.#removeTokens(run, (row) => row.day < first)
    const { messageBuckets } = this.#keys
    for (let at = 0; at < messageBuckets.length; at += MESSAGE_BUCKETS_AT_ONCE) {
      await this.#step(run, DROP_MESSAGES, { keys: messageBuckets.slice(at, at + MESSAGE_BUCKETS_AT_ONCE), args: [String(first)] })
    }
    await this.#dropKept(run, { first, most: Infinity })
    await this.#step(run, SET, { args: ['expired', String(day)] })
  }

  /** How many are to go, and whether they are too many to go at once. */
  async #tooOld(run: UpkeepRun, { first, heldOn }: { readonly first: number; readonly heldOn: number | undefined }): Promise<{ readonly going: number; readonly held: boolean }> {
    let all = 0
    let going = 0
    for await (const { days } of this.#scan(run)) {
      all += days.length
      for (const day of days) if (day < first) going++
    }
    const heldNow = expiryHeldOn({ all, going, day: run.day, heldOn })
    if (heldNow !== heldOn) await this.#step(run, SET, { args: ['expiry_held', heldNow === undefined ? '' : String(heldNow)] })
    await this.#step(run, SET, { args: ['tokens', String(all)] })
    return { going, held: heldNow !== undefined }
  }

  /** Where there are too many: those that were seen seldom and long ago. */
  async #prune(run: UpkeepRun, slack: number): Promise<void> {
    const { maxTokens } = this.#settings
    const { tokens, revision } = await this.#begun(run)
    if (tokens <= maxTokens * slack) return
    const worths = new Worths()
    for await (const held of this.#scan(run)) for (const row of rowsOf(held)) worths.add(row)
    await this.#removeTokens(run, worths.unwanted(maxTokens, revision + run.day))
  }

  async #removeTokens(run: UpkeepRun, unwanted: (row: TokenRow) => boolean): Promise<void> {
    let stayed = 0
    let removed = 0
    for await (const held of this.#scan(run)) {
      const going: number[] = []
      for (const row of rowsOf(held)) if (unwanted(row)) going.push(row.key)
      stayed += held.keys.length - going.length
      removed += going.length
      const packed = packFields(Float64Array.from(going), run.shape.bits)
      if (packed.length > 0) await this.#step(run, REMOVE, { keys: this.#buckets(packed), args: packed.map(({ bytes }) => bytes) })
    }
    // They were counted one by one, and now all of them: some may have been lost.
    await this.#step(run, SET, { args: ['tokens', String(stayed)] })
    if (removed > 0) await this.#step(run, CHANGED)
  }

  /** Of the messages whose words are kept: those before a day, and the oldest where there are more. */
  async #dropKept(run: UpkeepRun, { first, most }: { readonly first: number; readonly most: number }): Promise<void> {
    for (const days of [this.#keys.ham, this.#keys.spam]) {
      for (let gone = 1; gone > 0;) {
        const [count] = await this.#step(run, DROP_KEPT, { keys: [this.#keys.kept, days], args: [String(first), String(Math.min(most, Number.MAX_SAFE_INTEGER))] })
        gone = numberOf(count)
      }
    }
  }

  async *#scan(run: UpkeepRun): AsyncGenerator<HeldTokens> {
    const { bits, name } = run.shape
    for (let first = 0; first < 2 ** bits; first += BUCKETS_AT_ONCE) {
      const buckets = Array.from({ length: BUCKETS_AT_ONCE }, (_, at) => this.#keys.bucket(first + at))
      const [dump] = this.#checked(run, await this.#redis.run(DUMP, [this.#keys.numbers, ...buckets], [name]))
      yield unpackBuckets(bufferOf(dump), { first, bits })
    }
  }

  /* --- taking turns --- */

  #buckets(packed: readonly Packed[]): readonly string[] {
    return packed.map(({ bucket }) => this.#keys.bucket(bucket))
  }

  /** What stands behind `ok`. Renews the lease. */
  async #step(run: UpkeepRun, script: RedisScript, { keys = [], args = [] }: StepInput = {}): Promise<readonly RedisReply[]> {
    if (run.signal?.aborted === true) throw new CutShort()
    return this.#checked(run, await this.#redis.run(script, [this.#keys.numbers, this.#keys.upkeep, ...keys], [run.shape.name, this.#holder, String(LEASE_MS), ...args]))
  }

  #checked({ signal }: UpkeepRun, reply: RedisReply): readonly RedisReply[] {
    const [state, ...rest] = listOf(reply)
    if (textOf(state) !== 'ok' || signal?.aborted === true) throw new CutShort()
    return rest
  }
}

interface StepInput {
  readonly keys?: readonly string[]
  readonly args?: readonly RedisArgument[]
}

interface Begun {
  /** rows; undefined: none was begun */
  readonly batch: number | undefined
  /** the last token of it that was added; empty: none */
  readonly done: string
  readonly expired: number | undefined
  /** the day that counts */
  readonly day: number
  /** the day on which an expiry was held back */
  readonly heldOn: number | undefined
  readonly tokens: number
  readonly revision: number
}

function optionalNumber(reply: RedisReply | undefined): number | undefined {
  return textOf(reply) === '' ? undefined : numberOf(reply)
}

function* rowsOf({ keys, ham, spam, days }: HeldTokens): Generator<TokenRow> {
  for (let at = 0; at < keys.length; at++) yield { key: keys[at] ?? 0, count: (ham[at] ?? 0) + (spam[at] ?? 0), day: days[at] ?? 0 }
}
