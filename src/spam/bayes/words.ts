/**
 * Text to words, in one pass over its characters. A word is a run of letters,
 * marks and digits, with an apostrophe, hyphen or low line inside, or with the
 * point or comma of a number; case is folded. Scripts that put no blanks
 * between words (Han, kana, Thai and their kin) give each pair of neighbouring
 * characters. Signs that say something in mail (! $ € % …) are words by
 * themselves, a run of one sign as long as it is (up to three); so is each
 * character beyond the Basic Multilingual Plane, which are emoji mostly. What
 * shows nothing (soft hyphens, joiners, marks of direction, tags) is passed over,
 * and ends no word: `b·u·y` reads `buy`.
 *
 * Never throws; a word that is longer than any is one word of the same hash as
 * others of its length and beginning.
 */
import { isInvisible } from '../content/text/confusables.ts'
import { HIGH_STEP, LOW_STEP, WORD_HIGH, WORD_LOW, type Word } from './token-set.ts'

/** More is no word of any language: an identifier, or what was not decoded. */
const MAX_WORD = 32
const LONG_PREFIX = 4
const LONG_STEP = 8
const SAME_SIGNS = 3

/** Kinds of characters, in an order that lets one comparison tell many: parts of words, what is one by itself, what is none. */
const DIGIT = 1
const LETTER = 2
const UNSPACED = 3
/** a word by itself */
const SIGN = 4
const SURROGATE = 5
const NOTHING = 6
/** ' - _ */
const INNER = 7
/** . , */
const POINT = 8
const INVISIBLE = 9

/** U+E0000 to U+E01EF, tags and selectors: this and one of those. */
const TAG = 0xdb40
const FIRST_TAG = 0xdc00
const LAST_TAG = 0xddef

const SOFT_HYPHEN = 0xad

/** What was passed over inside a word. */
export const SOFT_HYPHENS = 1
export const OTHER_INVISIBLE = 2

const PAGE = 256
/** Of each character its kind, above what it is in lower case, where that is one character too; 0 in pages that nobody asked for. */
const characters = new Int32Array(0x10000)

/** Of the page that a character is in, too. */
function readPage(code: number): number {
  const first = code & -PAGE
  for (let at = first; at < first + PAGE; at++) {
    const lower = String.fromCharCode(at).toLowerCase()
    characters[at] = (kindOf(at) << 16) | (lower.length === 1 ? lower.charCodeAt(0) : at)
  }
  return characters[code] as number
}

function kindOf(code: number): number {
  if (code >= 0xd800 && code < 0xe000) return SURROGATE
  if (isInvisible(code)) return INVISIBLE
  const character = String.fromCharCode(code)
  if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]/u.test(character)) return UNSPACED
  if (/\p{Nd}/u.test(character)) return DIGIT
  if (/[\p{L}\p{M}\p{N}]/u.test(character)) return LETTER
  if (/['’_-]/u.test(character)) return INNER
  if (/[.,]/u.test(character)) return POINT
  if (/[!?%#*+=\p{Sc}\p{So}]/u.test(character)) return SIGN
  return NOTHING
}

/** Below this, a loop is faster than a call into the run-time. */
const LOOPED = 64

/**
 * Goes over the words of a text: `read` it, then `next` for each; the word is in
 * the reader's own fields. Numbers that the loops need stand in them, beside the
 * names that the compiler checks them by: a name is looked up each time.
 */
export class WordReader implements Word {
  low = 0
  high = 0
  start = 0
  end = 0
  /** SOFT_HYPHENS, OTHER_INVISIBLE, both or 0 */
  invisible = 0
  /** what is read, and one character behind it: a loop over a string takes three times as long */
  #units = new Uint16Array(4096)
  #bytes = Buffer.from(this.#units.buffer)
  /** where in the text the units begin */
  #base = 0
  #at = 0
  #stop = 0

  /** From `start` to before `end`. */
  read(text: string, start: number, end: number): void {
    const length = end - start
    if (length >= this.#units.length) {
      this.#units = new Uint16Array(length + 1)
      this.#bytes = Buffer.from(this.#units.buffer)
    }
    const units = this.#units
    if (length < LOOPED) for (let at = 0; at <= length; at++) units[at] = text.charCodeAt(start + at)
    else {
      units[length] = 0
      this.#bytes.write(text.slice(start, end + 1), 'utf16le')
    }
    this.#base = start
    this.#at = 0
    this.#stop = length
  }

  /** false: there is no other. */
  next(): boolean {
    const units = this.#units
    const stop = this.#stop
    let at = this.#at
    while (at < stop) {
      const code = units[at] as number
      const kind = (characters[code] || readPage(code)) >>> 16
      if (kind >= (6 satisfies typeof NOTHING)) {
        at++
        continue
      }
      this.invisible = 0
      const start = at
      at = kind < (3 satisfies typeof UNSPACED) ? this.#readWord(at) : kind === (3 satisfies typeof UNSPACED) ? this.#readPair(at) : this.#readSign(at)
      // One letter says nothing; neither does a pair that is none.
      if (this.end === start) continue
      this.start = this.#base + start
      this.end += this.#base
      this.#at = at
      return true
    }
    this.#at = stop
    return false
  }

  #readWord(start: number): number {
    const units = this.#units
    const stop = this.#stop
    let low = WORD_LOW
    let high = WORD_HIGH
    let at = start
    let longLow = 0
    let longHigh = 0
    let length = 0
    let before = 0
    let passed = 0
    let end = start
    const prefix = LONG_PREFIX
    for (; at < stop; at++) {
      const code = units[at] as number
      const character = characters[code] || readPage(code)
      const kind = character >>> 16
      if (kind > (2 satisfies typeof LETTER)) {
        if (kind === (6 satisfies typeof NOTHING)) break
        const seen = this.#passOver(at)
        if (seen > at) {
          passed |= flagOf(code)
          at = seen - 1
          continue
        }
        if (!this.#joins(at, kind, before)) break
      }
      this.invisible |= passed
      before = kind
      const folded = character & 0xffff
      low = Math.imul(low ^ folded, 0x01000193 satisfies typeof LOW_STEP)
      high = Math.imul(high ^ folded, 0x5bd1e995 satisfies typeof HIGH_STEP)
      high ^= high >>> 15
      end = at + 1
      if (++length !== prefix) continue
      longLow = low
      longHigh = high
    }
    if (length > MAX_WORD) {
      const step = Math.min(255, Math.trunc(length / LONG_STEP))
      low = longLow ^ (step << 20)
      high = longHigh ^ (step << 12)
    }
    this.low = low
    this.high = high
    this.end = length < 2 ? start : end
    return at
  }

  /** To behind what is invisible; `at` where nothing is. */
  #passOver(at: number): number {
    let next = at
    for (; next < this.#stop; next++) {
      if (this.#isTag(next)) next++
      else if (this.#kindAt(next) !== INVISIBLE) break
    }
    return Math.min(next, this.#stop)
  }

  #isTag(at: number): boolean {
    const low = this.#units[at + 1] as number
    return this.#units[at] === TAG && low >= FIRST_TAG && low <= LAST_TAG
  }

  /** Inside a word, between two others of its kind: don't, e-mail, 1,000.50. */
  #joins(at: number, kind: number, before: number): boolean {
    if (kind !== INNER && kind !== POINT) return false
    const next = this.#passOver(at + 1)
    const after = next < this.#stop ? this.#kindAt(next) : NOTHING
    if (kind === POINT) return after === DIGIT && before === DIGIT
    return after === LETTER || after === DIGIT
  }

  #kindAt(at: number): number {
    const code = this.#units[at] as number
    return (characters[code] || readPage(code)) >>> 16
  }

  /** One character of a script without blanks, and its neighbour. */
  #readPair(start: number): number {
    const next = this.#passOver(start + 1)
    this.end = start
    if (next >= this.#stop || this.#kindAt(next) !== UNSPACED) return next
    this.#begin()
    this.#hash(start)
    this.#hash(next)
    if (next > start + 1) this.invisible = flagOf(this.#units[start + 1] as number)
    this.end = next + 1
    return next
  }

  #readSign(start: number): number {
    const units = this.#units
    const stop = this.#stop
    const code = units[start] as number
    this.end = start
    if (code >= 0xd800 && code < 0xe000) {
      if (this.#isTag(start)) return start + 2
      const low = start + 1 < stop ? units[start + 1] as number : 0
      const whole = code < 0xdc00 && low >= 0xdc00 && low < 0xe000
      if (!whole) return start + 1
      this.#hashTo(start, start + 2)
      return start + 2
    }
    let at = start + 1
    while (at < stop && units[at] === code) at++
    this.#hashTo(start, Math.min(at, start + SAME_SIGNS))
    return at
  }

  #hashTo(start: number, end: number): void {
    this.#begin()
    for (let at = start; at < end; at++) this.#hash(at)
    this.end = end
  }

  #begin(): void {
    this.low = WORD_LOW
    this.high = WORD_HIGH
  }

  #hash(at: number): void {
    const code = this.#units[at] as number
    this.low = Math.imul(this.low ^ code, LOW_STEP)
    this.high = Math.imul(this.high ^ code, HIGH_STEP)
    this.high ^= this.high >>> 15
  }
}

function flagOf(code: number): number {
  return code === SOFT_HYPHEN ? SOFT_HYPHENS : OTHER_INVISIBLE
}
