/**
 * What it takes to answer a condition, about: of parts that must all hold, and
 * of those of which one must, the cheap ones are asked first, and the dear ones
 * often not at all. The answer is the same in any order (`truth.ts`). Only for
 * comparing: the unit is a look at a value that is at hand.
 */
import type { Pattern } from '../patterns/pattern.ts'
import { rulesIn } from './condition.ts'
import type { Condition, ItemTest, Quantity, TextSource } from './condition.ts'
import { atOnce } from './in-slices.ts'
import { AT_HAND } from './measures.ts'
import type { Rule } from './rule.ts'
import { piecesOf } from './text-keys.ts'

/** Rules that others rest on have mostly been asked before, or nothing stands in the text that they need. */
const RULE = 6
/** What is counted in the text: a number, or the words of its language. */
const COUNTED = 30
/** Of a kind, about so many items. */
const ITEMS = 8
const LONG = 12
/** What may begin anywhere is tried anywhere, in the whole text. */
const LONG_EVERYWHERE = 400
/** A rule that takes more is asked late itself, unless so many rest on it that it is asked in any case. */
const DEAR = LONG_EVERYWHERE
const SHARED = 8
const SHORT = 2
const SHORT_EVERYWHERE = 4

/** Of the conditions of some rules, which may refer to each other, but not in circles. */
export class Efforts {
  readonly #rules: ReadonlyMap<string, Rule>
  readonly #resting: ReadonlyMap<string, number>
  readonly #known = new Map<string, number>()

  /** A rule a step. */
  static* making(rules: readonly Rule[]): Generator<void, Efforts> {
    return new Efforts(rules, yield* restingOn(rules))
  }

  constructor(rules: readonly Rule[], resting = atOnce(restingOn(rules))) {
    this.#rules = new Map(rules.map((rule) => [rule.id, rule]))
    this.#resting = resting
  }

  of(condition: Condition): number {
    switch (condition.kind) {
      case 'all':
      case 'any': return sumOf(condition.of, (one) => this.of(one))
      case 'not': return this.of(condition.of)
      case 'rule': return this.#ofRule(condition.id)
      case 'matches': return ofPattern(condition.in, condition.pattern)
      case 'words': return condition.in.kind === 'language' ? COUNTED : 1
      case 'present': return 1
      case 'some': return ITEMS * effortOfTest(condition.where)
      case 'compare': return this.#ofQuantity(condition.left) + this.#ofQuantity(condition.right)
    }
  }

  #ofQuantity(quantity: Quantity): number {
    switch (quantity.kind) {
      case 'number': return 0
      case 'measure': return AT_HAND.has(quantity.name) ? 1 : COUNTED
      case 'fact':
      case 'scripts':
      case 'values':
      case 'length': return 1
      case 'occurrences': return ofPattern(quantity.in, quantity.pattern)
      case 'items': return ITEMS * effortOfTest(quantity.where)
      case 'truth': return this.of(quantity.of)
      case 'rule': return this.#ofRule(quantity.id)
      case 'spamassassin': return COUNTED
      case 'either':
      case 'both': return sumOf(quantity.of, (one) => this.#ofQuantity(one))
      case 'choose': return this.of(quantity.by) + this.#ofQuantity(quantity.yes) + this.#ofQuantity(quantity.no)
      case '+':
      case '-':
      case '*':
      case '/': return this.#ofQuantity(quantity.left) + this.#ofQuantity(quantity.right)
    }
  }

  #ofRule(id: string): number {
    let effort = this.#known.get(id)
    if (effort === undefined) {
      const rule = this.#rules.get(id)
      const whole = rule === undefined || (this.#resting.get(id) ?? 0) >= SHARED ? 0 : this.of(rule.when)
      this.#known.set(id, effort = whole < DEAR ? RULE : whole)
    }
    return effort
  }
}

/** By rule how many others refer to it. */
function* restingOn(rules: readonly Rule[]): Generator<void, ReadonlyMap<string, number>> {
  const resting = new Map<string, number>()
  for (const { when } of rules) {
    for (const id of rulesIn(when)) resting.set(id, (resting.get(id) ?? 0) + 1)
    yield
  }
  return resting
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
