/**
 * What it takes to answer a condition, about: of parts that must all hold, and
 * of those of which one must, the cheap ones are asked first, and the dear ones
 * often not at all. The answer is the same in any order (`truth.ts`). Only for
 * comparing: the unit is a look at a value that is at hand.
 */
import type { Pattern } from '../patterns/pattern.ts'
import type { Condition, ItemTest, Quantity, TextSource } from './condition.ts'
import { AT_HAND } from './measures.ts'
import { piecesOf } from './text-keys.ts'

/** Rules that others rest on have mostly been asked before. */
const RULE = 6
/** What is counted in the text: a number, or the words of its language. */
const COUNTED = 30
/** Of a kind, about so many items. */
const ITEMS = 8
const LONG = 12
/** What may begin anywhere is tried anywhere. */
const LONG_EVERYWHERE = 60
const SHORT = 2
const SHORT_EVERYWHERE = 4

export function effortOf(condition: Condition): number {
  switch (condition.kind) {
    case 'all':
    case 'any': return sumOf(condition.of, effortOf)
    case 'not': return effortOf(condition.of)
    case 'rule': return RULE
    case 'matches': return ofPattern(condition.in, condition.pattern)
    case 'words': return condition.in.kind === 'language' ? COUNTED : 1
    case 'present': return 1
    case 'some': return ITEMS * effortOfTest(condition.where)
    case 'compare': return ofQuantity(condition.left) + ofQuantity(condition.right)
  }
}

/** Of one item. */
export function effortOfTest(test: ItemTest): number {
  switch (test.kind) {
    case 'all':
    case 'any': return sumOf(test.of, effortOfTest)
    case 'not': return effortOfTest(test.of)
    case 'matches': return test.pattern.needs === undefined ? SHORT_EVERYWHERE : SHORT
    case 'related': return SHORT
    case 'words':
    case 'number':
    case 'flag': return 1
  }
}

function ofQuantity(quantity: Quantity): number {
  switch (quantity.kind) {
    case 'number': return 0
    case 'measure': return AT_HAND.has(quantity.name) ? 1 : COUNTED
    case 'fact':
    case 'scripts':
    case 'values':
    case 'length': return 1
    case 'occurrences': return ofPattern(quantity.in, quantity.pattern)
    case 'items': return ITEMS * effortOfTest(quantity.where)
    case 'truth': return effortOf(quantity.of)
    case 'rule': return RULE
    case 'spamassassin': return COUNTED
    case 'either':
    case 'both': return sumOf(quantity.of, ofQuantity)
    case 'choose': return effortOf(quantity.by) + ofQuantity(quantity.yes) + ofQuantity(quantity.no)
    case '+':
    case '-':
    case '*':
    case '/': return ofQuantity(quantity.left) + ofQuantity(quantity.right)
  }
}

function ofPattern(source: TextSource, { needs }: Pattern): number {
  if (piecesOf(source) === 'whole') return needs === undefined ? SHORT_EVERYWHERE : SHORT
  return needs === undefined ? LONG_EVERYWHERE : LONG
}

function sumOf<T>(of: readonly T[], effort: (one: T) => number): number {
  return of.reduce((sum, one) => sum + effort(one), 0)
}

/** The cheapest first; as they stand, where they are equal. */
export function cheapestFirst<T>(of: readonly T[], effort: (one: T) => number): readonly T[] {
  return [...of].sort((a, b) => effort(a) - effort(b))
}
