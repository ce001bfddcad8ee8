/**
 * Which values a number can have at all, and what follows for comparisons with
 * it: some can never hold, and some always do. Whoever wrote such a one meant
 * another.
 */
import { OPERATORS } from './arithmetic.ts'
import type { Comparison } from './read-values.ts'
import { ALWAYS_KNOWN } from './measures.ts'
import type { MeasureName } from './measures.ts'
import type { NumberFact } from '../facts.ts'

export interface Range {
  readonly least: number
  readonly most: number
  /** nothing between whole numbers */
  readonly whole: boolean
  /** it is known of every message: what holds for every number holds for every message */
  readonly known?: true
}

/** Of characters, of bytes. */
export const COUNT: Range = { least: 0, most: Infinity, whole: true }
/** Of things: there may be none. */
export const HOW_MANY: Range = { ...COUNT, known: true }
export const SHARE: Range = { least: 0, most: 1, whole: false }
export const PORT: Range = { least: 0, most: 65_535, whole: true }
const FLAG: Range = { least: 0, most: 1, whole: true }
const RATIO: Range = { least: 0, most: Infinity, whole: false }
const ANY: Range = { least: -Infinity, most: Infinity, whole: false }

/** Of so many things some. */
export function upTo(most: number): Range {
  return { ...HOW_MANY, most }
}

const KNOWN: ReadonlySet<string> = ALWAYS_KNOWN

/** All others count something. */
const OF_NUMBERS: ReadonlyMap<MeasureName | NumberFact, Range> = new Map<MeasureName | NumberFact, Range>([
  ['subject_capitals', SHARE], ['text_capitals', SHARE], ['hidden_share', SHARE], ['domain_spam_share', SHARE],
  ['text_share', RATIO], ['links_per_1000', RATIO], ['words_per_image', RATIO], ['domain_age', RATIO],
  ['date_skew_hours', ANY],
  ['html', FLAG], ['html_base', FLAG], ['html_refresh', FLAG], ['html_truncated', FLAG],
])

export function rangeOf(name: MeasureName | NumberFact): Range {
  const range = OF_NUMBERS.get(name) ?? COUNT
  return KNOWN.has(name) ? { ...range, known: true } : range
}

/** Undefined: they hold for some numbers, and not for others. */
export function senseless(comparisons: readonly Comparison[], range: Range): string | undefined {
  const holds = telling(comparisons, range).map((value) => comparisons.every((one) => OPERATORS[one.operator](value, one.value)))
  if (!holds.includes(true)) return 'can never hold'
  return range.known === true && !holds.includes(false) ? 'always holds' : undefined
}

/** Between two of these nothing changes. */
function telling(comparisons: readonly Comparison[], { least, most, whole }: Range): readonly number[] {
  const bounds = [...new Set(comparisons.map(({ value }) => value))].sort((a, b) => a - b)
  const [first = 0, last = 0] = [bounds[0], bounds.at(-1)]
  const between = bounds.slice(1).map((bound, at) => (bound + (bounds[at] ?? bound)) / 2)
  const values = [first - 1, ...bounds, ...between, last + 1, least, most].filter(Number.isFinite)
  const possible = whole ? values.flatMap((value) => [Math.ceil(value) - 1, Math.floor(value), Math.ceil(value), Math.floor(value) + 1]) : values
  return possible.filter((value) => value >= least && value <= most)
}

/** `whole numbers from 0 to 3` */
export function describeRange({ least, most, whole }: Range): string {
  const from = least === -Infinity ? '' : ` from ${least} ${most === Infinity ? 'on' : `to ${most}`}`
  return `${whole ? 'whole numbers' : 'numbers'}${from}`
}
