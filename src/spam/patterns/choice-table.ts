/**
 * For each character that can stand first in one of several branches: which of
 * them can begin with it. Characters are numbered by as few of their bits as tell
 * those apart that lead elsewhere; for most choices a few entries are enough. Pure.
 */
import type { First } from './first.ts'

export interface Branch {
  /** its first instruction */
  readonly at: number
  readonly first: First
}

export interface ChoiceTable {
  /** from which bit on, and a mask for the bits: see `numberBy` */
  readonly how: number
  /** for each number of a character: which of the lists; that of a character that leads nowhere may be any */
  readonly entries: Uint16Array
  /** branches, in their order; the first list is empty */
  readonly lists: readonly (readonly number[])[]
}

/** The last branch of a list, and the number of the list that the others are; that with nothing before it is no branch. */
interface ListEnd {
  readonly at: number
  readonly before: number
}

const ENTRIES = 258
const MOST_SHIFT = 3
const MASK_BITS = 16

/** The number of a character in the table of a choice; above MASK_BITS stands how far to shift. */
export function numberBy(how: number, entry: number): number {
  return (entry >> (how >> 16)) & how & 0xffff
}

export function choiceTable(branches: readonly Branch[]): ChoiceTable {
  // Entries with the same branches so far have the same number: of the last of these, which knows the one before it.
  const ends = new Int32Array(ENTRIES)
  const all: ListEnd[] = [{ at: -1, before: -1 }]
  for (const { at, first } of branches) {
    const longer = new Map<number, number>()
    for (let entry = 0; entry < ENTRIES; entry++) {
      if (first[entry] === 0) continue
      const before = ends[entry] as number
      const known = longer.get(before)
      const number = known ?? all.push({ at, before }) - 1
      if (known === undefined) longer.set(before, number)
      ends[entry] = number
    }
  }
  const members: number[] = []
  const lists: (readonly number[])[] = [[]]
  const numbers = new Map<number, number>()
  const ofEntries = ends.map((end, entry) => {
    if (end === 0) return 0
    members.push(entry)
    const known = numbers.get(end) ?? lists.push(listOf(all, end)) - 1
    numbers.set(end, known)
    return known
  })
  return { ...numbered(members, ofEntries), lists }
}

/** `lists`: of all characters. */
function numbered(members: readonly number[], lists: Int32Array): Pick<ChoiceTable, 'how' | 'entries'> {
  for (let size = 1; ; size *= 2) {
    for (let shift = 0; shift <= MOST_SHIFT; shift++) {
      const how = (shift << MASK_BITS) | (size - 1)
      const entries = tryNumbers(members, lists, how)
      if (entries !== undefined) return { how, entries }
    }
  }
}

/** Undefined: some that lead elsewhere would have the same number. */
function tryNumbers(members: readonly number[], lists: Int32Array, how: number): Uint16Array | undefined {
  const entries = new Uint16Array(1 + numberBy(how, -1))
  for (const entry of members) {
    const list = lists[entry] as number
    const number = numberBy(how, entry)
    if (entries[number] !== 0 && entries[number] !== list) return undefined
    entries[number] = list
  }
  return entries
}

function listOf(all: readonly ListEnd[], number: number): readonly number[] {
  const list: number[] = []
  for (let end = all[number]; end !== undefined && end.before >= 0; end = all[end.before]) list.push(end.at)
  return list.reverse()
}
