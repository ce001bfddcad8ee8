/**
 * Makes closures of conditions. All patterns over the same texts come into one
 * set, so that one pass over a text answers all who ask; which rule another
 * refers to is resolved to its number. Refers a rule to one that is not there,
 * that is a bug of whoever loaded them: it throws.
 */
import { PatternSet } from '../patterns/pattern-set.ts'
import type { Pattern } from '../patterns/pattern.ts'
import { ARITHMETIC, both, OPERATORS } from './arithmetic.ts'
import type { Condition, ItemTest, Quantity, TextSource } from './condition.ts'
import { ItemCompiler } from './compile-items.ts'
import { cheapestFirst, effortOf } from './effort.ts'
import { GuardMaker } from './guards.ts'
import { withItems } from './item-sources.ts'
import type { ItemSource } from './item-sources.ts'
import type { Rule } from './rule.ts'
import { termsOf } from './make-condition.ts'
import type { Program, Run } from './run.ts'
import type { PatternGroup, PatternPlace, SourceSet } from './scanned-texts.ts'
import { piecesOf, setKey, sourceKey } from './text-keys.ts'
import { allOf, anyOf, not } from './truth.ts'
import type { Truth } from './truth.ts'
import { askedOfEach, Worths } from './worth.ts'

export interface Question {
  readonly holds: (run: Run) => Truth
  /** what it found; asked only where it holds */
  readonly shows: (run: Run) => string | undefined
}

export type Measurement = (run: Run) => number | undefined

export interface CompiledRule {
  readonly question: Question
  readonly times: Measurement | undefined
}

const MAX_SHOWN_CHARACTERS = 80

/** A rule a step. */
export function* compileRules(rules: readonly Rule[]): Generator<void, Program> {
  const compiler = new Compiler(rules)
  const compiled: CompiledRule[] = []
  for (const { when, times } of rules) {
    compiled.push({ question: compiler.condition(when), times: times === undefined ? undefined : compiler.quantity(times) })
    yield
  }
  const guards = yield* new GuardMaker(rules, compiler).making()
  return { ...compiler.texts(), rules: compiled, guards }
}

class Compiler {
  readonly #rules: ReadonlyMap<string, number>
  readonly #worths: Worths
  readonly #sources = new Map<string, { readonly slot: number; readonly source: TextSource }>()
  readonly #sets = new Map<string, { readonly set: number; readonly pieces: SourceSet['pieces']; readonly patterns: Map<string, { readonly index: number; readonly pattern: Pattern }> }>()

  constructor(rules: readonly Rule[]) {
    this.#rules = new Map(rules.map(({ id }, index) => [id, index]))
    this.#worths = new Worths(rules)
  }

  texts(): Pick<Program, 'sets' | 'sources' | 'patterns'> {
    return {
      patterns: [...this.#sets.values()].flatMap(({ patterns }) => Array.from(patterns.values(), ({ pattern }) => pattern)),
      sets: Array.from(this.#sets.values(), ({ pieces, patterns }) => setOf(pieces, Array.from(patterns.values(), ({ pattern }) => pattern))),
      sources: Array.from(this.#sources.values(), ({ source }) => source),
    }
  }

  condition(condition: Condition): Question {
    switch (condition.kind) {
      case 'all':
      case 'any': {
        const parts = condition.of.map((one) => ({ ...this.condition(one), effort: effortOf(one) }))
        return { holds: this.#decision(condition, parts), shows: (run) => firstShown(parts, run) }
      }
      case 'not': {
        const { holds } = this.condition(condition.of)
        return { holds: (run) => not(holds(run)), shows: nothing }
      }
      case 'rule': {
        const index = this.#ruleIndex(condition.id)
        return { holds: (run) => run.rule(index), shows: (run) => run.ruleExcerpt(index) }
      }
      case 'matches': return this.#matches(condition.in, condition.pattern)
      case 'words': return equalWords(this.slot(condition.in), new Set(condition.words))
      case 'present': {
        const slot = this.slot(condition.in)
        return { holds: (run) => valuesThen(run, slot, (values) => values.length > 0), shows: nothing }
      }
      case 'some': return withItems(condition.of, (source) => this.#some(source, condition.where))
      case 'compare': {
        const each = askedOfEach(condition, this.#worths)
        if (each !== undefined) return this.condition(each)
        const left = this.quantity(condition.left)
        const right = this.quantity(condition.right)
        const compare = OPERATORS[condition.operator]
        const many = this.#many(condition)
        if (many !== undefined) return { holds: many, shows: this.#counted(condition.left) }
        return { holds: (run) => both(left(run), right(run), compare), shows: this.#counted(condition.left) }
      }
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
        const slot = this.slot(quantity.in)
        return quantity.kind === 'values' ? (run) => run.texts.values(slot)?.length : (run) => longest(run.texts.values(slot))
      }
      case 'occurrences': return this.#occurrences(quantity)
      case 'items': return withItems(quantity.of, (source) => new ItemCompiler(source, this).count(quantity))
      case 'truth': {
        const { holds } = this.condition(quantity.of)
        return (run) => {
          const truth = holds(run)
          return truth === undefined ? undefined : Number(truth)
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
        const { holds } = this.condition(quantity.by)
        const [yes, no] = [this.quantity(quantity.yes), this.quantity(quantity.no)]
        return (run) => {
          const truth = holds(run)
          return truth === undefined ? undefined : truth ? yes(run) : no(run)
        }
      }
      case '+':
      case '-':
      case '*':
      case '/': {
        const left = this.quantity(quantity.left)
        const right = this.quantity(quantity.right)
        const calculate = ARITHMETIC[quantity.kind]
        return (run) => both(left(run), right(run), calculate)
      }
    }
  }

  #decision({ kind, of }: Extract<Condition, { kind: 'all' | 'any' }>, parts: readonly { readonly holds: Question['holds']; readonly effort: number }[]): Question['holds'] {
    const group = kind === 'any' ? this.#group(of) : undefined
    if (group !== undefined) return (run) => run.texts.anyOfGroup(group)
    const asked = cheapestFirst(parts, ({ effort }) => effort).map(({ holds }) => holds)
    return kind === 'all' ? (run) => allOf(asked, run) : (run) => anyOf(asked, run)
  }

  /** So many of several patterns. */
  #many({ left, operator, right }: Extract<Condition, { kind: 'compare' }>): Question['holds'] | undefined {
    if (operator !== '>=' || right.kind !== 'number') return undefined
    const truths = termsOf(left).map((term) => (term.kind === 'truth' ? term.of : undefined))
    const conditions = truths.filter((one) => one !== undefined)
    const group = conditions.length < truths.length ? undefined : this.#group(conditions)
    return group === undefined ? undefined : (run) => run.texts.manyOfGroup(group, right.value)
  }

  /** Undefined: they are not all patterns over the same values. */
  #group(conditions: readonly Condition[]): PatternGroup | undefined {
    const patterns = conditions.filter((one) => one.kind === 'matches')
    const [first] = patterns
    if (first === undefined || patterns.length < conditions.length || patterns.some((one) => sourceKey(one.in) !== sourceKey(first.in))) return undefined
    const places = patterns.map((one) => this.place(one.in, one.pattern))
    return { set: this.place(first.in, first.pattern).set, slot: this.slot(first.in), indexes: places.map(({ index }) => index) }
  }

  #matches(source: TextSource, pattern: Pattern): Question {
    const place = this.place(source, pattern)
    const slot = this.slot(source)
    return { holds: (run) => run.texts.anyMatches(place, slot), shows: (run) => run.texts.excerptOfAny(place, slot) }
  }

  #occurrences({ in: source, pattern, most }: Extract<Quantity, { kind: 'occurrences' }>): Measurement {
    const place = this.place(source, pattern)
    const slot = this.slot(source)
    return (run) => run.texts.countAll(place, { slot, most })
  }

  /** What a count of occurrences or items found first. */
  #counted(quantity: Quantity): (run: Run) => string | undefined {
    switch (quantity.kind) {
      case 'occurrences': return this.#matches(quantity.in, quantity.pattern).shows
      case 'items': return withItems(quantity.of, (source) => this.#some(source, quantity.where).shows)
      case '+': {
        const left = this.#counted(quantity.left)
        const right = this.#counted(quantity.right)
        return (run) => left(run) ?? right(run)
      }
      case 'truth': {
        const { holds, shows } = this.condition(quantity.of)
        return (run) => (holds(run) === true ? shows(run) : undefined)
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

  #some<T>(source: ItemSource<T>, where: ItemTest): Question {
    const items = new ItemCompiler(source, this)
    const first = items.first(where)
    return {
      holds: items.some(where),
      shows: (run) => {
        const found = first(run)
        return found === undefined ? undefined : shown(source.label(found))
      },
    }
  }

  /** The same texts are read once for all who ask. */
  slot(source: TextSource): number {
    const key = sourceKey(source)
    const known = this.#sources.get(key)
    if (known !== undefined) return known.slot
    const slot = this.#sources.size
    this.#sources.set(key, { slot, source })
    return slot
  }

  /** The same pattern in two rules is tried once. */
  place(source: TextSource, pattern: Pattern): PatternPlace {
    const key = setKey(source)
    let group = this.#sets.get(key)
    if (group === undefined) {
      group = { set: this.#sets.size, pieces: piecesOf(source), patterns: new Map() }
      this.#sets.set(key, group)
    }
    const name = `${pattern.flags}/${pattern.source}`
    let entry = group.patterns.get(name)
    if (entry === undefined) {
      entry = { index: group.patterns.size, pattern }
      group.patterns.set(name, entry)
    }
    return { set: group.set, index: entry.index }
  }

  #ruleIndex(id: string): number {
    const index = this.#rules.get(id)
    if (index === undefined) throw new Error(`there is no rule ${id}`)
    return index
  }
}

function setOf(pieces: SourceSet['pieces'], patterns: readonly Pattern[]): SourceSet {
  return { pieces, patterns: new PatternSet(patterns), anywhere: Uint8Array.from(patterns, ({ needs }) => Number(needs === undefined)) }
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

function valuesThen(run: Run, slot: number, ask: (values: readonly string[]) => Truth): Truth {
  const values = run.texts.values(slot)
  return values === undefined ? undefined : ask(values)
}

function equalWords(slot: number, words: ReadonlySet<string>): Question {
  const isOne = (value: string) => words.has(value.toLowerCase())
  return {
    holds: (run) => valuesThen(run, slot, (values) => values.some(isOne)),
    shows: (run) => shown(run.texts.values(slot)?.find(isOne)),
  }
}

function longest(values: readonly string[] | undefined): number | undefined {
  return values === undefined || values.length === 0 ? undefined : values.reduce((most, { length }) => Math.max(most, length), 0)
}

function firstShown(parts: readonly Question[], run: Run): string | undefined {
  for (const { holds, shows } of parts) {
    const text = holds(run) === true ? shows(run) : undefined
    if (text !== undefined) return text
  }
  return undefined
}

function nothing(): undefined {
  return undefined
}

function shown(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text.slice(0, MAX_SHOWN_CHARACTERS)
}
