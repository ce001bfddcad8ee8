/**
 * What a rule cannot hold without: signs of which one must be in the message,
 * each of them found out for all rules at once (`signs.ts`). A rule without any
 * of its signs does not hold, whatever else it asks; so most rules are never
 * asked. Said is never more than is true: undefined where nothing is known.
 */
import type { Pattern } from '../patterns/pattern.ts'
import { rarityOf } from '../patterns/rarity.ts'
import type { Condition, ItemSelection, ItemTest, Operator, Quantity, TextSource } from './condition.ts'
import { withItems } from './item-sources.ts'
import type { Rule } from './rule.ts'
import type { PatternPlace } from './run.ts'
import { piecesOf } from './text-keys.ts'

/** A number of a sign, or several; and how likely it is that a message has one of them, about. */
interface Guard {
  readonly signs: readonly number[]
  readonly likely: number
}

/** What is looked for in the values of one text source. */
export interface Watched {
  readonly slot: number
  /** sign of there being a value; -1: nobody asks */
  present: number
  /** signs of words, lower case */
  readonly words: Map<string, number>
  /** signs of patterns whose literals are there, by set and index */
  readonly patterns: Map<number, Map<number, number>>
}

export interface Guards {
  readonly watched: readonly Watched[]
  /** for each sign, the rules that it makes possible */
  readonly rules: readonly (readonly number[])[]
  /** rules that are always possible */
  readonly always: readonly number[]
}

/** How texts and patterns are numbered. */
export interface Numbering {
  readonly slot: (source: TextSource) => number
  readonly place: (source: TextSource, pattern: Pattern) => PatternPlace
}

/** Of the characters that are looked at, about, in a long text and in all values of a short one. */
const LONG = 4000
const SHORT = 60
const ALWAYS = 0.95
/** Of one rule; with more than so many it is asked always. */
const MAX_SIGNS = 500
/** That there is a value at all: of what many messages have not. */
const PRESENT = 0.6
const WORD = 0.2

export class GuardMaker {
  readonly #numbering: Numbering
  readonly #rules: ReadonlyMap<string, Rule>
  readonly #watched = new Map<number, Watched>()
  readonly #known = new Map<string, Guard | undefined>()
  #signs = 0

  constructor(rules: readonly Rule[], numbering: Numbering) {
    this.#rules = new Map(rules.map((rule) => [rule.id, rule]))
    this.#numbering = numbering
  }

  /** `scored`: rules that are to be asked, by their numbers. */
  make(rules: readonly Rule[]): Guards {
    const guarded: (readonly number[] | undefined)[] = rules.map(({ id, score }) => (score === undefined || score === 0 ? [] : this.#ofRule(id)?.signs))
    const found: number[][] = Array.from({ length: this.#signs }, () => [])
    for (const [rule, signs] of guarded.entries()) for (const sign of new Set(signs)) found[sign]?.push(rule)
    return { watched: this.#used(found), rules: found, always: guarded.flatMap((signs, rule) => (signs === undefined ? [rule] : [])) }
  }

  /** Signs that no rule rests on are not looked for. */
  #used(rules: readonly (readonly number[])[]): readonly Watched[] {
    const isUsed = (sign: number): boolean => sign >= 0 && (rules[sign]?.length ?? 0) > 0
    const used: Watched[] = []
    for (const { slot, present, words, patterns } of this.#watched.values()) {
      const sets = [...patterns].map(([set, signs]) => [set, new Map([...signs].filter(([, sign]) => isUsed(sign)))] as const).filter(([, signs]) => signs.size > 0)
      const one: Watched = { slot, present: isUsed(present) ? present : -1, words: new Map([...words].filter(([, sign]) => isUsed(sign))), patterns: new Map(sets) }
      if (one.present >= 0 || one.words.size > 0 || one.patterns.size > 0) used.push(one)
    }
    return used
  }

  #ofRule(id: string): Guard | undefined {
    if (this.#known.has(id)) return this.#known.get(id)
    const rule = this.#rules.get(id)
    const guard = rule === undefined ? undefined : this.#of(rule.when)
    this.#known.set(id, guard)
    return guard
  }

  #of(condition: Condition): Guard | undefined {
    switch (condition.kind) {
      case 'all': return condition.of.map((one) => this.#of(one)).reduce(rarer, undefined)
      case 'any': return together(condition.of.map((one) => this.#of(one)))
      case 'not': return undefined
      case 'rule': return this.#ofRule(condition.id)
      case 'matches': return this.#ofPattern(condition.in, condition.pattern)
      case 'words': return this.#ofWords(condition.in, condition.words)
      case 'present': return this.#ofPresence(condition.in)
      case 'some': return withItems(condition.of, (source) => this.#ofItems(condition.of, condition.where, source.text))
      case 'compare': return condition.right.kind === 'number' ? this.#ofComparison(condition.left, condition.operator, condition.right.value) : undefined
    }
  }

  /** Of a sum, what nobody knows anything of may add so much and no more: where that is not enough, something else is needed. */
  #ofComparison(left: Quantity, operator: Operator, value: number): Guard | undefined {
    const guards: Guard[] = []
    let most = 0
    for (const term of termsOf(left)) {
      const guard = this.#ofQuantity(term)
      if (guard !== undefined) guards.push(guard)
      else most += mostOf(term)
    }
    return isAbove(operator, value, most) ? together(guards) : undefined
  }

  /** What it needs to be more than 0. */
  #ofQuantity(quantity: Quantity): Guard | undefined {
    switch (quantity.kind) {
      case 'occurrences': return this.#ofPattern(quantity.in, quantity.pattern)
      case 'items': return withItems(quantity.of, (source) => this.#ofItems(quantity.of, quantity.where, source.text))
      case 'values': return this.#ofPresence(quantity.in)
      case 'truth': return this.#of(quantity.of)
      case 'rule': {
        const rule = this.#rules.get(quantity.id)
        return rule === undefined || rule.times !== undefined ? undefined : this.#ofRule(quantity.id)
      }
      // None of these is below 0 where both sides are guarded: each is one of the above.
      case '+': return together(termsOf(quantity).map((term) => this.#ofQuantity(term)))
      case 'number':
      case 'measure':
      case 'fact':
      case 'scripts':
      case 'length':
      case 'spamassassin':
      case 'either':
      case 'both':
      case 'choose':
      case '-':
      case '*':
      case '/': return undefined
    }
  }

  #ofItems(of: ItemSelection, where: ItemTest, text: (field: string) => TextSource): Guard | undefined {
    switch (where.kind) {
      case 'all': return where.of.map((one) => this.#ofItems(of, one, text)).reduce(rarer, undefined)
      case 'any': return together(where.of.map((one) => this.#ofItems(of, one, text)))
      case 'matches': return this.#ofPattern(text(where.field), where.pattern)
      case 'words': return this.#ofWords(text(where.field), where.words)
      // Not of every item: each has something that it is known by.
      case 'not':
      case 'number':
      case 'flag':
      case 'related': return this.#ofPresence(text(NAMES[of.kind]))
    }
  }

  #ofPattern(source: TextSource, pattern: Pattern): Guard | undefined {
    if (pattern.needs === undefined) return this.#ofPresence(source)
    const { set, index } = this.#numbering.place(source, pattern)
    const { patterns } = this.#watch(source)
    const signs = patterns.get(set) ?? new Map<number, number>()
    patterns.set(set, signs)
    const sign = signs.get(index) ?? this.#signs++
    signs.set(index, sign)
    const often = pattern.needs.reduce((sum, literal) => sum + rarityOf(literal), 0) * (piecesOf(source) === 'whole' ? SHORT : LONG)
    return { signs: [sign], likely: Math.min(often, ALWAYS) }
  }

  #ofWords(source: TextSource, words: readonly string[]): Guard {
    const watched = this.#watch(source).words
    const signs = words.map((word) => {
      const sign = watched.get(word) ?? this.#signs++
      watched.set(word, sign)
      return sign
    })
    return { signs, likely: WORD }
  }

  #ofPresence(source: TextSource): Guard | undefined {
    // Some are always there, and some are made for whoever asks.
    if (piecesOf(source) !== 'whole' || source.kind === 'subject') return undefined
    const watched = this.#watch(source)
    if (watched.present < 0) watched.present = this.#signs++
    return { signs: [watched.present], likely: PRESENT }
  }

  #watch(source: TextSource): Watched {
    const slot = this.#numbering.slot(source)
    let watched = this.#watched.get(slot)
    if (watched === undefined) {
      watched = { slot, present: -1, words: new Map(), patterns: new Map() }
      this.#watched.set(slot, watched)
    }
    return watched
  }
}

/** A text of each item, '' or not. */
const NAMES = { link: 'url', attachment: 'name', part: 'type', address: 'domain' } as const

function rarer(one: Guard | undefined, other: Guard | undefined): Guard | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one.likely <= other.likely ? one : other
}

function together(guards: readonly (Guard | undefined)[]): Guard | undefined {
  // The same rules may be asked again and again.
  const signs = new Set<number>()
  let likely = 0
  for (const guard of guards) {
    if (guard === undefined) return undefined
    for (const sign of guard.signs) signs.add(sign)
    if (signs.size > MAX_SIGNS) return undefined
    likely += guard.likely
  }
  return { signs: [...signs], likely: Math.min(likely, ALWAYS) }
}

function termsOf(quantity: Quantity): readonly Quantity[] {
  return quantity.kind === '+' ? [...termsOf(quantity.left), ...termsOf(quantity.right)] : [quantity]
}

/** What is never more than that; nor below 0. */
function mostOf(quantity: Quantity): number {
  if (quantity.kind === 'truth') return 1
  return quantity.kind === 'occurrences' ? quantity.most : Infinity
}

/** Is whatever compares so with the value more than this? */
function isAbove(operator: Operator, value: number, most: number): boolean {
  switch (operator) {
    case '>': return value >= most
    case '>=':
    case '=': return value > most
    case '<':
    case '<=':
    case '!=': return false
  }
}
