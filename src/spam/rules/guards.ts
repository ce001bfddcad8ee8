/**
 * What a rule cannot hold without: signs that must be in the message, and how
 * many of them, each of them found out for all rules at once (`signs.ts`). A
 * rule whose signs are not there does not hold, whatever else it asks; so most
 * rules are never asked. Said is never more than is true: undefined where
 * nothing is known.
 */
import type { NumberFact } from '../facts.ts'
import type { Pattern } from '../patterns/pattern.ts'
import type { Condition, ItemSelection, ItemTest, Operator, Quantity, TextSource } from './condition.ts'
import { withItems } from './item-sources.ts'
import { FEATURES } from './items.ts'
import { termsOf } from './make-condition.ts'
import { ALWAYS_KNOWN, AT_HAND } from './measures.ts'
import type { MeasureName } from './measures.ts'
import type { Need } from './needs.ts'
import type { Rule } from './rule.ts'
import type { PatternPlace } from './scanned-texts.ts'
import { isAlwaysKnown, piecesOf } from './text-keys.ts'

/** What is looked for in the values of one text source. */
export interface Watched {
  readonly slot: number
  /** sign of there being a value, and of there being none; -1: nobody asks */
  present: number
  absent: number
  /** signs of words, lower case */
  readonly words: Map<string, number>
  /** signs of patterns whose literals are there, by set and index */
  readonly patterns: Map<number, Map<number, number>>
}

/** A number that is at hand. */
export interface Check {
  readonly sign: number
  readonly left: { readonly kind: 'measure'; readonly name: MeasureName } | { readonly kind: 'fact'; readonly name: NumberFact }
  readonly operator: Operator
  readonly right: number
}

export interface Guards {
  readonly watched: readonly Watched[]
  readonly checks: readonly Check[]
  readonly needs: readonly Need[]
  /** for each rule its need, `ALWAYS` or `NEVER` */
  readonly rules: Int32Array
}

/** Nothing is known; it is never asked by itself. */
export const ALWAYS = -1
export const NEVER = -2

interface Guard {
  /** without this it does not hold */
  readonly need: number
  /** without this it is false, and not only unknown; it may be less, or nothing */
  readonly firm: number | undefined
}

/** How texts and patterns are numbered. */
export interface Numbering {
  readonly slot: (source: TextSource) => number
  readonly place: (source: TextSource, pattern: Pattern) => PatternPlace
}

export class GuardMaker {
  readonly #numbering: Numbering
  readonly #rules: ReadonlyMap<string, Rule>
  readonly #watched = new Map<number, Watched>()
  /** undefined: nothing is known */
  readonly #known = new Map<Condition, Guard | undefined>()
  readonly #checks = new Map<string, Check>()
  readonly #needs: Need[] = []
  #told: Uint8Array = new Uint8Array(0)

  constructor(rules: readonly Rule[], numbering: Numbering) {
    this.#rules = new Map(rules.map((rule) => [rule.id, rule]))
    this.#numbering = numbering
  }

  /** A rule a step. Rules that score are to be asked. */
  *making(): Generator<void, Guards> {
    const needed: number[] = []
    for (const { when, score } of this.#rules.values()) {
      const guard = this.#of(when)
      needed.push(score === undefined || score === 0 ? NEVER : guard?.need ?? ALWAYS)
      yield
    }
    const used = this.#used(needed)
    this.#told = this.#toldOf(used)
    yield
    const watched: Watched[] = []
    for (const one of this.#watched.values()) {
      const some = withSigns(one, (sign) => used[sign] === 1)
      if (some !== undefined) watched.push(some)
      yield
    }
    return { watched, checks: [...this.#checks.values()].filter(({ sign }) => used[sign] === 1), needs: this.#needs, rules: Int32Array.from(needed) }
  }

  /** Without this the condition is false, whatever else is not known: a need, -1 where there is none. To be asked when all are made. */
  firm(condition: Condition): number {
    const asked = condition.kind === 'rule' ? this.#rules.get(condition.id)?.when : condition
    const firm = asked === undefined ? undefined : this.#known.get(asked)?.firm
    return firm === undefined || this.#told[firm] !== 1 ? -1 : firm
  }

  /** Needs whose signs are all looked for. What a need is made of was made before it. */
  #toldOf(used: Uint8Array): Uint8Array {
    const told = new Uint8Array(this.#needs.length)
    for (const [need, { of }] of this.#needs.entries()) told[need] = of.length === 0 ? used[need] as number : Number(of.every((one) => told[one] === 1))
    return told
  }

  /** Signs that no rule rests on are not looked for. */
  #used(rules: readonly number[]): Uint8Array {
    const used = new Uint8Array(this.#needs.length)
    const open = rules.filter((need) => need >= 0)
    for (let need = open.pop(); need !== undefined; need = open.pop()) {
      if (used[need] === 1) continue
      used[need] = 1
      for (const one of this.#needs[need]?.of ?? []) open.push(one)
    }
    return used
  }

  #sign(): number {
    return this.#needs.push({ least: 1, of: [] }) - 1
  }

  /** So many of these; each counts as often as it is here. Of none nothing is there. */
  #several(needs: readonly number[], least: number): number {
    const [only] = needs
    return only !== undefined && needs.length === 1 && least === 1 ? only : this.#needs.push({ least, of: needs }) - 1
  }

  #all(guards: readonly (Guard | undefined)[]): Guard | undefined {
    const need = this.#every(guards.map((guard) => guard?.need))
    if (need === undefined) return undefined
    const isFirm = guards.every((guard) => guard === undefined || guard.firm === guard.need)
    return { need, firm: isFirm ? need : this.#every(guards.map((guard) => guard?.firm)) }
  }

  #every(needs: readonly (number | undefined)[]): number | undefined {
    const some = [...new Set(needs.filter((need) => need !== undefined))]
    return some.length === 0 ? undefined : this.#several(some, some.length)
  }

  #any(guards: readonly (Guard | undefined)[]): Guard | undefined {
    const some = guards.filter((guard) => guard !== undefined)
    if (some.length < guards.length) return undefined
    const need = this.#several([...new Set(some.map((guard) => guard.need))], 1)
    if (some.every(({ need, firm }) => firm === need)) return { need, firm: need }
    const firm = some.map((guard) => guard.firm).filter((one) => one !== undefined)
    return { need, firm: firm.length < some.length ? undefined : this.#several([...new Set(firm)], 1) }
  }

  #ofRule(id: string): Guard | undefined {
    const rule = this.#rules.get(id)
    return rule === undefined ? undefined : this.#of(rule.when)
  }

  #of(condition: Condition): Guard | undefined {
    if (this.#known.has(condition)) return this.#known.get(condition)
    const guard = this.#make(condition)
    this.#known.set(condition, guard)
    return guard
  }

  #make(condition: Condition): Guard | undefined {
    switch (condition.kind) {
      case 'all': return this.#all(condition.of.map((one) => this.#of(one)))
      case 'any': return this.#any(condition.of.map((one) => this.#of(one)))
      case 'not': return condition.of.kind === 'present' ? this.#ofAbsence(condition.of.in) : undefined
      case 'rule': return this.#ofRule(condition.id)
      case 'matches': return this.#ofPattern(condition.in, condition.pattern)
      case 'words': return this.#ofWords(condition.in, condition.words)
      case 'present': return this.#ofPresence(condition.in)
      case 'some': return withItems(condition.of, (source) => this.#ofItems(condition.of, condition.where, source.text))
      case 'compare': return condition.right.kind === 'number' ? this.#ofComparison(condition.left, condition.operator, condition.right.value) : undefined
    }
  }

  #ofComparison(left: Quantity, operator: Operator, right: number): Guard | undefined {
    if (left.kind === 'fact' || (left.kind === 'measure' && AT_HAND.has(left.name))) return this.#ofCheck(left, operator, right)
    // There must be a longest one.
    if (left.kind === 'length') return loose(this.#ofPresence(left.in))
    const known: { readonly guard: Guard; readonly most: number }[] = []
    // What nobody knows anything of may add so much and no more.
    let sum = 0
    const terms = termsOf(left)
    for (const term of terms) {
      const guard = this.#ofQuantity(term)
      if (guard === undefined) sum += this.#mostOf(term)
      else known.push({ guard, most: this.#mostOf(term) })
    }
    if (!isAbove(operator, right, sum)) return undefined
    // So many of the others it takes at least.
    known.sort((a, b) => b.most - a.most)
    let least = 0
    while (least < known.length && isAbove(operator, right, sum)) sum += known[least++]?.most ?? 0
    if (isAbove(operator, right, sum)) least = known.length + 1
    const [only] = known
    if (terms.length === 1 && only !== undefined && least === 1) return only.guard
    const need = this.#several(known.map(({ guard }) => guard.need), least)
    // Too few are not 0 then, whatever is not known of the others.
    const isFirm = known.length === terms.length && known.every(({ guard }) => guard.firm === guard.need)
    return { need, firm: isFirm ? need : undefined }
  }

  /** What is never more than that; nor below 0. */
  #mostOf(quantity: Quantity): number {
    switch (quantity.kind) {
      case 'truth': return 1
      case 'rule': return this.#rules.get(quantity.id)?.times === undefined ? 1 : Infinity
      case 'occurrences': return quantity.most
      case 'number': return quantity.value
      default: return Infinity
    }
  }

  #ofCheck(left: Check['left'], operator: Operator, right: number): Guard {
    const key = `${left.kind} ${left.name} ${operator} ${right}`
    let check = this.#checks.get(key)
    if (check === undefined) {
      check = { sign: this.#sign(), left, operator, right }
      this.#checks.set(key, check)
    }
    return { need: check.sign, firm: left.kind === 'measure' && ALWAYS_KNOWN.has(left.name) ? check.sign : undefined }
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
      case '+': return this.#any(termsOf(quantity).map((term) => this.#ofQuantity(term)))
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
      case 'all': return this.#all(where.of.map((one) => this.#ofItems(of, one, text)))
      case 'any': return this.#any(where.of.map((one) => this.#ofItems(of, one, text)))
      case 'matches': return this.#ofPattern(text(where.field), where.pattern)
      case 'words': return this.#ofWords(text(where.field), where.words)
      case 'number': return this.#ofWords(text(FEATURES), [where.field])
      case 'flag':
        if (where.is) return this.#ofWords(text(FEATURES), [where.field])
        return this.#ofPresence(text(NAMES[of.kind]))
      // Not of every item: each has something that it is known by.
      case 'not':
      case 'related': return this.#ofPresence(text(NAMES[of.kind]))
    }
  }

  #ofPattern(source: TextSource, pattern: Pattern): Guard | undefined {
    if (pattern.needs === undefined) return source.kind === 'hidden' ? loose(this.#ofCheck(HIDDEN_LENGTH, '>', 0)) : this.#ofPresence(source)
    const { set, index } = this.#numbering.place(source, pattern)
    const { patterns } = this.#watch(source)
    const signs = patterns.get(set) ?? new Map<number, number>()
    patterns.set(set, signs)
    const sign = signs.get(index) ?? this.#sign()
    signs.set(index, sign)
    return guardOf(source, sign)
  }

  #ofWords(source: TextSource, words: readonly string[]): Guard | undefined {
    // It takes longer to tell than asking the few rules that want it, which want rarer things too.
    if (source.kind === 'language') return undefined
    const watched = this.#watch(source).words
    const signs = words.map((word) => {
      const sign = watched.get(word) ?? this.#sign()
      watched.set(word, sign)
      return sign
    })
    return guardOf(source, this.#several(signs, 1))
  }

  #ofPresence(source: TextSource): Guard | undefined {
    // Some are always there, and some are made for whoever asks.
    if (piecesOf(source) !== 'whole' || source.kind === 'subject') return undefined
    const watched = this.#watch(source)
    if (watched.present < 0) watched.present = this.#sign()
    return guardOf(source, watched.present)
  }

  #ofAbsence(source: TextSource): Guard | undefined {
    if (piecesOf(source) !== 'whole' || source.kind === 'subject') return undefined
    const watched = this.#watch(source)
    if (watched.absent < 0) watched.absent = this.#sign()
    return guardOf(source, watched.absent)
  }

  #watch(source: TextSource): Watched {
    const slot = this.#numbering.slot(source)
    let watched = this.#watched.get(slot)
    if (watched === undefined) {
      watched = { slot, present: -1, absent: -1, words: new Map(), patterns: new Map() }
      this.#watched.set(slot, watched)
    }
    return watched
  }
}

const HIDDEN_LENGTH = { kind: 'measure', name: 'hidden_length' } as const

/** A text of each item, '' or not. */
const NAMES = { link: 'url', attachment: 'name', part: 'type', address: 'domain' } as const

/** Without a sign in these texts a condition is false, where it is known which they are. */
function guardOf(source: TextSource, need: number): Guard {
  return { need, firm: isAlwaysKnown(source) ? need : undefined }
}

/** Without it the condition may be not known. */
function loose(guard: Guard | undefined): Guard | undefined {
  return guard === undefined ? undefined : { need: guard.need, firm: undefined }
}

/** The same with those signs alone that are wanted; undefined: with none. */
function withSigns({ slot, present, absent, words, patterns }: Watched, isWanted: (sign: number) => boolean): Watched | undefined {
  const sets = [...patterns].map(([set, signs]) => [set, new Map([...signs].filter(([, sign]) => isWanted(sign)))] as const).filter(([, signs]) => signs.size > 0)
  const one: Watched = {
    slot,
    present: isWanted(present) ? present : -1,
    absent: isWanted(absent) ? absent : -1,
    words: new Map([...words].filter(([, sign]) => isWanted(sign))),
    patterns: new Map(sets),
  }
  return one.present < 0 && one.absent < 0 && one.words.size === 0 && one.patterns.size === 0 ? undefined : one
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
