/**
 * What a text must hold for a pattern to match: a set of literals, folded, of
 * which one is in every text that matches. Long and rare ones are best, and
 * few. Never more is said than is true; where nothing is known, undefined.
 */
import { foldCodePoint, unicodeFold, variantsOf } from './fold.ts'
import type { Node } from './syntax.ts'

const MAX_LITERALS = 96
const MAX_LITERAL_CHARACTERS = 32
/** Above this, about so often in a character of text, a search for the literals spares nothing. */
const MAX_COST = 0.004

type Strings = readonly string[]

/** What is known of the texts that a node matches. Prefixes and suffixes are each a set of which one holds. */
interface Known {
  /** all of them; undefined: too many, or too long */
  readonly exact: Strings | undefined
  readonly prefixes: Strings
  readonly suffixes: Strings
  /** one of these is in each */
  readonly inside: Strings | undefined
}

const BLANK: Strings = ['']
const UNKNOWN: Known = { exact: undefined, prefixes: BLANK, suffixes: BLANK, inside: undefined }
const NOTHING: Known = { exact: BLANK, prefixes: BLANK, suffixes: BLANK, inside: undefined }

export function requiredLiterals(root: Node): Strings | undefined {
  const { exact, inside } = knownOf(root)
  const best = better(exact, inside)
  return best === undefined || costOf(best) > MAX_COST ? undefined : best.map((literal) => literal.slice(0, MAX_LITERAL_CHARACTERS))
}

function knownOf(node: Node): Known {
  switch (node.kind) {
    case 'character': return ofCharacters([node.code], node.fold !== undefined)
    case 'set': return node.set.few === undefined ? UNKNOWN : ofCharacters(node.set.few, true)
    case 'sequence': return ofSequence(node.items)
    case 'choice': return ofChoice(node.branches)
    case 'repeat': return ofRepeat(node)
    case 'capture':
    case 'atomic': return knownOf(node.body)
    case 'look': {
      if (node.negative) return NOTHING
      const { exact, inside } = knownOf(node.body)
      return { ...NOTHING, inside: better(exact, inside) }
    }
    case 'reference': return UNKNOWN
    case 'assertion':
    case 'word-edge': return NOTHING
  }
}

/** A character beyond the first plane that has case is two in every text: not known. */
function ofCharacters(codes: readonly number[], folds: boolean): Known {
  const table = unicodeFold()
  if (folds && codes.some((code) => code > 0xffff && variantsOf(code, table).length > 1)) return UNKNOWN
  return ofExact([...new Set(codes.map((code) => String.fromCodePoint(code > 0xffff ? code : foldCodePoint(code, table))))])
}

function ofExact(exact: Strings): Known {
  return { exact, prefixes: exact, suffixes: exact, inside: undefined }
}

function ofSequence(items: readonly Node[]): Known {
  let known = NOTHING
  for (const item of items) known = joined(known, knownOf(item))
  return known
}

function joined(left: Known, right: Known): Known {
  const exact = left.exact === undefined || right.exact === undefined ? undefined : products(left.exact, right.exact)
  const inside = better(left.inside, right.inside)
  if (exact !== undefined) return { exact, prefixes: exact, suffixes: exact, inside }
  const ends = left.exact ?? left.suffixes
  const begins = right.exact ?? right.prefixes
  const across = products(ends, begins)
  return {
    exact: undefined,
    prefixes: left.exact === undefined ? left.prefixes : products(left.exact, begins) ?? left.exact,
    suffixes: right.exact === undefined ? right.suffixes : products(ends, right.exact) ?? right.exact,
    inside: better(inside, better(across, better(ends, begins))),
  }
}

function products(left: Strings, right: Strings): Strings | undefined {
  if (left.length * right.length > MAX_LITERALS) return undefined
  const found = new Set<string>()
  for (const first of left) {
    for (const second of right) {
      if (first.length + second.length > MAX_LITERAL_CHARACTERS) return undefined
      found.add(first + second)
    }
  }
  return [...found]
}

function ofChoice(branches: readonly Node[]): Known {
  const all = branches.map(knownOf)
  const exact = union(all.map((known) => known.exact))
  return {
    exact,
    prefixes: exact ?? union(all.map((known) => known.exact ?? known.prefixes)) ?? BLANK,
    suffixes: exact ?? union(all.map((known) => known.exact ?? known.suffixes)) ?? BLANK,
    inside: union(all.map((known) => better(known.exact, known.inside))),
  }
}

function union(sets: readonly (Strings | undefined)[]): Strings | undefined {
  const found = new Set<string>()
  for (const set of sets) {
    if (set === undefined) return undefined
    for (const literal of set) found.add(literal)
    if (found.size > MAX_LITERALS) return undefined
  }
  return [...found]
}

function ofRepeat({ body, least, most }: Extract<Node, { kind: 'repeat' }>): Known {
  const once = knownOf(body)
  if (most === 0) return NOTHING
  if (least === 0) {
    const exact = most === 1 && once.exact !== undefined ? union([BLANK, once.exact]) : undefined
    return exact === undefined ? UNKNOWN : ofExact(exact)
  }
  let known = once
  for (let times = 1; times < Math.min(least, MAX_LITERAL_CHARACTERS); times++) known = joined(known, once)
  if (least === most && least <= MAX_LITERAL_CHARACTERS) return known
  return { exact: undefined, prefixes: known.exact ?? known.prefixes, suffixes: known.exact ?? known.suffixes, inside: better(known.exact, known.inside) }
}

function better(one: Strings | undefined, other: Strings | undefined): Strings | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return costOf(one) <= costOf(other) ? one : other
}

/** How often a character of mail is this one, about; letters that are rarer than these count as 0.02. */
const COMMON: ReadonlyMap<string, number> = new Map([
  [' ', 0.17], ['e', 0.1], ['t', 0.08], ['a', 0.07], ['o', 0.07], ['i', 0.06], ['n', 0.06], ['s', 0.06], ['r', 0.06], ['h', 0.04], ['l', 0.04], ['d', 0.03], ['\n', 0.03], ['u', 0.03],
])
const LETTER = 0.02
const OTHER = 0.01
/** A stretch of text is never so unlikely that length alone makes a difference. */
const FLOOR = 1e-9

export function rarityOf(literal: string): number {
  let share = 1
  for (const character of literal) share *= COMMON.get(character) ?? (/[a-z0-9]/.test(character) ? LETTER : OTHER)
  return Math.max(share, FLOOR)
}

function costOf(literals: Strings): number {
  let cost = 0
  for (const literal of literals) cost += rarityOf(literal)
  return cost
}
