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

const CLOSING: ReadonlyMap<string, string> = new Map([['{', '}'], ['(', ')'], ['[', ']'], ['<', '>']])

/** The parts of it; a problem where it is no pattern. */
export function writtenPattern(text: string): WrittenPattern | string {
  const open = /^(?:\/|(?:m|qr)\s*([^\w\s]))/.exec(text)
  if (open === null) return 'no pattern stands there; it is written /…/ or m{…}'
  const sign = open[1] ?? '/'
  const end = text.lastIndexOf(CLOSING.get(sign) ?? sign)
  if (end < open[0].length) return 'the pattern is not closed'
  const flags = text.slice(end + 1).trim()
  const strange = /[^msixpaludn]/.exec(flags)
  if (strange !== null) return /^[a-z]+$/i.test(flags) ? `a pattern cannot have the flag ${strange[0]}` : 'something stands behind the pattern'
  return { source: text.slice(open[0].length, end), flags }
}

export function compilePattern({ source, flags }: WrittenPattern): Pattern | string {
  if (/(?<!\\)%\{[A-Za-z]\w*\}/.test(source)) return 'the pattern holds a tag that another rule sets'
  const kept = [...new Set(flags.replace(/[pld]/g, ''))].join('')
  const reading = readPattern(source, /[ua]/.test(kept) ? kept : `${kept}d`)
  return reading.status === 'read' ? reading.pattern : `the pattern cannot be used: ${reading.problem}, at character ${reading.at + 1} of it`
}
