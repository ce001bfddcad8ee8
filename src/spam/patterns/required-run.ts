/**
 * A run that every match of a pattern has in it: so many code units side by side
 * that are all of certain characters, as nine digits and dashes of a telephone
 * number. Where no literal is known it says where a match may be, and most texts
 * have none; to find none takes a look at one unit in so many.
 */
import { ANYTHING, either, firstOf, HIGH } from './first.ts'
import type { First } from './first.ts'
import { shareOf } from './required-characters.ts'
import { widthOf } from './syntax.ts'
import type { Node } from './syntax.ts'

export interface Run {
  /** which of U+0000 to U+00FF, and whether all others */
  readonly table: First
  /** so many at least */
  readonly least: number
}

/** Runs that are likelier than this at any place spare nothing. */
const MOST_LIKELY = 0.01
/** No run is so unlikely that its length alone makes a difference. */
const LONGEST = 64
/** Of a sequence, so many items are taken together at most. */
const MOST_ITEMS = 16

/** What a node matches: all of it is of these characters (undefined: of any), so many at least; and the run that says most. */
interface Part {
  readonly table: First | undefined
  readonly least: number
  readonly best: Run | undefined
}

const NOTHING: Part = { table: new Uint8Array(ANYTHING.length), least: 0, best: undefined }
const UNKNOWN: Part = { table: undefined, least: 0, best: undefined }

/** Of one unit alone the matcher knows as much. Undefined: nothing worth while is known. */
export function requiredRun(root: Node): Run | undefined {
  const { best } = partOf(root)
  return best !== undefined && best.least > 1 && likelihood(best) <= MOST_LIKELY ? best : undefined
}

function partOf(node: Node): Part {
  switch (node.kind) {
    case 'character':
    case 'set': return whole(firstOf(node, ANYTHING), widthOf(node).least)
    case 'sequence': return ofSequence(node.items.map(partOf))
    case 'choice': return ofChoice(node.branches.map(partOf))
    case 'repeat': {
      const { table, least, best } = partOf(node.body)
      if (node.least === 0) return { table, least: 0, best: undefined }
      const all = table === undefined ? undefined : whole(table, least * node.least).best
      return { table, least: least * node.least, best: rarer(best, all) }
    }
    case 'capture':
    case 'atomic': return partOf(node.body)
    case 'reference': return UNKNOWN
    case 'look':
    case 'assertion':
    case 'word-edge': return NOTHING
  }
}

function whole(table: First, least: number): Part {
  return { table, least, best: least === 0 ? undefined : { table, least: Math.min(least, LONGEST) } }
}

/** What stands side by side is one run of all their characters. */
function ofSequence(parts: readonly Part[]): Part {
  let best: Run | undefined
  for (const [from, { best: own }] of parts.entries()) {
    best = rarer(best, own)
    let table: First | undefined = NOTHING.table
    let least = 0
    for (const part of parts.slice(from, from + MOST_ITEMS)) {
      if (part.table === undefined || table === undefined) break
      table = either(table, part.table)
      least += part.least
      best = rarer(best, whole(table, least).best)
    }
  }
  const tables = parts.map(({ table }) => table)
  return { table: union(tables), least: parts.reduce((sum, { least }) => sum + least, 0), best }
}

/** Whichever branch it is. */
function ofChoice(parts: readonly Part[]): Part {
  const table = union(parts.map((part) => part.table))
  const least = Math.min(...parts.map((part) => part.least))
  const bests = parts.map(({ best }) => best)
  const runs = bests.filter((one) => one !== undefined)
  const among = runs.length < bests.length ? undefined : union(runs.map((one) => one.table))
  const shortest = Math.min(...runs.map((one) => one.least))
  return { table, least, best: rarer(among === undefined ? undefined : whole(among, shortest).best, table === undefined ? undefined : whole(table, least).best) }
}

function union(tables: readonly (First | undefined)[]): First | undefined {
  return tables.reduce((one, other) => (one === undefined || other === undefined ? undefined : either(one, other)), NOTHING.table)
}

function rarer(one: Run | undefined, other: Run | undefined): Run | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return likelihood(one) <= likelihood(other) ? one : other
}

const ALL = shareOf(ANYTHING)

function likelihood({ table, least }: Run): number {
  return (shareOf(table) / ALL) ** least
}

/** Finds stretches of such characters that are long enough, from a place on up to another; begin and end of each, one behind another. */
export function runsIn({ table, least }: Run, units: Uint16Array, [start, end]: readonly [number, number]): readonly number[] {
  const found: number[] = []
  let begin = start
  for (;;) {
    // From the last unit that a run here would have, back to the first that is none of them.
    let at = begin + least - 1
    if (at >= end) return found
    while (at >= begin && isIn(table, units[at] as number)) at--
    if (at >= begin) {
      begin = at + 1
      continue
    }
    let behind = begin + least
    while (behind < end && isIn(table, units[behind] as number)) behind++
    found.push(begin, behind)
    begin = behind + 1
  }
}

function isIn(table: First, unit: number): boolean {
  return table[unit < HIGH ? unit : HIGH] === 1
}
