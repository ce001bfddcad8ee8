/**
 * The text of a field as a mail program shows it: bytes outside ASCII read as
 * UTF-8 (RFC 6532), otherwise as windows-1252, and encoded words decoded
 * (RFC 2047) wherever they stand. More is decoded than the RFC allows (in
 * quoted strings, in words, with blanks inside), because mail programs do.
 *
 * Blanks between encoded words are not shown. Adjacent words of one character
 * set are decoded together, since a character may be split between them, though
 * it must not be. A word of an unknown set is guessed; what is no word stays.
 * Of a field that is longer than any, what is in the middle is left out.
 */
import { decodeBase64 } from './base64.ts'
import { charsetText } from './charset-text.ts'
import { unescapeInPlace } from './escapes.ts'

const EQUALS = 0x3d
const QUESTION = 0x3f
const UNDERSCORE = 0x5f
const MAX_CHARSET_CHARACTERS = 80
/** Words with a `?` within the content have been seen, in the Q encoding; so far an end of them is looked for. */
const MAX_LOOSE_CHARACTERS = 100
/** Of a field: a thousand addressees with their names. Nobody is shown as much of it. */
export const MAX_DECODED_CHARACTERS = 65_536
/** Of them, so many at its end. */
const MAX_END_CHARACTERS = 16_384
/** So far a blank is looked for, where a field is cut: no word is longer. */
const MAX_WORD_CHARACTERS = 256

interface Word {
  readonly charset: string
  readonly base64: boolean
  /** of the content */
  readonly from: number
  readonly to: number
  /** behind the word */
  readonly end: number
}

/** Words of one character set with nothing between them, decoded into one buffer. */
interface Waiting {
  readonly charset: string
  readonly from: number
  to: number
}

/** Of unfolded text, a byte a character. */
export function fieldText(written: string): string {
  const raw = written.length > MAX_DECODED_CHARACTERS ? bothEnds(written) : written
  return raw.includes('=?') ? new WordsReader(raw).read() : plainText(raw)
}

/** Cut where a word ends, and another one begins; where there is none near, between two characters of UTF-8, and an encoded word ends there. */
function bothEnds(raw: string): string {
  const most = MAX_DECODED_CHARACTERS - MAX_END_CHARACTERS - 3
  const rest = raw.length - MAX_END_CHARACTERS
  const blankBefore = raw.slice(most - MAX_WORD_CHARACTERS, most).lastIndexOf(' ')
  const blankBehind = raw.slice(rest, rest + MAX_WORD_CHARACTERS).indexOf(' ')
  const head = raw.slice(0, blankBefore < 0 ? most - partial(raw, most, -1) : most - MAX_WORD_CHARACTERS + blankBefore)
  const isOpen = blankBefore < 0 && OPEN_WORD.test(head.slice(Math.max(0, head.lastIndexOf('=?'))))
  return `${head}${isOpen ? '?=' : ''} ${raw.slice(blankBehind < 0 ? rest + partial(raw, rest, 1) : rest + blankBehind + 1)}`
}

/** An encoded word without its end. */
const OPEN_WORD = /^=\?[^?\s]{1,80}\?[bq]\?[^?]*$/i

/** How far it is in this direction to where no character of UTF-8 goes on: at most three bytes. */
function partial(raw: string, at: number, step: 1 | -1): number {
  let count = 0
  while (count < 3 && (raw.charCodeAt(at + step * count) & 0xc0) === 0x80 && raw.charCodeAt(at + step * count) < 0x100) count++
  return count
}

class WordsReader {
  private readonly raw: string
  /** What is decoded is never longer than what it is decoded from. */
  private readonly bytes: Buffer
  private used = 0
  private readonly shown: string[] = []
  private waiting: Waiting | null = null
  /** up to here everything is shown, or waits */
  private done = 0

  constructor(raw: string) {
    this.raw = raw
    this.bytes = Buffer.allocUnsafe(raw.length)
  }

  read(): string {
    const { raw } = this
    let at = 0
    for (let start = raw.indexOf('=?'); start >= 0; start = raw.indexOf('=?', at)) {
      const word = wordAt(raw, start)
      at = word?.end ?? start + 2
      if (word === null) continue
      if (this.waiting === null || !isBlank(raw, this.done, start)) {
        this.flush()
        this.plain(start)
      }
      this.add(word)
      this.done = at
    }
    this.flush()
    this.plain(raw.length)
    return this.shown.join('')
  }

  private plain(to: number): void {
    if (to > this.done) this.shown.push(plainText(this.raw.slice(this.done, to)))
  }

  private add(word: Word): void {
    if (this.waiting?.charset !== word.charset) this.flush()
    const from = this.used
    this.used += this.decode(word, from)
    if (this.waiting === null) this.waiting = { charset: word.charset, from, to: this.used }
    else this.waiting.to = this.used
  }

  /** Returns how many bytes they are. */
  private decode({ base64, from, to }: Word, at: number): number {
    const { raw, bytes } = this
    if (base64) return decodeBase64(Buffer.from(raw.slice(from, to), 'latin1')).bytes.copy(bytes, at)
    const content = bytes.subarray(at, at + to - from)
    for (let i = 0; i < content.length; i++) {
      const code = raw.charCodeAt(from + i)
      // RFC 2047 §4.2
      content[i] = code === UNDERSCORE ? 0x20 : code
    }
    return unescapeInPlace(content, EQUALS)
  }

  private flush(): void {
    const { waiting } = this
    if (waiting === null) return
    if (waiting.to > waiting.from) this.shown.push(charsetText(this.bytes.subarray(waiting.from, waiting.to), waiting.charset).text)
    this.waiting = null
  }
}

/** `=?charset?encoding?content?=`, the charset with the language of RFC 2231 §5. Null: there is none at `start`. */
function wordAt(raw: string, start: number): Word | null {
  const charsetEnd = endOfCharset(raw, start + 2)
  if (charsetEnd < 0 || raw.charCodeAt(charsetEnd + 2) !== QUESTION) return null
  const encoding = raw.charCodeAt(charsetEnd + 1) | 0x20
  if (encoding !== 0x62 && encoding !== 0x71) return null
  const from = charsetEnd + 3
  let to = raw.indexOf('?', from)
  if (to < 0) return null
  if (raw.charCodeAt(to + 1) !== EQUALS) {
    if (encoding !== 0x71) return null
    const within = raw.slice(from, from + MAX_LOOSE_CHARACTERS + 2).indexOf('?=')
    if (within < 0) return null
    to = from + within
  }
  const charset = raw.slice(start + 2, charsetEnd)
  const star = charset.indexOf('*')
  return { charset: (star < 0 ? charset : charset.slice(0, star)).toLowerCase(), base64: encoding === 0x62, from, to, end: to + 2 }
}

/** The `?` behind the name of a charset; -1: there is none. */
function endOfCharset(raw: string, from: number): number {
  for (let at = from; at <= from + MAX_CHARSET_CHARACTERS && at < raw.length; at++) {
    const code = raw.charCodeAt(at)
    if (code === QUESTION) return at > from ? at : -1
    if (code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0) return -1
  }
  return -1
}

function isBlank(raw: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = raw.charCodeAt(at)
    if (code !== 0x20 && code !== 0x09 && code !== 0x0d && code !== 0x0a) return false
  }
  return true
}

/** Bytes as characters, read as UTF-8 or windows-1252. */
export function plainText(raw: string): string {
  return /[\x80-\xff]/.test(raw) ? charsetText(Buffer.from(raw, 'latin1'), undefined).text : raw
}
