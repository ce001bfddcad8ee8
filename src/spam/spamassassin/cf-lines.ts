/**
 * Lines of a file of SpamAssassin's (Mail::SpamAssassin::Conf, "FILE FORMAT"):
 * a keyword and what follows it; `#` begins a comment unless a backslash stands
 * before it; one setting a line. Bytes are characters (latin1), for patterns are
 * about bytes; blanks are those of ASCII. Bounds: 262,144 characters of a line, 100,000 lines. Pure.
 */

import { withoutEdges } from './texts/bytes.ts'

export interface CfLine {
  /** counted from 1 */
  readonly line: number
  /** lower case, with underscores for dashes */
  readonly keyword: string
  /** without blanks at its ends */
  readonly value: string
  /** a comment stood behind it */
  readonly cut?: true
}

export type CfReading = readonly (CfLine | { readonly line: number; readonly problem: string })[]

const MAX_LINE_CHARACTERS = 262_144
const MAX_LINES = 100_000
/** That some editors put in front of UTF-8. */
const MARK = '\xef\xbb\xbf'

export function readCfLines(text: string): CfReading {
  const found: (CfLine | { readonly line: number; readonly problem: string })[] = []
  if (/^(?:\xff\xfe|\xfe\xff)/.test(text)) return [{ line: 1, problem: 'the file is in UTF-16, and nothing of it is read; save it as UTF-8' }]
  let line = 0
  for (let at = text.startsWith(MARK) ? MARK.length : 0; at < text.length;) {
    const end = text.indexOf('\n', at)
    const next = end < 0 ? text.length : end + 1
    if (++line > MAX_LINES) {
      found.push({ line, problem: `the file has more than ${MAX_LINES} lines; the rest is not read` })
      break
    }
    if (next - at > MAX_LINE_CHARACTERS) found.push({ line, problem: `the line has more than ${MAX_LINE_CHARACTERS} characters` })
    else {
      const whole = text.slice(at, next)
      const comment = commentIn(whole)
      const plain = withoutEdges(comment < 0 ? whole : whole.slice(0, comment)).replaceAll('\\#', '#')
      const blank = plain.search(/[ \t-\r]/)
      if (plain !== '') found.push({ line, keyword: (blank < 0 ? plain : plain.slice(0, blank)).toLowerCase().replaceAll('-', '_'), value: blank < 0 ? '' : withoutEdges(plain.slice(blank)), ...(comment >= 0 && { cut: true }) })
    }
    at = next
  }
  return found
}

/** Where it begins; -1: there is none. */
function commentIn(line: string): number {
  return line.includes('#') ? line.search(/(?<!\\)#/) : -1
}
