/**
 * A pattern as the matcher runs it: instructions of a few numbers each, among
 * those of other patterns in a library. Made by `compile`, run by `Matcher`.
 * Types, names and numbers only.
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

// The first number of an instruction says what it does, and which is next; its own follow, from 1 on.

const WHAT_BITS = 6
export const MOST_WORDS = 1 << (31 - WHAT_BITS)

export function firstNumber(what: number, next: number): number {
  return what | (next << WHAT_BITS)
}

/** Bits are as in `firstNumber`, written out as this is done for each instruction. */
export function whatOf(first: number): number {
  return first & 0x3f
}

export function nextOf(first: number): number {
  return first >> 6
}

export const MATCHED = 0
/** 1: code unit */
export const UNIT = 1
/** 1: folded code unit */
export const FOLDED = 2
/** 1: table of a set, 2: set */
export const SET = 3
/** 1: length; from 2 on the units, two in a number */
export const STRING = 4
export const STRING_FOLDED = 5

// Choices: SPLIT to ITERATED say which instruction is next. Those that remember where they failed have their place among what is remembered as 1.

/** next is preferred. 2: table of what can stand first at next, 3: at the other, 4: the other */
export const SPLIT = 6
/** 2: table of what can stand first, 3: how its characters are numbered; from 4 on for each number where to go on: an instruction, or where a list of several is (negative, all bits turned) */
export const CHOICE = 7
/** 1: cell, 2: where to go on when the iteration took nothing */
export const ITERATED = 8

/** 2: table of a set, 3: set, 4: least, 5: most or -1, 6: table of what can stand first at next */
export const RUN = 9
export const RUN_LAZY = 10
/** never gives back what it took */
export const RUN_POSSESSIVE = 11

// What follows takes a place and gives one, or none.

export const START = 12
export const END_OF_TEXT = 13
export const END_OR_NEWLINE = 14
export const LINE_START = 15
export const LINE_END = 16
/** 1: table of a set, 2: set, 3: 1 for no edge */
export const WORD_EDGE = 17
/** 1: table of a set, 2: set, 3: 1 for none of it */
export const NEXT_IN = 18
export const BEFORE_IN = 19
/** 1: 1 for negative, 2: entry */
export const LOOK_AHEAD = 20
/** 1: 1 for negative, 2: least, 3: most, 4: entry */
export const LOOK_BEHIND = 21
/** 1: entry */
export const ATOMIC = 22
/** 1: cell; remembers where an iteration begins */
export const ITERATE = 23
/** 1: first of the three cells of a group; remembers where it begins */
export const OPEN = 24
/** 1: first of the three cells; what stands between is the group's */
export const CLOSE = 25
/** 1: first of the three cells, 2: 1 for folded */
export const REFERENCE = 26
/** the place where a look-behind began */
export const REACHED = 27
