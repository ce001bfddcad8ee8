/**
 * A pattern that is too long for one, as parts of which one must match: sites have
 * lists of thousands of hosts in one alternation. Split are the alternatives of the
 * whole pattern, or of its longest group; what stands before and behind that group
 * stands in every part. Only where that means the same. Pure.
 */

/** Parts are about as long: patterns have bounds. */
const PART_CHARACTERS = 4096
const MAX_PARTS = 64
/** What ties alternatives together: references, conditions, verbs, flags that hold from there on. */
const TIED = /\\[1-9gkKG]|\(\?(?:[-a-z^]+\)|[(&PR\d+|])|\(\*/

const CLASS_NAME = /^\[:\^?[a-z]+:\]/

interface Span {
  readonly from: number
  readonly to: number
  /** of its own signs `|` */
  readonly bars: readonly number[]
}

/** undefined: it cannot be split */
export function patternParts(source: string): readonly string[] | undefined {
  const span = TIED.test(source) ? undefined : alternation(source)
  if (span === undefined) return undefined
  const [before, behind] = [source.slice(0, span.from), source.slice(span.to)]
  if (before.length + behind.length > PART_CHARACTERS) return undefined
  const parts: string[] = []
  let from = span.from
  for (const [index, bar] of span.bars.entries()) {
    // As many as fit: the next one would be too much.
    if ((span.bars[index + 1] ?? span.to) - from <= PART_CHARACTERS) continue
    parts.push(`${before}(?:${source.slice(from, bar)})${behind}`)
    from = bar + 1
  }
  parts.push(`${before}(?:${source.slice(from, span.to)})${behind}`)
  return parts.length > 1 && parts.length <= MAX_PARTS ? parts : undefined
}

/** Of the whole pattern; otherwise the longest group that lies in no other one and is not repeated. */
function alternation(source: string): Span | undefined {
  const whole: number[] = []
  let longest: Span | undefined
  let [depth, begin, bars]: [number, number, number[]] = [0, 0, []]
  for (let at = 0; at < source.length; at++) {
    switch (source[at]) {
      case '\\': at++; break
      case '[': at = endOfClass(source, at); break
      case '(':
        if (depth++ === 0) [begin, bars] = [at, []]
        break
      case '|':
        if (depth === 0) whole.push(at)
        else if (depth === 1) bars.push(at)
        break
      case ')': {
        if (--depth !== 0) break
        const from = beginOfGroup(source, begin)
        if (from !== undefined && bars.length > 0 && at - from > (longest === undefined ? 0 : longest.to - longest.from) && !/[*+?{]/.test(source[at + 1] ?? '')) longest = { from, to: at, bars }
        break
      }
      default: // stands for itself
    }
  }
  return whole.length > 0 ? { from: 0, to: source.length, bars: whole } : longest
}

/** Behind `(` or `(?:`; undefined: some other kind of group. */
function beginOfGroup(source: string, at: number): number | undefined {
  return source[at + 1] !== '?' ? at + 1 : source[at + 2] === ':' ? at + 3 : undefined
}

function endOfClass(source: string, at: number): number {
  let end = source[at + 1] === '^' ? at + 2 : at + 1
  // The first sign may be the bracket itself.
  if (source[end] === ']') end++
  for (; end < source.length && source[end] !== ']'; end++) {
    if (source[end] === '\\') end++
    else if (source[end] === '[') end += Math.max(0, (CLASS_NAME.exec(source.slice(end, end + 16))?.[0].length ?? 0) - 1)
  }
  return end
}
