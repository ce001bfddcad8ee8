/**
 * The values that stand in rule files: patterns, words, numbers to compare
 * with, yes and no. What cannot be read is told with its place and what is
 * allowed, and is null. Bounds: 200 patterns or words in one list, 2000
 * characters of a pattern.
 */
import { suggestion } from '../../config/nearest.ts'
import { formatKey, quote } from '../../config/problem.ts'
import type { KeyPath, Place } from '../../config/problem.ts'
import { showValue, toRaw } from '../../config/source.ts'
import type { Located, LocatedMap } from '../../config/source.ts'
import type { Pattern } from '../patterns/pattern.ts'
import { readPattern } from '../patterns/read-pattern.ts'
import type { Operator } from './condition.ts'
import { describeRange, senseless } from './ranges.ts'
import type { Range } from './ranges.ts'
import type { RuleProblem } from './rule.ts'

export interface Wrong {
  readonly problem: string
  readonly allowed?: string | undefined
}

export interface Comparison {
  readonly operator: Operator
  readonly value: number
}

/** One of the patterns or words must fit. */
export interface Choice {
  readonly patterns: readonly Pattern[]
  readonly words: ReadonlySet<string>
}

const MAX_LIST = 200
const MAX_PATTERN_CHARACTERS = 2000
const PATTERN_ALLOWED = "a pattern between slashes, in quotes, with flags of imsx: '/free (?:money|cash)/i'"
const NUMBER_ALLOWED = 'a number, or a mapping with above, below, at_least, at_most, is, is_not'

const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['above', '>'], ['below', '<'], ['at_least', '>='], ['at_most', '<='], ['is', '='], ['is_not', '!='],
])
export const COMPARISONS = [...OPERATORS.keys()]

export class ValueReader {
  readonly problems: RuleProblem[] = []
  readonly source: string
  /** the rule that is being read */
  rule: string | undefined

  constructor(source: string) {
    this.source = source
  }

  wrong(place: Place, key: KeyPath, { problem, allowed }: Wrong): null {
    this.problems.push({ source: this.source, ...place, key: formatKey(key), problem, allowed, rule: this.rule })
    return null
  }

  found(node: Located, at: KeyPath, allowed: string): null {
    return this.wrong(node.place, at, { problem: `found ${showValue(toRaw(node))}`, allowed })
  }

  /** False where there are others. */
  onlyKeys(node: LocatedMap, at: KeyPath, known: readonly string[]): boolean {
    const strange = [...node.entries].filter(([key]) => !known.includes(key))
    for (const [key, { place }] of strange) this.wrong(place, [...at, key], { problem: `unknown key${suggestion(key, known)}`, allowed: known.join(', ') })
    return strange.length === 0
  }

  text(node: Located): string | undefined {
    return node.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined
  }

  pattern(node: Located, at: KeyPath): Pattern | null {
    const [, source, flags] = /^\/(.+)\/([a-z]*)$/s.exec(this.text(node)?.trim() ?? '') ?? []
    if (source === undefined || flags === undefined) return this.found(node, at, PATTERN_ALLOWED)
    if (source.length > MAX_PATTERN_CHARACTERS) return this.wrong(node.place, at, { problem: `has ${source.length} characters`, allowed: `at most ${MAX_PATTERN_CHARACTERS}` })
    const reading = readPattern(source, flags)
    if (reading.status === 'read') return reading.pattern
    return this.wrong(node.place, at, { problem: `${quote(source)} is no pattern: ${reading.problem} at character ${reading.at + 1}`, allowed: PATTERN_ALLOWED })
  }

  patterns(node: Located, at: KeyPath): readonly Pattern[] | null {
    return this.list(node, at, (one, where) => this.pattern(one, where))
  }

  /** One value, or a list of them. */
  list<T>(node: Located, at: KeyPath, read: (one: Located, at: KeyPath) => T | null): readonly T[] | null {
    if (node.kind !== 'list') {
      const only = read(node, at)
      return only === null ? null : [only]
    }
    if (node.items.length === 0 || node.items.length > MAX_LIST) return this.wrong(node.place, at, { problem: `has ${node.items.length} entries`, allowed: `1 to ${MAX_LIST}` })
    return complete(node.items.map((item, i) => read(item, [...at, i])))
  }

  /** Words in lower case. `known`: no others are allowed. */
  words(node: Located, at: KeyPath, known?: readonly string[]): ReadonlySet<string> | null {
    const words = this.list(node, at, (one, where) => {
      const word = this.text(one)?.trim().toLowerCase() ?? ''
      if (word !== '' && (known === undefined || known.includes(word))) return word
      const allowed = known === undefined ? 'a word, or a list of words' : known.join(', ')
      return word === '' ? this.found(one, where, allowed) : this.wrong(one.place, where, { problem: `found ${quote(word)}${suggestion(word, known ?? [])}`, allowed })
    })
    return words === null ? null : new Set(words)
  }

  /** Patterns and words, mixed as one likes. */
  choice(node: Located, at: KeyPath, known?: readonly string[]): Choice | null {
    const patterns: Pattern[] = []
    const words = new Set<string>()
    const read = this.list(node, at, (one, where): true | null => {
      if (this.text(one)?.trim().startsWith('/') === true) {
        const pattern = this.pattern(one, where)
        if (pattern === null) return null
        patterns.push(pattern)
      } else {
        const word = this.words(one, where, known)
        if (word === null) return null
        for (const each of word) words.add(each)
      }
      return true
    })
    return read === null ? null : { patterns, words }
  }

  number(node: Located, at: KeyPath): number | null {
    const text = this.text(node) ?? ''
    const value = /^-?\d{1,12}(?:\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN
    return Number.isNaN(value) ? this.found(node, at, 'a number such as 3 or 0.5') : value
  }

  flag(node: Located, at: KeyPath): boolean | null {
    return node.kind === 'scalar' && typeof node.value === 'boolean' ? node.value : this.found(node, at, 'true or false')
  }

  /** `3`, or `{ above: 3, below: 7 }`: all of them must hold. */
  comparisons(node: Located, at: KeyPath, range: Range): readonly Comparison[] | null {
    if (node.kind === 'scalar') {
      const value = this.number(node, at)
      return value === null ? null : this.#sensible([{ operator: '=', value }], { place: node.place, at }, range)
    }
    if (node.kind !== 'map' || node.entries.size === 0) return this.found(node, at, NUMBER_ALLOWED)
    return this.onlyKeys(node, at, COMPARISONS) ? this.comparisonsAmong(node, at, range) : null
  }

  /** Those that stand among other keys; [] where there are none. */
  comparisonsAmong(node: LocatedMap, at: KeyPath, range: Range): readonly Comparison[] | null {
    const read: (Comparison | null)[] = []
    for (const [key, { value: entry }] of node.entries) {
      const operator = OPERATORS.get(key)
      if (operator === undefined) continue
      const value = this.number(entry, [...at, key])
      read.push(value === null ? null : { operator, value })
    }
    const all = complete(read)
    return all === null || all.length === 0 ? all : this.#sensible(all, { place: node.place, at }, range)
  }

  #sensible(comparisons: readonly Comparison[], { place, at }: { readonly place: Place; readonly at: KeyPath }, range: Range): readonly Comparison[] | null {
    const problem = senseless(comparisons, range)
    if (problem === undefined) return comparisons
    const asked = comparisons.map(({ operator, value }) => `${COMPARISONS.find((name) => OPERATORS.get(name) === operator) ?? operator} ${value}`).join(' and ')
    return this.wrong(place, at, { problem: `${asked} ${problem}`, allowed: `what some of the ${describeRange(range)} fulfil${range.known === true ? ', and others do not' : ''}` })
  }
}

/** Null where something is missing, which was told already. */
export function complete<T>(read: readonly (T | null)[]): readonly T[] | null {
  const some = read.filter((one) => one !== null)
  return some.length < read.length ? null : some
}
