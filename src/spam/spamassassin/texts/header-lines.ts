/**
 * The header of a message as it stands, with its folds: SpamAssassin's `:raw`
 * forms, and what all others are made of. Values are bytes, a byte a character,
 * and end in a line feed as rules expect. Pure; nothing throws.
 */
import { fieldText, plainText } from '../../../mime/encoded-words.ts'
import { toBytes, withoutEdges } from './bytes.ts'

export class HeaderLine {
  /** lower case */
  readonly name: string
  readonly spelling: string
  /** behind the colon, as it stands */
  readonly raw: string
  #decoded: string | undefined

  constructor(spelling: string, raw: string) {
    this.name = spelling.toLowerCase()
    this.spelling = spelling
    this.raw = raw
  }

  /** unfolded, in UTF-8, encoded words decoded */
  get decoded(): string {
    this.#decoded ??= `${decodedField(this.name, this.raw)}\n`
    return this.#decoded
  }
}

const MAX_LINES = 2000
const NAME = /^([!-9;-~]+)[ \t]*:/

/** Offset behind the empty line that ends the header; the end where there is none. */
export function headerEnd(message: string): number {
  if (message.startsWith('\n')) return 1
  const end = message.indexOf('\n\n')
  return end < 0 ? message.length : end + 2
}

/** Of a header with LF as line ends. */
export function readHeaderLines(header: string): readonly HeaderLine[] {
  const lines: HeaderLine[] = []
  for (let at = 0; at < header.length && lines.length < MAX_LINES;) {
    let end = header.indexOf('\n', at)
    for (; end >= 0 && (header.charCodeAt(end + 1) === 0x20 || header.charCodeAt(end + 1) === 9); end = header.indexOf('\n', end + 1));
    const next = end < 0 ? header.length : end + 1
    const entry = header.slice(at, next)
    const found = NAME.exec(entry)
    if (found?.[1] !== undefined) lines.push(new HeaderLine(found[1], entry.slice(found[0].length)))
    at = next
  }
  return lines
}

/** They are made by programs: what looks like an encoded word is none there. */
const WITHOUT_WORDS = /^(?:received|(?:resent-)?(?:message-id|date)|mime-version|references|in-reply-to|list-.*)$/

/** @param name lower case */
export function decodedField(name: string, raw: string): string {
  const unfolded = raw.includes('\n') ? raw.split('\n').map(withoutEdges).filter((line) => line !== '').join(' ') : withoutEdges(raw)
  const utf8 = /[\x80-\xff]/.test(unfolded) ? toBytes(plainText(unfolded)) : unfolded
  return utf8.includes('=?') && !WITHOUT_WORDS.test(name) ? toBytes(fieldText(utf8)) : utf8
}
