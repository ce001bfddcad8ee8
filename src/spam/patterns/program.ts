/**
 * A pattern as the matcher runs it: instructions of a few numbers each, among
 * those of other patterns in a library. Made by `compile`, run by `Matcher`.
 * Types, names and places only.
 */
import type { FoldTable } from './fold.ts'
import type { Library } from './library.ts'

/** Where in `words` of the library it is, and what the matcher has to know beforehand. */
export interface Program {
  readonly library: Library
  /** its first instruction */
  readonly entry: number
  /** of the whole pattern, a table: what can stand first */
  readonly first: number
  /** numbers that are put back when the matcher goes back */
  readonly cells: number
  /** instructions that remember where they failed; -1: they cannot, as what they would do depends on more than the place */
  readonly memos: number
  /** `text`: it can match at its begin only; `line`: at begins of lines, or where the search begins */
  readonly anchor: 'none' | 'line' | 'text'
  readonly fold: FoldTable
  /** how much of mail it may begin at, about */
  readonly share: number
}

// The first number of an instruction says what it does, and behind that, which is next; its own follow.

export const WHAT = 0x3f
export const WHAT_BITS = 6
export const MOST_WORDS = 1 << (30 - WHAT_BITS)
export const A = 1
export const B = 2
export const C = 3
export const D = 4
export const E = 5
export const F = 6
/** of instructions that are choices, what is their own first: their place among what is remembered */
export const MEMO = 1

export const MATCHED = 0
/** A: code unit */
export const UNIT = 1
/** A: folded code unit */
export const FOLDED = 2
/** A: table of a set, B: set */
export const SET = 3
/** A: length; from B on the units, two in a number */
export const STRING = 4
export const STRING_FOLDED = 5

// Choices: SPLIT to ITERATED say which instruction is next.

/** next is preferred. B: table of what can stand first at next, C: at the other, D: the other */
export const SPLIT = 6
/** B: table of what can stand first, C: how its characters are numbered; from D on for each number where to go on: an instruction, or where a list of several is (negative, all bits turned) */
export const CHOICE = 7
/** A: cell, B: where to go on when the iteration took nothing */
export const ITERATED = 8

/** B: table of a set, C: set, D: least, E: most or -1, F: table of what can stand first at next */
export const RUN = 9
export const RUN_LAZY = 10
/** never gives back what it took */
export const RUN_POSSESSIVE = 11

// What follows takes a place and gives one, or none.

export const START = 20
export const END_OF_TEXT = 21
export const END_OR_NEWLINE = 22
export const LINE_START = 23
export const LINE_END = 24
/** A: table of a set, B: set, C: 1 for no edge */
export const WORD_EDGE = 25
/** A: table of a set, B: set, C: 1 for none of it */
export const NEXT_IN = 26
export const BEFORE_IN = 27
/** A: 1 for negative, B: entry */
export const LOOK_AHEAD = 28
/** A: 1 for negative, B: least, C: most, D: entry */
export const LOOK_BEHIND = 29
/** A: entry */
export const ATOMIC = 30
/** A: cell; remembers where an iteration begins */
export const ITERATE = 31
/** A: first of the three cells of a group; remembers where it begins */
export const OPEN = 32
/** A: first of the three cells; what stands between is the group's */
export const CLOSE = 33
/** A: first of the three cells, B: 1 for folded */
export const REFERENCE = 34
/** the place where a look-behind began */
export const REACHED = 35
