/**
 * Text to words, in one pass over its characters. A word is a run of letters,
 * marks and digits, with an apostrophe, hyphen or low line inside, or with the
 * point or comma of a number; case is folded. Scripts that put no blanks
 * between words (Han, kana, Thai and their kin) give each pair of neighbouring
 * characters. Signs that say something in mail (! $ € % …) are words by
 * themselves, a run of one sign as long as it is (up to three); so is each
 * character beyond the Basic Multilingual Plane, which are emoji mostly.
 *
 * Never throws; a word that is longer than any is one word of the same hash as
 * others of its length and beginning.
 */
import { HIGH_STEP, LOW_STEP, WORD_HIGH, WORD_LOW, type Word } from './token-set.ts'

/** More is no word of any language: an identifier, or what was not decoded. */
const MAX_WORD = 32
const LONG_PREFIX = 4
const LONG_STEP = 8
const SAME_SIGNS = 3

const NOTHING = 0
const LETTER = 1
const UNSPACED = 2
/** a word by itself */
const SIGN = 3
/** ' - _ */
const INNER = 4
/** . , */
const POINT = 5
const DIGIT = 6
const SURROGATE = 7

interface Page {
  readonly kinds: Uint8Array
  /** in lower case, where that is one character too */
  readonly folded: Uint16Array
}

const pages = new Array<Page | undefined>(256)

function pageOf(index: number): Page {
  const kinds = new Uint8Array(256)
  const folded = new Uint16Array(256)
  for (let at = 0; at < 256; at++) {
    const code = index * 256 + at
    kinds[at] = kindOf(code)
    const lower = String.fromCharCode(code).toLowerCase()
    folded[at] = lower.length === 1 ? lower.charCodeAt(0) : code
  }
  const page = { kinds, folded }
  pages[index] = page
  return page
}

function kindOf(code: number): number {
  if (code >= 0xd800 && code < 0xe000) return SURROGATE
  const character = String.fromCharCode(code)
  if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]/u.test(character)) return UNSPACED
  if (/\p{Nd}/u.test(character)) return DIGIT
  if (/[\p{L}\p{M}\p{N}]/u.test(character)) return LETTER
  if (/['’_-]/u.test(character)) return INNER
  if (/[.,]/u.test(character)) return POINT
  if (/[!?%#*+=\p{Sc}\p{So}]/u.test(character)) return SIGN
  return NOTHING
}

const ascii = pageOf(0)

/**
 * Calls `visit` for each word from `start` to before `end`, until it says false.
 * The word that it is handed is the same object each time.
 */
export function eachWord(text: string, range: { readonly start: number; readonly end: number }, visit: (word: Word) => boolean): boolean {
  const { end } = range
  const word: Word = { low: 0, high: 0, start: 0, end: 0 }
  let at = range.start
  while (at < end) {
    const code = text.charCodeAt(at)
    const page = code < 256 ? ascii : pages[code >> 8] ?? pageOf(code >> 8)
    const kind = page.kinds[code & 255] ?? NOTHING
    if (kind === NOTHING || kind === INNER || kind === POINT) {
      at++
      continue
    }
    at = kind === LETTER || kind === DIGIT ? readWord(text, at, { end, word })
      : kind === UNSPACED ? readPair(text, at, { end, word })
      : readSign(text, at, { end, word })
    // One letter says nothing; neither does a pair that is none.
    if (word.end > word.start && !visit(word)) return false
  }
  return true
}

interface Reading {
  readonly end: number
  readonly word: Word
}

function readWord(text: string, start: number, { end, word }: Reading): number {
  let low = WORD_LOW
  let high = WORD_HIGH
  let at = start
  let longLow = 0
  let longHigh = 0
  for (; at < end; at++) {
    const code = text.charCodeAt(at)
    const page = code < 256 ? ascii : pages[code >> 8] ?? pageOf(code >> 8)
    const kind = page.kinds[code & 255] ?? NOTHING
    if (kind !== LETTER && kind !== DIGIT && !joins(text, at, { kind, end })) break
    const folded = page.folded[code & 255] ?? code
    low = Math.imul(low ^ folded, LOW_STEP)
    high = Math.imul(high ^ folded, HIGH_STEP)
    high ^= high >>> 15
    if (at - start !== LONG_PREFIX - 1) continue
    longLow = low
    longHigh = high
  }
  const length = at - start
  if (length > MAX_WORD) {
    const step = Math.min(255, Math.trunc(length / LONG_STEP))
    low = longLow ^ (step << 20)
    high = longHigh ^ (step << 12)
  }
  word.low = low
  word.high = high
  word.start = start
  word.end = length > 1 ? at : start
  return at
}

/** Inside a word, between two others of its kind: don't, e-mail, 1,000.50. */
function joins(text: string, at: number, { kind, end }: { readonly kind: number; readonly end: number }): boolean {
  if ((kind !== INNER && kind !== POINT) || at + 1 >= end) return false
  const after = kindAt(text, at + 1)
  if (kind === POINT) return after === DIGIT && kindAt(text, at - 1) === DIGIT
  return after === LETTER || after === DIGIT
}

function kindAt(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return (code < 256 ? ascii : pages[code >> 8] ?? pageOf(code >> 8)).kinds[code & 255] ?? NOTHING
}

/** One character of a script without blanks, and its neighbour. */
function readPair(text: string, start: number, { end, word }: Reading): number {
  word.start = start
  word.end = start
  if (start + 1 < end && kindAt(text, start + 1) === UNSPACED) hashInto(word, text, start + 2)
  return start + 1
}

function readSign(text: string, start: number, { end, word }: Reading): number {
  const code = text.charCodeAt(start)
  word.start = start
  if (code >= 0xd800 && code < 0xe000) {
    const low = start + 1 < end ? text.charCodeAt(start + 1) : 0
    const whole = code < 0xdc00 && low >= 0xdc00 && low < 0xe000
    hashInto(word, text, whole ? start + 2 : start)
    return whole ? start + 2 : start + 1
  }
  let at = start + 1
  while (at < end && text.charCodeAt(at) === code) at++
  hashInto(word, text, Math.min(at, start + SAME_SIGNS))
  return at
}

function hashInto(word: Word, text: string, end: number): void {
  let low = WORD_LOW
  let high = WORD_HIGH
  for (let at = word.start; at < end; at++) {
    const code = text.charCodeAt(at)
    low = Math.imul(low ^ code, LOW_STEP)
    high = Math.imul(high ^ code, HIGH_STEP)
    high ^= high >>> 15
  }
  word.low = low
  word.high = high
  word.end = end
}
