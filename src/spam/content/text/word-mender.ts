/**
 * Writes words anew that are written to be read by people only: digits and signs
 * for letters (`v1agra`, `c@sh`), letters with something between them (`f r e e`,
 * `f.r.e.e`). Takes lower case; one pass, and copies what is between.
 */
import type { Codes } from './codes.ts'
import { letterTable } from './scripts.ts'

/** Classes of characters: two bits each, so that three of them are a place in a table. */
const OTHER = 0
const LETTER = 1
/** a digit or sign that is written for a letter */
const SIGN = 2
const SEPARATOR = 3

/** What is written for a letter, by code; 0 for none. */
const WRITTEN_FOR = new Uint8Array(128)
for (const pair of ['0o', '1i', '3e', '4a', '5s', '7t', '8b', '@a', '$s', '!i', '|i']) WRITTEN_FOR[pair.charCodeAt(0)] = pair.charCodeAt(1)

const CLASSES = ((): Uint8Array => {
  const table = new Uint8Array(128)
  for (let code = 0; code < 128; code++) table[code] = code >= 97 && code <= 122 ? LETTER : WRITTEN_FOR[code] === 0 ? OTHER : SIGN
  for (const character of ' .-_*~,+\'/') table[character.charCodeAt(0)] = SEPARATOR
  return table
})()

/** Of every 16-bit unit; made when a text beyond ASCII comes for the first time. */
let wideClasses: Uint8Array | undefined

function classesFor(codes: Codes): Uint8Array {
  if (codes instanceof Uint8Array) return CLASSES
  if (wideClasses !== undefined) return wideClasses
  wideClasses = letterTable().map((script) => (script === 0 ? OTHER : LETTER))
  wideClasses.set(CLASSES)
  return wideClasses
}

/** A letter and a sign: a word that may be in disguise. */
const DISGUISED = 1
/** A letter alone, and a separator. */
const SPACED = 2
/** What the classes of three characters in a row begin. */
const TRIGGERS = ((): Uint8Array => {
  const table = new Uint8Array(64)
  for (let before = OTHER; before <= SEPARATOR; before++) {
    table[(before << 4) | (LETTER << 2) | SIGN] = DISGUISED
    if (before !== LETTER) table[(before << 4) | (LETTER << 2) | SEPARATOR] = SPACED
  }
  return table
})()

/** Three single letters in a row are initials; so many are a word. */
const MIN_SPACED_LETTERS = 4
/** What is longer is no word in disguise. */
const MAX_DISGUISED_WORD = 24

const FIRST_LETTER = 97
const LAST_LETTER = 122
const AT = 64
const DOT = 46
const BLANK = 32

export class WordMender {
  private readonly text: string
  private readonly codes: Codes
  private readonly classes: Uint8Array
  private readonly pieces: string[] = []
  private done = 0
  /** the classes of the last three characters */
  private last = 0
  private trigger = 0

  constructor(text: string, codes: Codes) {
    this.text = text
    this.codes = codes
    this.classes = classesFor(codes)
  }

  mend(): string {
    const { text, codes, classes } = this
    for (let at = this.next(0); at < codes.length; at = this.next(at + 1)) {
      at = this.trigger === DISGUISED ? this.disguised(at) : this.spaced(at - 1)
      this.last = classes[codes[at] as number] as number
    }
    if (this.done === 0) return text
    this.pieces.push(text.slice(this.done))
    return this.pieces.join('')
  }

  /** Where the next word begins that has to be looked at; the length where there is none. */
  private next(from: number): number {
    const { codes, classes } = this
    const { length } = codes
    let { last } = this
    let at = from
    for (; at < length; at++) {
      // No branch but the last: where words end cannot be foretold.
      last = ((last << 2) | (classes[codes[at] as number] as number)) & 63
      if (TRIGGERS[last] !== 0) break
    }
    this.last = last
    this.trigger = TRIGGERS[last] as number
    return at
  }

  private replace(from: number, to: number, by: string): void {
    this.pieces.push(this.text.slice(this.done, from), by)
    this.done = to
  }

  private isLetter(at: number): boolean {
    return at < this.codes.length && this.classes[this.codes[at] as number] === LETTER
  }

  private isDigit(at: number): boolean {
    const code = this.codes[at] ?? BLANK
    return code >= 48 && code <= 57
  }

  private isPart(at: number): boolean {
    const code = this.codes[at] ?? BLANK
    return code < 128 && (CLASSES[code] === LETTER || CLASSES[code] === SIGN)
  }

  /** `at`: of a digit or sign behind a letter. Returns the last offset that needs no other look. */
  private disguised(at: number): number {
    let from = at
    while (from > this.done && at - from <= MAX_DISGUISED_WORD && this.isPart(from - 1)) from--
    // To its end, however long it is: nothing of it is looked at again.
    let to = at
    while (this.isPart(to)) to++
    const end = to
    // A sign at the end is a sign, and one at the beginning too.
    while (to > at && !this.isLetter(to - 1)) to--
    while (from < to && !this.isLetter(from)) from++
    // What goes on with another digit, or began before, is a number of something.
    if (to > at && end - from <= MAX_DISGUISED_WORD && !this.isDigit(end) && !this.isDigit(from - 1)) this.mendWord(from, to)
    return Math.max(at, end - 1)
  }

  private mendWord(from: number, to: number): void {
    let letters = 0
    let written = ''
    for (let at = from; at < to; at++) {
      const code = this.codes[at] as number
      if (code >= FIRST_LETTER && code <= LAST_LETTER) letters++
      else if (code === AT && this.isAddress(at, from)) return
      written += String.fromCharCode((WRITTEN_FOR[code] ?? 0) || code)
    }
    // Part numbers and hashes have as many digits as letters.
    if (letters * 2 > to - from) this.replace(from, to, written)
  }

  /** Words on both sides of the `@`, or a dot behind it, in the same word: `c@sh` has a letter or two on one side. */
  private isAddress(at: number, from: number): boolean {
    let end = at + 1
    for (; end < at + 64; end++) {
      const code = this.codes[end] ?? BLANK
      if (code <= BLANK) break
      if (code === DOT) return true
    }
    return at - from > 3 && end - at > 3
  }

  /** `at`: of a single letter with a separator behind it. */
  private spaced(at: number): number {
    const separator = this.codes[at + 1]
    if (this.isDigit(at - 1)) return at + 1
    let letters = 1
    let end = at + 1
    while (this.codes[end] === separator && this.isLetter(end + 1) && !this.isLetter(end + 2)) {
      letters++
      end += 2
    }
    if (letters >= MIN_SPACED_LETTERS) {
      let word = ''
      for (let i = at; i < end; i += 2) word += this.text.charAt(i)
      this.replace(at, end, word)
    }
    // The separator behind the last letter may stand before another word.
    return Math.max(at + 1, end - 1)
  }
}
