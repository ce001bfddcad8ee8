/**
 * Makes of conditions the code that a message is asked by (condition-code.ts),
 * and closures of what is asked seldom: quantities, items, what a rule shows.
 * Which rule another refers to is resolved to its number. Refers a rule to one
 * that is not there, that is a bug of whoever loaded them: it throws.
 */
import type { Pattern } from '../patterns/pattern.ts'
import { ARITHMETIC, both, OPERATORS } from './arithmetic.ts'
import { ALL, ANY, ANY_OF_GROUP, CALL, CodeWriter, MANY_OF_GROUP, MATCHES, NEED, NOT, PRESENT, RULE } from './condition-code.ts'
import type { Condition, ItemTest, Quantity, TextSource } from './condition.ts'
import { ItemCompiler } from './compile-items.ts'
import { cheapestFirst, Efforts } from './effort.ts'
import { GuardMaker } from './guards.ts'
import { withItems } from './item-sources.ts'
import type { ItemSource } from './item-sources.ts'
import type { Rule } from './rule.ts'
import { termsOf } from './make-condition.ts'
import type { Program, Run } from './run.ts'
import type { PatternGroup, PatternPlace } from './scanned-texts.ts'
import { firstOfRules, rulesAdded, sumOfRules } from './sums-of-rules.ts'
import { sourceKey } from './text-keys.ts'
import { TextNumbers } from './text-numbers.ts'
import { UNKNOWN, YES } from './truth.ts'
import type { Truth } from './truth.ts'
import { askedOfEach, Worths } from './worth.ts'

export interface Question {
  /** where it begins in the code */
  readonly at: number
  /** what it found; asked only where it holds */
  readonly shows: (run: Run) => string | undefined
}

export type Measurement = (run: Run) => number | undefined

export interface CompiledRule {
  readonly shows: Question['shows']
  readonly times: Measurement | undefined
}

const MAX_SHOWN_CHARACTERS = 80

/** A rule a step. */
export function* compileRules(rules: readonly Rule[]): Generator<void, Program> {
  const compiler = new Compiler(rules, yield* Efforts.making(rules))
  const compiled: CompiledRule[] = []
  const starts = new Int32Array(rules.length)
  for (const [number, { when, times }] of rules.entries()) {
    const { at, shows } = compiler.condition(when)
    starts[number] = at
    compiled.push({ shows, times: times === undefined ? undefined : compiler.quantity(times) })
    yield
  }
  const maker = new GuardMaker(rules, compiler.texts)
  const guards = yield* maker.making()
  const texts = compiler.texts.made()
  yield
  const conditions = compiler.conditions((condition) => maker.firm(condition))
  yield
  return { ...texts, ...conditions, rules: compiled, starts, guards, nothingMissing: new Uint8Array(guards.needs.length) }
}

class Compiler {
  readonly texts = new TextNumbers()
  readonly #rules: ReadonlyMap<string, number>
  readonly #worths: Worths
  readonly #efforts: Efforts
  readonly #code = new CodeWriter()
  /** by where they begin */
  readonly #begins = new Map<number, Condition>()
  /** conditions that quantities ask */
  readonly #made = new Map<Condition, Question>()
  readonly #places: PatternPlace[] = []
  readonly #groups: Program['groups'][number][] = []
  readonly #calls: ((run: Run) => Truth)[] = []
  /** calls that several may share, by what they compare */
  readonly #shared = new Map<string, number>()

  constructor(rules: readonly Rule[], efforts: Efforts) {
    this.#rules = new Map(rules.map(({ id }, index) => [id, index]))
    this.#worths = new Worths(rules)
    this.#efforts = efforts
  }

  /** @param need that a condition is false without; -1: none */
  conditions(need: (condition: Condition) => number): Pick<Program, 'code' | 'places' | 'groups' | 'calls'> {
    const code = this.#code.written()
    for (const [at, condition] of this.#begins) code[at + NEED] = need(condition)
    return { code, places: this.#places, groups: this.#groups, calls: this.#calls }
  }

  /** By itself, no part of another: made once, whoever asks. */
  #alone(condition: Condition): Question {
    let question = this.#made.get(condition)
    if (question === undefined) this.#made.set(condition, question = this.condition(condition))
    return question
  }

  condition(condition: Condition): Question {
    const question = this.#question(condition)
    this.#begins.set(question.at, condition)
    return question
  }

  #question(condition: Condition): Question {
    switch (condition.kind) {
      case 'all':
      case 'any': return this.#several(condition)
      case 'not': {
        const at = this.#code.begin(NOT)
        this.condition(condition.of)
        this.#code.end(at)
        return { at, shows: nothing }
      }
      case 'rule': {
        const index = this.#ruleIndex(condition.id)
        return { at: this.#code.single(RULE, index), shows: (run) => run.ruleExcerpt(index) }
      }
      case 'matches': return { at: this.#code.single(MATCHES, this.#places.push(this.texts.place(condition.in, condition.pattern)) - 1, this.texts.slot(condition.in)), shows: this.#excerpt(condition) }
      case 'words': return this.#words(this.texts.slot(condition.in), new Set(condition.words))
      case 'present': return { at: this.#code.single(PRESENT, this.texts.slot(condition.in)), shows: nothing }
      case 'some': return withItems(condition.of, (source) => ({ at: this.#call(new ItemCompiler(source, this.texts).some(condition.where)), shows: this.#firstItem(source, condition.where) }))
      case 'compare': return this.#compared(condition)
    }
  }

  quantity(quantity: Quantity): Measurement {
    switch (quantity.kind) {
      case 'number': return () => quantity.value
      case 'measure': return (run) => run.view.measure(quantity.name)
      case 'fact': return (run) => run.view.facts.number(quantity.name)
      case 'scripts': return ({ view }) => quantity.names.reduce((sum, name) => sum + (view.content.scripts.get(name) ?? 0), 0)
      case 'values':
      case 'length': {
        const slot = this.texts.slot(quantity.in)
        return quantity.kind === 'values' ? (run) => run.texts.values(slot)?.length : (run) => longest(run.texts.values(slot))
      }
      case 'occurrences': return this.#occurrences(quantity)
      case 'items': return withItems(quantity.of, (source) => new ItemCompiler(source, this.texts).count(quantity))
      case 'truth': {
        const { at } = this.#alone(quantity.of)
        return (run) => {
          const answer = run.ask(at)
          return answer === UNKNOWN ? undefined : Number(answer === YES)
        }
      }
      case 'rule': {
        const index = this.#ruleIndex(quantity.id)
        return (run) => run.ruleTimes(index)
      }
      case 'spamassassin': return ({ view }) => view.spamassassin.answer(quantity.question)
      case 'either': {
        const parts = quantity.of.map((one) => ({ value: this.quantity(one), isTruth: this.#worths.of(one) === 'truth' }))
        return (run) => firstOf(run, parts)
      }
      case 'both': {
        const parts = quantity.of.map((one) => this.quantity(one))
        return (run) => lastOf(run, parts)
      }
      case 'choose': {
        const { at } = this.#alone(quantity.by)
        const [yes, no] = [this.quantity(quantity.yes), this.quantity(quantity.no)]
        return (run) => {
          const answer = run.ask(at)
          return answer === UNKNOWN ? undefined : answer === YES ? yes(run) : no(run)
        }
      }
      case '+':
      case '-':
      case '*':
      case '/': {
        const rules = this.#rulesAdded(quantity)
        if (rules !== undefined) return (run) => sumOfRules(run, rules)
        const left = this.quantity(quantity.left)
        const right = this.quantity(quantity.right)
        const calculate = ARITHMETIC[quantity.kind]
        return (run) => both(left(run), right(run), calculate)
      }
    }
  }

  /** Of several the cheap ones are asked first; shown is what the first says. */
  #several({ kind, of }: Extract<Condition, { kind: 'all' | 'any' }>): Question {
    const group = kind === 'any' ? this.#group(of) : undefined
    const at = group === undefined ? this.#code.begin(kind === 'all' ? ALL : ANY) : this.#code.begin(ANY_OF_GROUP, this.#groups.push({ group, least: 1 }) - 1)
    const parts = new Map<Condition, Question>()
    for (const one of cheapestFirst(of, (one) => this.#efforts.of(one))) parts.set(one, this.condition(one))
    this.#code.end(at)
    const shown = of.map((one) => parts.get(one) as Question)
    return { at, shows: (run) => firstShown(shown, run) }
  }

  #compared(condition: Extract<Condition, { kind: 'compare' }>): Question {
    const each = askedOfEach(condition, this.#worths)
    if (each !== undefined) return this.condition(each)
    const many = this.#many(condition)
    if (many !== undefined) return this.#shownBy(this.#code.begin(MANY_OF_GROUP, many), condition.left)
    const key = keyOf(condition)
    const known = this.#shared.get(key)
    const number = known ?? this.#calls.push(unknown) - 1
    const at = this.#code.begin(CALL, number)
    if (known === undefined) this.#calls[number] = this.#comparison(condition)
    if (key !== '') this.#shared.set(key, number)
    return this.#shownBy(at, condition.left)
  }

  #comparison(condition: Extract<Condition, { kind: 'compare' }>): (run: Run) => Truth {
    const several = this.#soMany(condition)
    if (several !== undefined) return several
    const left = this.quantity(condition.left)
    const right = this.quantity(condition.right)
    const compare = OPERATORS[condition.operator]
    return (run) => both(left(run), right(run), compare)
  }

  /** So many of several that hold or do not: no more are asked than it takes to see that they are not. */
  #soMany({ left, operator, right }: Extract<Condition, { kind: 'compare' }>): ((run: Run) => Truth) | undefined {
    if (operator !== '>=' || right.kind !== 'number') return undefined
    const parts: number[] = []
    for (const term of termsOf(left)) {
      if (term.kind === 'truth') parts.push(this.#alone(term.of).at)
      else if (term.kind === 'rule' && this.#worths.of(term) === 'truth') parts.push(this.#alone({ kind: 'rule', id: term.id }).at)
      else return undefined
    }
    const least = right.value
    return (run) => run.soMany(parts, least)
  }

  #shownBy(at: number, quantity: Quantity): Question {
    const shows = this.#counted(quantity)
    this.#code.end(at)
    return { at, shows }
  }

  #call(call: (run: Run) => Truth): number {
    return this.#code.single(CALL, this.#calls.push(call) - 1)
  }

  /** So many of several patterns: the number of their group. */
  #many({ left, operator, right }: Extract<Condition, { kind: 'compare' }>): number | undefined {
    if (operator !== '>=' || right.kind !== 'number') return undefined
    const truths = termsOf(left).map((term) => (term.kind === 'truth' ? term.of : undefined))
    const conditions = truths.filter((one) => one !== undefined)
    const group = conditions.length < truths.length ? undefined : this.#group(conditions)
    return group === undefined ? undefined : this.#groups.push({ group, least: right.value }) - 1
  }

  /** Undefined: they are not all patterns over the same values. */
  #group(conditions: readonly Condition[]): PatternGroup | undefined {
    const patterns = conditions.filter((one) => one.kind === 'matches')
    const [first] = patterns
    if (first === undefined || patterns.length < conditions.length || patterns.some((one) => sourceKey(one.in) !== sourceKey(first.in))) return undefined
    const places = patterns.map((one) => this.texts.place(one.in, one.pattern))
    return { set: this.texts.place(first.in, first.pattern).set, slot: this.texts.slot(first.in), indexes: places.map(({ index }) => index) }
  }

  #occurrences({ in: source, pattern, most }: Extract<Quantity, { kind: 'occurrences' }>): Measurement {
    const place = this.texts.place(source, pattern)
    const slot = this.texts.slot(source)
    return (run) => run.texts.countAll(place, { slot, most })
  }

  /** What a count of occurrences or items found first. */
  #counted(quantity: Quantity): (run: Run) => string | undefined {
    switch (quantity.kind) {
      case 'occurrences': return this.#excerpt(quantity)
      case 'items': return withItems(quantity.of, (source) => this.#firstItem(source, quantity.where))
      case '+': {
        const rules = this.#rulesAdded(quantity)
        if (rules !== undefined) return (run) => firstOfRules(run, rules)
        const left = this.#counted(quantity.left)
        const right = this.#counted(quantity.right)
        return (run) => left(run) ?? right(run)
      }
      case 'truth': {
        const question = this.#alone(quantity.of)
        return (run) => firstShown([question], run)
      }
      case 'rule': {
        const index = this.#ruleIndex(quantity.id)
        return (run) => run.ruleExcerpt(index)
      }
      case 'number':
      case 'measure':
      case 'fact':
      case 'scripts':
      case 'values':
      case 'length':
      case 'spamassassin':
      case 'either':
      case 'both':
      case 'choose':
      case '-':
      case '*':
      case '/': return nothing
    }
  }

  #rulesAdded(sum: Quantity): readonly number[] | undefined {
    return rulesAdded(sum, (rule) => (this.#worths.of(rule) === 'truth' ? this.#ruleIndex(rule.id) : undefined))
  }

  #words(slot: number, words: ReadonlySet<string>): Question {
    const isOne = (value: string) => words.has(value.toLowerCase())
    return {
      at: this.#call((run) => run.texts.values(slot)?.some(isOne)),
      shows: (run) => shown(run.texts.values(slot)?.find(isOne)),
    }
  }

  #firstItem<T>(source: ItemSource<T>, where: ItemTest): Question['shows'] {
    const first = new ItemCompiler(source, this.texts).first(where)
    return (run) => {
      const found = first(run)
      return found === undefined ? undefined : shown(source.label(found))
    }
  }

  #excerpt({ in: source, pattern }: { readonly in: TextSource; readonly pattern: Pattern }): Question['shows'] {
    const place = this.texts.place(source, pattern)
    const slot = this.texts.slot(source)
    return (run) => run.texts.excerptOfAny(place, slot)
  }

  #ruleIndex(id: string): number {
    const index = this.#rules.get(id)
    if (index === undefined) throw new Error(`there is no rule ${id}`)
    return index
  }
}

/** What many rules compare alike, and is asked once; '': nothing of that kind. */
function keyOf({ left, operator, right }: Extract<Condition, { kind: 'compare' }>): string {
  return left.kind === 'measure' && right.kind === 'number' ? `${left.name} ${operator} ${right.value}` : ''
}

/** The first that is not 0. Behind one that is not known it is not either, unless both can be nothing but the same. */
function firstOf(run: Run, parts: readonly { readonly value: Measurement; readonly isTruth: boolean }[]): number | undefined {
  let known = true
  for (const { value, isTruth } of parts) {
    const found = value(run)
    if (found === undefined) {
      // May it be anything, nothing behind it tells more.
      if (!isTruth) return undefined
      known = false
    } else if (found !== 0) return known || found === 1 ? found : undefined
  }
  return known ? 0 : undefined
}

/** The last, or 0 where one is 0. Not known where one is not that could decide it. */
function lastOf(run: Run, parts: readonly Measurement[]): number | undefined {
  let known = true
  let last: number | undefined = 0
  for (const part of parts) {
    last = part(run)
    if (last === undefined) known = false
    else if (last === 0) return 0
  }
  return known ? last : undefined
}

function longest(values: readonly string[] | undefined): number | undefined {
  return values === undefined || values.length === 0 ? undefined : values.reduce((most, { length }) => Math.max(most, length), 0)
}

function firstShown(parts: readonly Question[], run: Run): string | undefined {
  for (const { at, shows } of parts) {
    const text = run.ask(at) === YES ? shows(run) : undefined
    if (text !== undefined) return text
  }
  return undefined
}

function unknown(): undefined {
  return undefined
}

function nothing(): undefined {
  return undefined
}

function shown(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text.slice(0, MAX_SHOWN_CHARACTERS)
}
