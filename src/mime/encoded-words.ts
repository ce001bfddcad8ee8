/**
 * The text of a field as a mail program shows it: bytes outside ASCII read as
 * UTF-8 (RFC 6532), otherwise as windows-1252, and encoded words decoded
 * (RFC 2047) wherever they stand. More is decoded than the RFC allows (in
 * quoted strings, in words, with blanks inside), because mail programs do.
 *
 * Blanks between encoded words are not shown. Adjacent words of one character
 * set are decoded together, since a character may be split between them, though
 * it must not be. A word of an unknown set is guessed; what is no word stays.
 */
import { decodeBase64 } from './base64.ts'
import { charsetText } from './charset-text.ts'

/** Charset with the language of RFC 2231 §5, encoding, content. */
const WORD = /=\?([^?\s]{1,80})\?([bqBQ])\?([^?]*)\?=/y
/** Words broken like this have been seen: `?` within the content of a Q word. */
const LOOSE_WORD = /=\?([^?\s]{1,80})\?([qQ])\?((?:[^?]|\?(?!=)){0,100})\?=/y

interface Word {
  readonly charset: string
  readonly pieces: Buffer[]
  readonly end: number
}

/** Of unfolded text, a byte a character. */
export function fieldText(raw: string): string {
  if (!raw.includes('=?')) return plainText(raw)
  let shown = ''
  let waiting: Word | null = null
  let at = 0
  while (at < raw.length) {
    const start = raw.indexOf('=?', at)
    const between = raw.slice(at, start < 0 ? raw.length : start)
    const word = start < 0 ? null : wordAt(raw, start)
    if (waiting === null || word === null || !/^[ \t\r\n]*$/.test(between)) {
      shown += wordText(waiting) + plainText(between)
      waiting = null
    }
    if (start < 0) break
    if (word === null) shown += '=?'
    else if (waiting?.charset === word.charset) waiting.pieces.push(...word.pieces)
    else {
      shown += wordText(waiting)
      waiting = word
    }
    at = word?.end ?? start + 2
  }
  return shown + wordText(waiting)
}

function wordAt(raw: string, start: number): Word | null {
  WORD.lastIndex = start
  LOOSE_WORD.lastIndex = start
  const match = WORD.exec(raw) ?? LOOSE_WORD.exec(raw)
  if (match === null) return null
  const [whole, charset = '', encoding = '', content = ''] = match
  const bytes = encoding === 'b' || encoding === 'B' ? decodeBase64(Buffer.from(content, 'latin1')).bytes : decodeQ(content)
  const star = charset.indexOf('*')
  return { charset: (star < 0 ? charset : charset.slice(0, star)).toLowerCase(), pieces: [bytes], end: start + whole.length }
}

/** RFC 2047 §4.2 */
function decodeQ(content: string): Buffer {
  const binary = content.replace(/_/g, ' ').replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(binary, 'latin1')
}

function wordText(word: Word | null): string {
  if (word === null) return ''
  const bytes = word.pieces.length === 1 ? word.pieces[0] : Buffer.concat(word.pieces)
  return charsetText(bytes ?? Buffer.alloc(0), word.charset).text
}

/** Bytes as characters, read as UTF-8 or windows-1252. */
export function plainText(raw: string): string {
  return /[\x80-\xff]/.test(raw) ? charsetText(Buffer.from(raw, 'latin1'), undefined).text : raw
}
