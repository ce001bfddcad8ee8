/**
 * The distinct tokens of one message. A token is a hash of 64 bits, made of two
 * halves that JavaScript computes as integers of 32 bits; what it was made of is
 * kept only for those who want to show it. Bounded as a whole and in each kind:
 * what comes after the last place is left out, so that whoever fills a set adds
 * the telling kinds first, and none so much that another finds no place.
 *
 * Does no I/O and never throws.
 */

import { mixed, randomSeed, Scatter } from './scatter.ts'

/** The tokens of a message are at most these. */
export const MAX_TOKENS = 4096

/** This bit of the upper half tells pairs of words from everything else. It is among those that a store keeps. */
export const PAIR_BIT = 1 << 18

const SLOTS = MAX_TOKENS * 2

export interface TokenSet {
  readonly count: number
  /** `count` halves each */
  readonly low: Uint32Array
  readonly high: Uint32Array
  /** what a person may read, in the same order; undefined where nobody asked */
  readonly names: readonly string[] | undefined
}

/** Where a word stands: the same word in a subject is another token than in the text. */
export interface TokenContext {
  readonly low: number
  readonly high: number
  /** before the word, for people: `subject:` */
  readonly label: string
}

export function tokenContext(label: string): TokenContext {
  let low = 0x811c9dc5
  let high = 0x2545f491
  for (let at = 0; at < label.length; at++) {
    low = Math.imul(low ^ label.charCodeAt(at), 0x01000193)
    high = Math.imul(high ^ label.charCodeAt(at), 0x5bd1e995)
  }
  return { low: mixed(low), high: mixed(high), label }
}

/** Both halves of a whole string; where it is short and there is no scanner about. */
export function hashOf(text: string): { readonly low: number; readonly high: number } {
  let low = WORD_LOW
  let high = WORD_HIGH
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    low = Math.imul(low ^ code, LOW_STEP)
    high = Math.imul(high ^ code, HIGH_STEP)
    high ^= high >>> 15
  }
  return { low, high }
}

/** How the halves of a word's hash begin and go on, character by character. */
export const WORD_LOW = 0x811c9dc5 | 0
export const WORD_HIGH = 0x9747b28c | 0
export const LOW_STEP = 0x01000193
export const HIGH_STEP = 0x5bd1e995

/** One is used again and again: `begin`, add, `take`. */
export class TokenCollector {
  readonly #low = new Uint32Array(MAX_TOKENS)
  readonly #high = new Uint32Array(MAX_TOKENS)
  /** of the hash table: round << 14 | index; what an earlier round left counts as empty */
  readonly #slots = new Int32Array(SLOTS)
  readonly #scatter = new Scatter(randomSeed())
  #round = 0
  #count = 0
  #end = MAX_TOKENS
  #names: string[] | undefined

  /** @param named keep what each token was made of */
  begin(named: boolean): void {
    this.#count = 0
    this.#end = MAX_TOKENS
    this.#names = named ? [] : undefined
    this.#round++
    if (this.#round < 0x1ffff) return
    this.#slots.fill(0)
    this.#round = 1
  }

  get named(): boolean {
    return this.#names !== undefined
  }

  /** No more fit in, or no more of this kind. */
  get full(): boolean {
    return this.#count === this.#end
  }

  /** A kind begins, of which there shall be at most so many; the next call ends it. */
  allow(most: number): void {
    this.#end = Math.min(MAX_TOKENS, this.#count + most)
  }

  take(): TokenSet {
    return { count: this.#count, low: this.#low.slice(0, this.#count), high: this.#high.slice(0, this.#count), names: this.#names }
  }

  /** A short string in a context. */
  text(context: TokenContext, text: string): void {
    const { low, high } = hashOf(text)
    if (this.word(context, low, high)) this.name(context.label + text)
  }

  /** A word by its hash; true: it is a new one, whose name is wanted next. */
  word(context: TokenContext, low: number, high: number): boolean {
    return this.#add(mixed(low ^ context.low), (mixed(high ^ context.high) & ~PAIR_BIT) >>> 0)
  }

  /** Two words with `distance` − 1 others between them. */
  pair(context: TokenContext, { first, second, distance }: WordPair): boolean {
    const low = Math.imul(first.low ^ context.low, 0x9e3779b1) + Math.imul(second.low, 0x85ebca77) + distance
    const high = Math.imul(first.high ^ context.high, 0xc2b2ae3d) + Math.imul(second.high, 0x27d4eb2f) + distance
    return this.#add(mixed(low), (mixed(high) | PAIR_BIT) >>> 0)
  }

  /** Of the token that was added last. */
  name(text: string): void {
    this.#names?.push(text)
  }

  #add(low: number, high: number): boolean {
    if (this.#count === this.#end) return false
    const mark = this.#round << 14
    let slot = this.#scatter.of(low) & (SLOTS - 1)
    for (;;) {
      const held = this.#slots[slot] ?? 0
      if ((held & ~0x3fff) !== mark) break
      const index = held & 0x3fff
      if (this.#low[index] === low && this.#high[index] === high) return false
      slot = (slot + 1) & (SLOTS - 1)
    }
    this.#slots[slot] = mark | this.#count
    this.#low[this.#count] = low
    this.#high[this.#count] = high
    this.#count++
    return this.#names !== undefined
  }
}

export interface WordPair {
  first: Word
  second: Word
  distance: number
}

/** As it was read; `start` and `end` are its place in the text. */
export interface Word {
  low: number
  high: number
  start: number
  end: number
}
