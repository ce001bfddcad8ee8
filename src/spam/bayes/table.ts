/**
 * What is known of each token, packed: four bytes a place – 16 bits of the
 * token's hash, and eight for each of two numbers: its counts (count-code.ts), or
 * what a linear model has of it (linear-model.ts). Places are
 * found by other bits of the hash and a secret (scatter.ts), then one after the
 * other; three of four are taken. A token that was never learnt is taken for another one about once in
 * ten thousand times, which is nothing beside the chance of words.
 *
 * Made of rows that a store hands out, or of places and seed of another.
 * Does no I/O; never throws.
 */
import { COUNT_OF, countCode } from './count-code.ts'
import { MAX_TRIES, randomSeed, Scatter } from './scatter.ts'
import type { TokenRows } from './store.ts'

const LOAD = 0.75
/** of all places; beyond that searches would become long */
const MOST_TAKEN = 0.9
const MIN_SLOTS = 1024
const LOW_RANGE = 0x100000000

export interface TokenPlace {
  readonly low: number
  /** 16 bits by which it is told from others near it */
  readonly mark: number
  readonly value: number
}

/** Tokens by the two halves of their hashes. */
export interface TokenHalves {
  readonly low: Uint32Array
  readonly high: Uint32Array
  readonly count: number
}

const AT_ONCE = 512
const firstSlots = new Int32Array(AT_ONCE)
const firstHeld = new Uint32Array(AT_ONCE)

export class TokenTable {
  readonly slots: Uint32Array
  /** decides where tokens lie */
  readonly seed: number
  readonly #scatter: Scatter
  #room: number

  constructor(slots: Uint32Array, seed: number) {
    this.slots = slots
    this.seed = seed
    this.#scatter = new Scatter(seed)
    this.#room = Math.floor(slots.length * MOST_TAKEN)
  }

  /** With room for so many. */
  static for(tokens: number, seed = randomSeed()): TokenTable {
    return new TokenTable(new Uint32Array(Math.max(MIN_SLOTS, Math.ceil(tokens / LOAD))), seed)
  }

  /** The code of ham in the upper eight of 16 bits, that of spam in the lower; 0 where it is not known. */
  find(low: number, high: number): number {
    const { slots } = this
    const size = slots.length
    const mark = high & 0xffff
    let slot = this.#place(low)
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const held = slots[slot] ?? 0
      if (held === 0) return 0
      if (held >>> 16 === mark) return held & 0xffff
      if (++slot === size) slot = 0
    }
    return 0
  }

  /** What `find` says of each of `count` tokens, into `values`. */
  findEach({ low, high, count }: TokenHalves, values: Uint16Array): void {
    for (let from = 0; from < count; from += AT_ONCE) this.#findSome({ low, high, count: Math.min(count, from + AT_ONCE) }, from, values)
  }

  /** All first places are read before anything hangs on what stands there: the memory is slow, and brings several at a time. */
  #findSome({ low, high, count }: TokenHalves, from: number, values: Uint16Array): void {
    const { slots } = this
    const size = slots.length
    for (let at = from; at < count; at++) {
      const slot = this.#place(low[at] as number)
      firstSlots[at - from] = slot
      firstHeld[at - from] = slots[slot] as number
    }
    for (let at = from; at < count; at++) {
      const mark = (high[at] as number) & 0xffff
      let slot = firstSlots[at - from] as number
      let held = firstHeld[at - from] as number
      for (let tries = 1; held !== 0 && held >>> 16 !== mark; tries++) {
        if (++slot === size) slot = 0
        held = tries < MAX_TRIES ? slots[slot] as number : 0
      }
      values[at] = held & 0xffff
    }
  }

  /** Some rows, by default all. false: there was no place for each; the others have theirs. */
  add(rows: TokenRows, { from = 0, to = rows.keys.length }: { readonly from?: number; readonly to?: number } = {}): boolean {
    let all = true
    for (let at = from; at < Math.min(to, rows.keys.length); at++) {
      const key = rows.keys[at] ?? 0
      const counts = (countCode(rows.ham[at] ?? 0) << 8) | countCode(rows.spam[at] ?? 0)
      if (counts !== 0 && !this.put({ low: key % LOW_RANGE, mark: Math.floor(key / LOW_RANGE) & 0xffff, value: counts })) all = false
    }
    return all
  }

  /** What `find` gives for it: 16 bits, not 0. false: there is no place left, or none near enough. */
  put({ low, mark, value }: TokenPlace): boolean {
    const { slots } = this
    const size = slots.length
    if (this.#room === 0) return false
    let slot = this.#place(low)
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if ((slots[slot] ?? 0) === 0) {
        slots[slot] = ((mark << 16) | value) >>> 0
        this.#room--
        return true
      }
      if (++slot === size) slot = 0
    }
    return false
  }

  #place(low: number): number {
    return Math.floor((this.#scatter.of(low) * this.slots.length) / LOW_RANGE)
  }
}

export function hamCount(counts: number): number {
  return COUNT_OF[counts >>> 8] ?? 0
}

export function spamCount(counts: number): number {
  return COUNT_OF[counts & 0xff] ?? 0
}
