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
const INVISIBLE = 8

/** U+E0000 to U+E01EF, tags and selectors: this and one of those. */
const TAG = 0xdb40
const FIRST_TAG = 0xdc00
const LAST_TAG = 0xddef

const SOFT_HYPHEN = 0xad

/** What was passed over inside a word. */
export const SOFT_HYPHENS = 1
export const OTHER_INVISIBLE = 2

export interface ReadWord extends Word {
  /** SOFT_HYPHENS, OTHER_INVISIBLE, both or 0 */
  invisible: number
}

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

const ascii = pageOf(0)

/**
 * Calls `visit` for each word from `start` to before `end`, until it says false.
 * The word that it is handed is the same object each time.
 */
export function eachWord(text: string, range: { readonly start: number; readonly end: number }, visit: (word: ReadWord) => boolean): boolean {
  const { end } = range
  const word: ReadWord = { low: 0, high: 0, start: 0, end: 0, invisible: 0 }
  let at = range.start
  while (at < end) {
    const code = text.charCodeAt(at)
    const page = code < 256 ? ascii : pages[code >> 8] ?? pageOf(code >> 8)
    const kind = page.kinds[code & 255] ?? NOTHING
    if (kind === NOTHING || kind === INNER || kind === POINT || kind === INVISIBLE) {
      at++
      continue
    }
    word.invisible = 0
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
  readonly word: ReadWord
}

function readWord(text: string, start: number, { end, word }: Reading): number {
  let low = WORD_LOW
  let high = WORD_HIGH
  let at = start
  let longLow = 0
  let longHigh = 0
  let length = 0
  let before = NOTHING
  let passed = 0
  word.start = start
  for (; at < end; at++) {
    const code = text.charCodeAt(at)
    const page = code < 256 ? ascii : pages[code >> 8] ?? pageOf(code >> 8)
    const kind = page.kinds[code & 255] ?? NOTHING
    if (kind !== LETTER && kind !== DIGIT) {
      const seen = kind >= SURROGATE ? passOver(text, at, end) : at
      if (seen > at) {
        passed |= flagOf(code)
        at = seen - 1
        continue
      }
      if (!joins(text, at, { kind, before, end })) break
    }
    word.invisible |= passed
    before = kind
    const folded = page.folded[code & 255] ?? code
    low = Math.imul(low ^ folded, LOW_STEP)
    high = Math.imul(high ^ folded, HIGH_STEP)
    high ^= high >>> 15
    word.end = at + 1
    if (++length !== LONG_PREFIX) continue
    longLow = low
    longHigh = high
  }
  if (length > MAX_WORD) {
    const step = Math.min(255, Math.trunc(length / LONG_STEP))
    low = longLow ^ (step << 20)
    high = longHigh ^ (step << 12)
  }
  word.low = low
  word.high = high
  if (length < 2) word.end = start
  return at
}

/** To behind what is invisible; `at` where nothing is. */
function passOver(text: string, at: number, end: number): number {
  let next = at
  for (; next < end; next++) {
    if (text.charCodeAt(next) === TAG && isTag(text, next)) next++
    else if (kindAt(text, next) !== INVISIBLE) break
  }
  return Math.min(next, end)
}

function flagOf(code: number): number {
  return code === SOFT_HYPHEN ? SOFT_HYPHENS : OTHER_INVISIBLE
}

function isTag(text: string, at: number): boolean {
  const low = text.charCodeAt(at + 1)
  return low >= FIRST_TAG && low <= LAST_TAG
}

/** Inside a word, between two others of its kind: don't, e-mail, 1,000.50. */
function joins(text: string, at: number, { kind, before, end }: { readonly kind: number; readonly before: number; readonly end: number }): boolean {
  if (kind !== INNER && kind !== POINT) return false
  const next = passOver(text, at + 1, end)
  const after = next < end ? kindAt(text, next) : NOTHING
  if (kind === POINT) return after === DIGIT && before === DIGIT
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
  const next = passOver(text, start + 1, end)
  if (next >= end || kindAt(text, next) !== UNSPACED) return next
  begin(word)
  hashOne(word, text.charCodeAt(start))
  hashOne(word, text.charCodeAt(next))
  if (next > start + 1) word.invisible = flagOf(text.charCodeAt(start + 1))
  word.end = next + 1
  return next
}

function readSign(text: string, start: number, { end, word }: Reading): number {
  const code = text.charCodeAt(start)
  word.start = start
  if (code >= 0xd800 && code < 0xe000) {
    word.end = start
    if (code === TAG && isTag(text, start)) return start + 2
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
  begin(word)
  for (let at = word.start; at < end; at++) hashOne(word, text.charCodeAt(at))
  word.end = end
}

function begin(word: Word): void {
  word.low = WORD_LOW
  word.high = WORD_HIGH
}

function hashOne(word: Word, code: number): void {
  word.low = Math.imul(word.low ^ code, LOW_STEP)
  word.high = Math.imul(word.high ^ code, HIGH_STEP)
  word.high ^= word.high >>> 15
}
