/**
 * A pattern as a rule of SpamAssassin's writes it: `/…/i`, `m{…}x`, `m!…!`. It is
 * read for text that is bytes. Pure.
 */
import type { Pattern } from '../patterns/pattern.ts'
import { readPattern } from '../patterns/read-pattern.ts'

export interface WrittenPattern {
  readonly source: string
  readonly flags: string
}

const NONE = 'no pattern stands there; it is written /…/ or m{…}'
const OPEN = 'the pattern is not closed'
/** As if a part of it were missing. */
export const UNFINISHED: ReadonlySet<string> = new Set([NONE, OPEN])

const CLOSING: ReadonlyMap<string, string> = new Map([['{', '}'], ['(', ')'], ['[', ']'], ['<', '>']])

/** The parts of it; a problem where it is no pattern. */
export function writtenPattern(text: string): WrittenPattern | string {
  const open = /^(?:\/|(?:m|qr)\s*([^\w\s]))/.exec(text)
  if (open === null) return NONE
  const sign = open[1] ?? '/'
  const end = text.lastIndexOf(CLOSING.get(sign) ?? sign)
  if (end < open[0].length) return OPEN
  const flags = text.slice(end + 1).trim()
  const strange = /[^msixpaludn]/.exec(flags)
  if (strange !== null) return /^[a-z]+$/i.test(flags) ? `a pattern cannot have the flag ${strange[0]}` : 'something stands behind the pattern'
  return { source: text.slice(open[0].length, end), flags }
}

/** What makes a whole pattern one of Unicode's rules (perlre, "/d, /u, /a, and /l"): `\p{…}`, `\N{U+…}`, a character beyond the bytes. */
const UNICODE = /(?<!\\)(?:\\\\)*\\(?:[pP]|N\{U|x\{\s*0*[1-9a-fA-F][\da-fA-F]{2,}\s*\}|o\{\s*0*[4-7][0-7]{2}|o\{\s*0*[1-7][0-7]{3,})/

export function compilePattern({ source, flags }: WrittenPattern): Pattern | string {
  if (/(?<!\\)%\{[A-Za-z]\w*\}/.test(source)) return 'the pattern holds a tag that another rule sets'
  const kept = [...new Set(flags.replace(/[pld]/g, ''))].join('')
  const reading = readPattern(source, /[ua]/.test(kept) ? kept : `${kept}${UNICODE.test(source) ? 'u' : 'd'}`)
  return reading.status === 'read' ? reading.pattern : `the pattern cannot be used: ${reading.problem}, at character ${reading.at + 1} of it`
}
