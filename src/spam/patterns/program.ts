/**
 * A pattern as the matcher runs it: instructions of six numbers each, in one
 * array. Made by `compile`, run by `Matcher`. Types, names and places only.
 */
import type { CharacterSet } from './character-set.ts'
import type { FoldTable } from './fold.ts'

export interface Program {
  readonly code: Int32Array
  readonly entry: number
  readonly sets: readonly CharacterSet[]
  /** 256 entries for each set */
  readonly lows: Uint8Array
  readonly strings: Uint16Array
  /** 258 entries for each table, see first.ts */
  readonly firsts: Uint8Array
  /** of choices: 258 entries for each, places in `branches` */
  readonly choices: Int32Array
  /** a count, then so many instructions; one after another */
  readonly branches: Int32Array
  readonly fold: FoldTable
  /** numbers that are put back when the matcher goes back */
  readonly cells: number
  /** of the whole pattern, a table in `firsts` */
  readonly first: number
  /** `text`: it can match at its begin only; `line`: at begins of lines, or where the search begins */
  readonly anchor: 'none' | 'line' | 'text'
  /** instructions that remember where they failed; -1: they cannot, as what they would do depends on more than the place */
  readonly memos: number
}

/** Numbers of an instruction: what, which next, and four of its own. */
export const WIDTH = 6
export const NEXT = 1
export const A = 2
export const B = 3
export const C = 4
/** of instructions that are choices: their place among what is remembered */
export const MEMO = 5

export const MATCHED = 0
/** A: code unit */
export const UNIT = 1
/** A: folded code unit */
export const FOLDED = 2
/** A: set */
export const SET = 3
/** A: place in `strings`, B: length */
export const STRING = 4
export const STRING_FOLDED = 5
/** next is preferred. A: the other, B: table of what can stand first at next, C: at the other */

// Choices: SPLIT to ITERATED say which instruction is next.

/** next is preferred. A: the other, B: table of what can stand first at next, C: at the other */
export const SPLIT = 6
/** A: place in `choices` */
export const CHOICE = 7
/** A: cell, B: where to go on when the iteration took nothing */
export const ITERATED = 8

/** A: set, B: least, C: most or -1; and in the instruction behind it A: table of what can stand first at next */
export const RUN = 9
export const RUN_LAZY = 10
/** never gives back what it took */
export const RUN_POSSESSIVE = 11

// What follows is done by `Matcher.check`: it takes a place and gives one, or none.

export const START = 20
export const END_OF_TEXT = 21
export const END_OR_NEWLINE = 22
export const LINE_START = 23
export const LINE_END = 24
/** A: set, B: 1 for no edge */
export const WORD_EDGE = 25
/** A: set, B: 1 for none of it */
export const NEXT_IN = 26
export const BEFORE_IN = 27
/** A: entry, B: 1 for negative */
export const LOOK_AHEAD = 28
/** A: entry, B: 1 for negative, C: least; MEMO: most */
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
