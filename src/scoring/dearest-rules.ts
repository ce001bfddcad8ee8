/**
 * Which of a site's rules take the most of what is too much: the time to make them
 * ready for use, or the memory that they then take. Where no rule stands out, it is
 * told what kinds there are, of which files, and what these take together.
 */
import type { RulePlace } from '../spam/rules/load.ts'
import type { PackedRules } from './packed-rules.ts'
import type { RuleKind } from './rule-kinds.ts'
import { mixed, Scale, type Weighed, type Weighing } from './rule-scale.ts'
import { RuleStock } from './rule-stock.ts'

/** Of all that is taken: a rule that takes so much by itself is named. */
const STANDS_OUT = 0.05
const MOST_NAMED = 5
const MOST_FILES = 3
/** Beside those that take so much nothing more need be said. */
const MOST_OF_IT = 0.5
const WORTH_TELLING = 0.05
const GROUPS = 24
/** Of each kind a few groups are weighed before there is no time left. */
const ROUNDS = 6

interface Kind extends Weighed {
  readonly kind: RuleKind
  readonly known: boolean
}

/** Of rules that could be read and are too dear, or near to it. */
export async function dearestOf(packed: PackedRules, places: readonly RulePlace[], weighing: Weighing): Promise<string> {
  const stock = new RuleStock(packed)
  const scale = new Scale(stock, weighing)
  const members = membersByKind(stock, places)
  const all = [...members.values()].reduce((sum, { length }) => sum + length, 0)
  // In each group the rules of all files are mixed.
  const groups = [...members.values()].flatMap((some) => mixed(some, Math.ceil(GROUPS * some.length / all)))
  const weighed = await scale.weighAll(mixed(groups, ROUNDS).flat())
  const kinds = Array.from(members, ([kind, some]) => kindFrom(weighed, kind, some)).sort((a, b) => b.weight - a.weight || b.members.length - a.members.length)
  // What is not known of one kind is not known of the others' shares.
  const estimate = kinds.every(({ known }) => known) ? sumOf(kinds) : 0
  const single = estimate === 0 ? [] : (await scale.single(weighed, STANDS_OUT * estimate)).slice(0, MOST_NAMED)
  const total = Math.max(estimate, sumOf(single))
  const named = single.map(({ members: [one = 0], weight, cut }) => `${stock.ids[one] ?? ''} (${describe(places[one])})${cut ? ` more than ${amount(weight, weighing.by)}` : percent(weight, total)}`)
  if (sumOf(single) > MOST_OF_IT * total) return `the dearest: ${named.join(', ')}`
  const told = kinds.filter(({ weight }) => total === 0 || weight >= WORTH_TELLING * total).map((one) => `${counted(one.members.length)} ${one.kind}${percent(one.weight, total)} (${filesOf(one.members.map((number) => places[number]))})`)
  const first = named.length > 0 ? [`the dearest: ${named.join(', ')}`] : scale.inTime && total > 0 ? ['no single rule stands out'] : []
  return [...first, `by kind: ${told.join('; ')}`].join('; ')
}

/** Of the site's. */
function membersByKind({ kinds }: RuleStock, places: readonly RulePlace[]): ReadonlyMap<RuleKind, readonly number[]> {
  const found = new Map<RuleKind, number[]>()
  for (const [number, kind] of kinds.entries()) {
    if (places[number]?.site !== true) continue
    const members = found.get(kind)
    if (members === undefined) found.set(kind, [number])
    else members.push(number)
  }
  return found
}

/** What was found of some of a kind holds for all of it. */
export function kindFrom(weighed: readonly Weighed[], kind: RuleKind, members: readonly number[]): Kind {
  const own = new Set(members)
  const some = weighed.filter(({ members: [one] }) => one !== undefined && own.has(one))
  const known = some.reduce((sum, one) => sum + one.members.length, 0)
  return { kind, members, known: known > 0, cut: some.some(({ cut }) => cut), weight: known === 0 ? 0 : sumOf(some) * members.length / known }
}

function sumOf(weighed: readonly Weighed[]): number {
  return weighed.reduce((sum, { weight }) => sum + weight, 0)
}

function describe(place: RulePlace | undefined): string {
  return place?.line === undefined ? place?.source ?? '' : `${place.source}:${place.line}`
}

/** How many are in which, most first. */
function filesOf(places: readonly (RulePlace | undefined)[]): string {
  const counts = new Map<string, number>()
  for (const place of places) counts.set(place?.source ?? '', (counts.get(place?.source ?? '') ?? 0) + 1)
  const files = [...counts].sort(([, a], [, b]) => b - a)
  const more = files.length > MOST_FILES ? [`${files.length - MOST_FILES} more files`] : []
  return [...files.slice(0, MOST_FILES).map(([source, count]) => `${source}: ${count}`), ...more].join(', ')
}

function counted(rules: number): string {
  return `${rules} rule${rules === 1 ? '' : 's'}`
}

function amount(weight: number, by: Weighing['by']): string {
  return by === 'ms' ? `${Number((weight / 1000).toFixed(1))} s of computing` : `${Math.round(weight)} MB`
}

/** Nothing where nothing was found out. */
function percent(weight: number, total: number): string {
  return total === 0 ? '' : ` ${Math.round(100 * weight / total)} %`
}
