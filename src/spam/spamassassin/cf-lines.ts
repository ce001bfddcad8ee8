/**
 * Lines of a file of SpamAssassin's (Mail::SpamAssassin::Conf, "FILE FORMAT"):
 * a keyword and what follows it; `#` begins a comment unless a backslash stands
 * before it; one setting a line. Bytes are characters (latin1), for patterns are
 * about bytes. Bounds: 65,536 characters of a line, 100,000 lines. Pure.
 */

export interface CfLine {
  /** counted from 1 */
  readonly line: number
  /** lower case */
  readonly keyword: string
  /** without blanks at its ends */
  readonly value: string
}

export type CfReading = readonly (CfLine | { readonly line: number; readonly problem: string })[]

const MAX_LINE_CHARACTERS = 65_536
const MAX_LINES = 100_000

export function readCfLines(text: string): CfReading {
  const found: (CfLine | { readonly line: number; readonly problem: string })[] = []
  let line = 0
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at)
    const next = end < 0 ? text.length : end + 1
    if (++line > MAX_LINES) {
      found.push({ line, problem: `the file has more than ${MAX_LINES} lines; the rest is not read` })
      break
    }
    if (next - at > MAX_LINE_CHARACTERS) found.push({ line, problem: `the line has more than ${MAX_LINE_CHARACTERS} characters` })
    else {
      const plain = withoutComment(text.slice(at, next)).trim()
      const blank = plain.search(/\s/)
      if (plain !== '') found.push({ line, keyword: (blank < 0 ? plain : plain.slice(0, blank)).toLowerCase(), value: blank < 0 ? '' : plain.slice(blank).trim() })
    }
    at = next
  }
  return found
}

function withoutComment(line: string): string {
  if (!line.includes('#')) return line
  const comment = /(?<!\\)#/.exec(line)
  return (comment === null ? line : line.slice(0, comment.index)).replaceAll('\\#', '#')
}
