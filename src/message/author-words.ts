/**
 * Text as a mail client shows it: encoded words decoded (RFC 2047), wherever
 * they stand. More is decoded than the RFC allows (in quoted strings, with
 * blanks and folds inside), because clients do.
 *
 * What cannot be decoded stays as it is; in an unknown character set each byte
 * is a character, so that ASCII in it is still seen. Nothing throws.
 */

/** RFC 2047 §2; charset with the language of RFC 2231 §5. A fold may stand where no blank may. */
const ENCODED_WORD = /=\?([^?\s]{1,80})\?([bq])\?([^?]*)\?=/giy

/** Adjacent encoded words are one text, the blanks between them are not shown (RFC 2047 §6.2). */
export function decodeWords(text: string): string {
  if (!text.includes('=?')) return text
  let shown = ''
  let waiting: Word | null = null
  let at = 0
  while (at < text.length) {
    const start = text.indexOf('=?', at)
    const between = text.slice(at, start < 0 ? text.length : start)
    const word = start < 0 ? null : wordAt(text, start)
    const adjacent = waiting !== null && word !== null && /^\s*$/.test(between)
    if (!adjacent) {
      shown += textOf(waiting) + between
      waiting = null
    }
    if (start < 0) break
    if (word === null) shown += '=?'
    // A character may be cut in two by the end of a word, though it must not be (RFC 2047 §5).
    else if (waiting !== null && waiting.charset === word.charset) waiting.bytes.push(...word.bytes)
    else {
      shown += textOf(waiting)
      waiting = word
    }
    at = word === null ? start + 2 : word.end
  }
  return shown + textOf(waiting)
}

interface Word {
  readonly charset: string
  readonly bytes: Buffer[]
  readonly end: number
}

function wordAt(text: string, start: number): Word | null {
  ENCODED_WORD.lastIndex = start
  const match = ENCODED_WORD.exec(text)
  if (match === null) return null
  const [, charset = '', encoding = '', content = ''] = match
  const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(content, 'base64') : quotedPrintable(content)
  return { charset: charset.toLowerCase().replace(/\*.*$/, ''), bytes: [bytes], end: ENCODED_WORD.lastIndex }
}

/** RFC 2047 §4.2 */
function quotedPrintable(content: string): Buffer {
  // every other part is what stood behind a =
  const parts = content.replaceAll('_', ' ').split(/=([0-9a-f]{2})/i)
  return Buffer.concat(parts.map((part, i) => Buffer.from(part, i % 2 === 1 ? 'hex' : 'utf8')))
}

function textOf(word: Word | null): string {
  if (word === null) return ''
  const bytes = Buffer.concat(word.bytes)
  try {
    return new TextDecoder(word.charset).decode(bytes)
  } catch {
    // not a character set that is known here
    return bytes.toString('latin1')
  }
}
