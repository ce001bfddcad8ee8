/**
 * What a text must hold for a pattern to match: a set of literals, folded, of
 * which one is in every text that matches, and how far from the match's begin.
 * Long and rare ones are best, and few. Never more is said than is true; where
 * nothing is known, undefined. That a literal begins or ends a word is said by a
 * mark (edges.ts).
 */
import { EDGE, joinedLiterals, lengthOf } from './edges.ts'
import { foldCodePoint, unicodeFold, variantsOf } from './fold.ts'
import { rarityOf } from './rarity.ts'
import { widthOf } from './syntax.ts'
import type { Node, Width } from './syntax.ts'

/** Of what is put together of neighbours, and of branches in all: these cost a place in a table each, and no more. */
const MAX_LITERALS = 96
const MAX_BRANCHES = 512
const MAX_LITERAL_CHARACTERS = 32
/** Of a class, characters that are told one by one. */
const MAX_ALTERNATIVES = 5
/** Above this, about so often in a character of text, a search for the literals spares nothing. */
const MAX_COST = 0.008
/** Below this it spares much, wherever it stands. */
const RARE = 0.0025
/** So many places at which a match may begin before a literal cost as much again as the one; and more than so many do not cost more. */
const NARROW = 64
const WIDE = 512

/** One of these begins so many code units behind the begin of what is matched; before it, where that is negative. */
export interface Placed {
  readonly all: readonly string[]
  readonly at: Width
}

/** Literals of which one is there. */
class Literals {
  readonly all: readonly string[]
  #cost: number | undefined

  constructor(all: readonly string[]) {
    this.all = all
  }

  /** How often one of them is found in a character of text, about. Most sets are a step on the way to others, and nobody asks. */
  get cost(): number {
    return this.#cost ??= this.all.reduce((cost, literal) => cost + rarityOf(literal), 0)
  }
}

interface Candidate {
  readonly literals: Literals
  readonly at: Width
}

/** What is known of the texts that a node matches. Prefixes and suffixes are each a set of which one holds. */
interface Known {
  /** all of them; undefined: too many, or too long */
  readonly exact: Literals | undefined
  readonly prefixes: Literals
  readonly suffixes: Literals
  /** one of these is in each, or beside it */
  readonly inside: Candidate | undefined
  readonly width: Width
}

const BLANK = new Literals([''])
const AT_BEGIN: Width = { least: 0, most: 0 }
/** Characters that fold to letters of ASCII; who counts them among words has words of Unicode. */
const FOLD_TO_ASCII = [0x17f, 0x212a]
const NOTHING: Known = { exact: BLANK, prefixes: BLANK, suffixes: BLANK, inside: undefined, width: AT_BEGIN }

export function requiredLiterals(root: Node): Placed | undefined {
  const best = insideOf(knownOf(root))
  return best === undefined || best.literals.cost > MAX_COST ? undefined : { all: best.literals.all, at: best.at }
}

function knownOf(node: Node): Known {
  switch (node.kind) {
    case 'character': return ofCharacters(node, [node.code], node.fold !== undefined)
    case 'set': return node.set.few === undefined ? unknown(node) : ofCharacters(node, node.set.few, true)
    case 'sequence': return ofSequence(node.items)
    case 'choice': return ofChoice(node)
    case 'repeat': return ofRepeat(node)
    case 'capture':
    case 'atomic': return knownOf(node.body)
    case 'look': return ofLook(node)
    case 'reference': return unknown(node)
    case 'assertion': return NOTHING
    // What folds to a letter and is none would have its edges elsewhere.
    case 'word-edge': return !node.negative && FOLD_TO_ASCII.every((code) => node.word.has(code)) ? ofExact(new Literals([EDGE]), AT_BEGIN) : NOTHING
  }
}

function unknown(node: Node): Known {
  return { exact: undefined, prefixes: BLANK, suffixes: BLANK, inside: undefined, width: widthOf(node) }
}

function insideOf({ exact, inside }: Known): Candidate | undefined {
  return better(placed(exact, AT_BEGIN), inside)
}

function placed(literals: Literals | undefined, at: Width): Candidate | undefined {
  return literals === undefined ? undefined : { literals, at }
}

function moved(some: Candidate | undefined, by: Width): Candidate | undefined {
  return some === undefined ? undefined : { literals: some.literals, at: { least: some.at.least + by.least, most: some.at.most + by.most } }
}

/** A character beyond the first plane that has case is two in every text: not known. */
function ofCharacters(node: Node, codes: readonly number[], folds: boolean): Known {
  const table = unicodeFold()
  // It is the mark.
  if (codes.includes(EDGE.charCodeAt(0))) return unknown(node)
  if (folds && codes.some((code) => code > 0xffff && variantsOf(code, table).length > 1)) return unknown(node)
  const all = [...new Set(codes.map((code) => String.fromCodePoint(code > 0xffff ? code : foldCodePoint(code, table))))]
  return all.length > MAX_ALTERNATIVES ? unknown(node) : ofExact(new Literals(all), widthOf(node))
}

function ofExact(exact: Literals, width: Width): Known {
  return { exact, prefixes: exact, suffixes: exact, inside: undefined, width }
}

function ofLook({ body, behind, negative }: Extract<Node, { kind: 'look' }>): Known {
  if (negative) return NOTHING
  const inside = insideOf(knownOf(body))
  const { least, most } = widthOf(body)
  return { ...NOTHING, inside: behind ? moved(inside, { least: -most, most: -least }) : inside }
}

/** Neighbours that are known exactly are put together first: `\d\d` before a word makes a hundred of it. */
function ofSequence(items: readonly Node[]): Known {
  let known = NOTHING
  let exact = NOTHING
  for (const item of items) {
    const next = knownOf(item)
    const both = joined(exact, next)
    if (both.exact === undefined) {
      known = joined(known, exact)
      exact = next
    } else exact = both
  }
  return joined(known, exact)
}

function joined(left: Known, right: Known): Known {
  const width = { least: left.width.least + right.width.least, most: left.width.most + right.width.most }
  const exact = left.exact === undefined || right.exact === undefined ? undefined : products(left.exact, right.exact)
  const inside = better(left.inside, moved(right.inside, left.width))
  if (exact !== undefined) return { exact, prefixes: exact, suffixes: exact, inside, width }
  const ends = left.exact ?? left.suffixes
  const begins = right.exact ?? right.prefixes
  const lengths = ends.all.map(lengthOf)
  const beginOfEnds = left.exact === undefined ? { least: left.width.least - Math.max(...lengths), most: left.width.most - Math.min(...lengths) } : AT_BEGIN
  const across = placed(products(ends, begins), beginOfEnds)
  return {
    exact: undefined,
    prefixes: left.exact === undefined ? left.prefixes : products(left.exact, begins) ?? left.exact,
    suffixes: right.exact === undefined ? right.suffixes : products(ends, right.exact) ?? right.exact,
    inside: better(inside, better(across, better(placed(ends, beginOfEnds), placed(begins, left.width)))),
    width,
  }
}

function products(left: Literals, right: Literals): Literals | undefined {
  if (left === BLANK) return right
  if (right === BLANK) return left
  if (left.all.length * right.all.length > MAX_LITERALS) return undefined
  const found = new Set<string>()
  for (const first of left.all) {
    for (const second of right.all) {
      const both = joinedLiterals(first, second)
      if (both.length > MAX_LITERAL_CHARACTERS) return undefined
      found.add(both)
    }
  }
  return new Literals([...found])
}

function ofChoice(node: Extract<Node, { kind: 'choice' }>): Known {
  const all = node.branches.map(knownOf)
  const exact = union(all.map((known) => known.exact))
  return {
    exact,
    prefixes: exact ?? union(all.map((known) => known.exact ?? known.prefixes)) ?? BLANK,
    suffixes: exact ?? union(all.map((known) => known.exact ?? known.suffixes)) ?? BLANK,
    inside: placedUnion(all.map(insideOf)),
    width: widthOf(node),
  }
}

function placedUnion(sets: readonly (Candidate | undefined)[]): Candidate | undefined {
  let [least, most] = [Infinity, -Infinity]
  for (const set of sets) {
    if (set === undefined) return undefined
    least = Math.min(least, set.at.least)
    most = Math.max(most, set.at.most)
  }
  return placed(union(sets.map((set) => set?.literals)), { least, most })
}

function union(sets: readonly (Literals | undefined)[]): Literals | undefined {
  const found = new Set<string>()
  for (const set of sets) {
    if (set === undefined) return undefined
    for (const literal of set.all) found.add(literal)
    if (found.size > MAX_BRANCHES) return undefined
  }
  return new Literals([...found])
}

function ofRepeat(node: Extract<Node, { kind: 'repeat' }>): Known {
  const { body, least, most } = node
  if (most === 0) return NOTHING
  const width = widthOf(node)
  const once = knownOf(body)
  if (least === 0) {
    const exact = most === 1 && once.exact !== undefined ? union([BLANK, once.exact]) : undefined
    return exact === undefined ? unknown(node) : ofExact(exact, width)
  }
  let known = once
  for (let times = 1; times < Math.min(least, MAX_LITERAL_CHARACTERS); times++) known = joined(known, once)
  if (least === most && least <= MAX_LITERAL_CHARACTERS) return known
  return { exact: undefined, prefixes: known.exact ?? known.prefixes, suffixes: known.exact ?? known.suffixes, inside: insideOf(known), width }
}

function better(one: Candidate | undefined, other: Candidate | undefined): Candidate | undefined {
  if (one === undefined || other === undefined) return one ?? other
  // What is too frequent to be looked for is of no use, however near it is.
  if (one.literals.cost > MAX_COST && other.literals.cost <= RARE) return other
  if (other.literals.cost > MAX_COST && one.literals.cost <= RARE) return one
  return priceOf(one) <= priceOf(other) ? one : other
}

/** Literals whose place is known spare more than others that are a little rarer. */
function priceOf({ literals, at }: Candidate): number {
  return literals.cost * (1 + Math.min(at.most - at.least, WIDE) / NARROW)
}
