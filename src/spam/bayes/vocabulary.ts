/**
 * Numbers tokens as they come and counts the messages that they are in. The
 * numbers hang on the order of the tokens and on nothing else; where they lie is
 * told by a secret (scatter.ts). Bounded: what comes when there is no room has no
 * number. Never throws.
 */
import { MAX_TRIES, randomSeed, Scatter } from './scatter.ts'

export const MAX_WORDS = 2 ** 21
const FIRST_SLOTS = 2 ** 16
/** that are moved at once, when there has to be more room: well below a millisecond */
const MOVED_AT_ONCE = 4096

export class Vocabulary {
  /** token of each number */
  tokens = new Uint32Array(FIRST_SLOTS / 2)
  /** messages with it */
  counts = new Uint32Array(FIRST_SLOTS / 2)
  size = 0
  /** number + 1; 0: empty */
  #slots = new Int32Array(FIRST_SLOTS)
  readonly #scatter: Scatter

  constructor(seed = randomSeed()) {
    this.#scatter = new Scatter(seed)
  }

  /** Makes room for so many more, in small steps; without it those that come may be left out. */
  *reserve(more: number): Generator<undefined, void> {
    const wanted = Math.min(MAX_WORDS, this.size + more)
    while (wanted > this.tokens.length) yield* this.#grow()
  }

  add(token: number): void {
    const slot = this.#find(token)
    const held = this.#slots[slot] ?? 0
    if (held > 0) this.counts[held - 1] = (this.counts[held - 1] ?? 0) + 1
    else if (slot >= 0 && this.size < this.tokens.length) {
      this.tokens[this.size] = token
      this.counts[this.size] = 1
      this.#slots[slot] = ++this.size
    }
  }

  /** −1: it has none. */
  numberOf(token: number): number {
    return (this.#slots[this.#find(token)] ?? 0) - 1
  }

  /** −1: there is no place near enough. */
  #find(token: number): number {
    const last = this.#slots.length - 1
    let slot = this.#scatter.of(token) & last
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const held = this.#slots[slot] ?? 0
      if (held === 0 || this.tokens[held - 1] === token) return slot
      slot = (slot + 1) & last
    }
    return -1
  }

  *#grow(): Generator<undefined, void> {
    const tokens = new Uint32Array(this.tokens.length * 2)
    tokens.set(this.tokens)
    const counts = new Uint32Array(tokens.length)
    counts.set(this.counts)
    this.tokens = tokens
    this.counts = counts
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let number = 0; number < this.size; number++) {
      if (number % MOVED_AT_ONCE === 0) yield
      const slot = this.#find(tokens[number] ?? 0)
      if (slot >= 0) this.#slots[slot] = number + 1
    }
  }
}
