/**
 * Text as disguises leave it when they are taken off: lower case, letters of
 * other scripts that look like ASCII as ASCII, nothing invisible, digits for
 * letters inside words put right, s.p.a.c.e.d and s p a c e d words joined. For
 * patterns; nobody is shown it. Text of other languages stays what it is: only
 * a word that mixes scripts, or that has nothing but look-alikes in it while the
 * text is in Latin letters, is changed.
 */
import { confusedWith, isInvisible } from './confusables.ts'
import { scriptOf } from './scripts.ts'

const BLANK = 32

function isAsciiLetter(code: number): boolean {
  const lower = code | 32
  return lower >= 97 && lower <= 122
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** One of two that make a letter beyond the first plane: flags and badges that spell words (`🅰`, `🇦`). */
function pictureLetter(high: number, low: number): number {
  if (high !== 0xd83c) return 0
  if (low >= 0xdd30 && low <= 0xdd49) return low - 0xdd30 + 97
  if (low >= 0xdd50 && low <= 0xdd69) return low - 0xdd50 + 97
  if (low >= 0xdd70 && low <= 0xdd89) return low - 0xdd70 + 97
  if (low >= 0xdde6 && low <= 0xddff) return low - 0xdde6 + 97
  return 0
}

/** Without what shows nothing, and with the letters of pictures as letters. */
function withoutInvisible(text: string): string {
  const pieces: string[] = []
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0xad) continue
    if (isInvisible(code)) {
      pieces.push(text.slice(from, at))
      from = at + 1
    } else if (code >= 0xd83c && code <= 0xdb40) {
      const low = text.charCodeAt(at + 1)
      const letter = pictureLetter(code, low)
      // U+E0000 to U+E01EF: tags and selectors, which show nothing either.
      if (letter === 0 && !(code === 0xdb40 && low >= 0xdc00 && low <= 0xddef)) continue
      pieces.push(text.slice(from, at), letter === 0 ? '' : String.fromCharCode(letter))
      at++
      from = at + 1
    }
  }
  if (from === 0) return text
  pieces.push(text.slice(from))
  return pieces.join('')
}

/** What the letters of one word are. */
interface WordCount {
  ascii: number
  confused: number
  others: number
}

function isWordCode(code: number): boolean {
  return isAsciiLetter(code) || (code >= 0xaa && scriptOf(code) !== undefined)
}

/** Look-alikes in words that are in disguise become what they look like. */
function withoutLookAlikes(text: string, latin: boolean): string {
  const pieces: string[] = []
  let done = 0
  let start = -1
  const count: WordCount = { ascii: 0, confused: 0, others: 0 }
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : BLANK
    if (isAsciiLetter(code)) {
      if (start < 0) start = at
      count.ascii++
      continue
    }
    if (code >= 0xaa && isWordCode(code)) {
      if (start < 0) start = at
      if (confusedWith(code) !== 0) count.confused++
      else if (scriptOf(code) === 'Latin') count.ascii++
      else count.others++
      continue
    }
    if (isDigit(code) && start >= 0) continue
    if (start >= 0 && count.confused > 0 && (count.ascii > 0 || (latin && count.others === 0))) {
      pieces.push(text.slice(done, start), plainWord(text.slice(start, at)))
      done = at
    }
    start = -1
    count.ascii = 0
    count.confused = 0
    count.others = 0
  }
  if (done === 0) return text
  pieces.push(text.slice(done))
  return pieces.join('')
}

function plainWord(word: string): string {
  let plain = ''
  for (let at = 0; at < word.length; at++) plain += String.fromCharCode(confusedWith(word.charCodeAt(at)) || word.charCodeAt(at))
  return plain
}

/** What is written for a letter: by code; 0 for none. Lower case only. */
const WRITTEN_FOR = ((): Uint8Array => {
  const table = new Uint8Array(128)
  for (const pair of ['0o', '1i', '3e', '4a', '5s', '7t', '8b', '@a', '$s', '!i', '|i']) table[pair.charCodeAt(0)] = pair.charCodeAt(1)
  return table
})()

/** What stands between the letters of a word that is spaced out. */
const SEPARATORS = ((): Uint8Array => {
  const table = new Uint8Array(128)
  for (const character of ' .-_*~,+\'/|') table[character.charCodeAt(0)] = 1
  return table
})()
/** Three single letters in a row are initials; so many are a word. */
const MIN_SPACED_LETTERS = 4
const MAX_LEET_WORD = 24

function isFoldedLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 0xdf && scriptOf(code) !== undefined)
}

/** The last passes, over lower case: finds where a word has to be written anew, and copies everything between. */
class WordMender {
  private readonly text: string
  private readonly pieces: string[] = []
  private done = 0

  constructor(text: string) {
    this.text = text
  }

  mend(): string {
    const { text } = this
    const { length } = text
    let previous = BLANK
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at)
      if (code < 128 && WRITTEN_FOR[code] !== 0) {
        // A digit with a letter before it; that one comes after it is seen in time.
        if (previous >= 97 && previous <= 122) at = this.leet(at)
      } else if (code >= 97 && previous < 97 && SEPARATORS[text.charCodeAt(at + 1)] === 1 && !isDigit(previous) && isFoldedLetter(code)) {
        at = this.spaced(at)
      }
      previous = text.charCodeAt(at)
    }
    if (this.done === 0) return text
    this.pieces.push(text.slice(this.done))
    return this.pieces.join('')
  }

  private replace(from: number, to: number, by: string): void {
    this.pieces.push(this.text.slice(this.done, from), by)
    this.done = to
  }

  /** `at`: of a digit or sign behind a letter. Returns the last offset that needs no other look. */
  private leet(at: number): number {
    const { text } = this
    let from = at
    while (from > this.done && at - from < MAX_LEET_WORD && this.isLeetPart(text.charCodeAt(from - 1))) from--
    let to = at
    while (to < text.length && to - from <= MAX_LEET_WORD && this.isLeetPart(text.charCodeAt(to))) to++
    // A sign at the end is a sign.
    while (to > at && !isAsciiLetter(text.charCodeAt(to - 1))) to--
    if (to <= at || to - from > MAX_LEET_WORD) return Math.max(at, to - 1)
    let letters = 0
    let written = ''
    let isAddress = false
    for (let i = from; i < to; i++) {
      const code = text.charCodeAt(i)
      if (isAsciiLetter(code)) letters++
      if (code === 64 && text.slice(i, to + 20).split(' ', 1)[0]?.includes('.')) isAddress = true
      written += String.fromCharCode(WRITTEN_FOR[code] || code)
    }
    // Part numbers and hashes have as many digits as letters; an address stays one.
    if (!isAddress && letters * 2 > to - from && isAsciiLetter(text.charCodeAt(from))) this.replace(from, to, written)
    return to - 1
  }

  private isLeetPart(code: number): boolean {
    return code < 128 && ((code >= 97 && code <= 122) || WRITTEN_FOR[code] !== 0)
  }

  /** `at`: of a single letter with a separator behind it. */
  private spaced(at: number): number {
    const { text } = this
    const separator = text.charCodeAt(at + 1)
    let letters = 1
    let end = at + 1
    while (text.charCodeAt(end) === separator && isFoldedLetter(text.charCodeAt(end + 1)) && !isFoldedLetter(text.charCodeAt(end + 2))) {
      letters++
      end += 2
    }
    if (letters < MIN_SPACED_LETTERS) return Math.max(at, end - 1)
    let word = ''
    for (let i = at; i < end; i += 2) word += text.charAt(i)
    this.replace(at, end, word)
    return end - 1
  }
}

/** `ascii`: nothing in it is beyond ASCII. `latin`: most of its letters are Latin. */
export function fold(text: string, { ascii, latin }: { readonly ascii: boolean; readonly latin: boolean }): string {
  if (ascii) return new WordMender(text.toLowerCase()).mend()
  const visible = withoutInvisible(text)
  return new WordMender(withoutLookAlikes(visible.normalize('NFKC'), latin).toLowerCase()).mend()
}
