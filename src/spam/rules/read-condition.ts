/**
 * Reads `when` of a rule: what stands in the file becomes a condition.
 *
 * A condition is a mapping with one key that says what it asks (`subject`,
 * `header`, `link`, `all` …) and others that say more about it; or the id of a
 * rule. Everything that is wrong is told, with its place and what is allowed;
 * the condition is null then. Nesting is bounded to 10 levels here, and to
 * what source.ts reads at all.
 */
import { nearest } from '../../config/nearest.ts'
import type { KeyPath } from '../../config/problem.ts'
import type { Located, LocatedMap } from '../../config/source.ts'
import { ADDRESS_FIELDS } from './items.ts'
import type { Condition } from './condition.ts'
import { compared, sum } from './make-condition.ts'
import { readCharset, readDefect, readFact, readLanguage, readNumber, readScript } from './read-facts.ts'
import { ITEM_TESTS, readAddress, readHtml, readItem } from './read-items.ts'
import { upTo } from './ranges.ts'
import { readHeader, readText } from './read-texts.ts'
import { complete, COMPARISONS } from './read-values.ts'
import type { ValueReader } from './read-values.ts'

const MAX_DEPTH = 10
const MAX_OF = 500
export const RULE_ID = /^[A-Z_][A-Z0-9_]{0,63}$/
const CONDITION_ALLOWED = "a mapping such as { subject: '/…/i' }, or the id of a rule"

/** What a reader of one kind of condition is given. */
export interface ConditionPlace {
  readonly values: ValueReader
  readonly node: LocatedMap
  readonly at: KeyPath
}

interface Kind {
  /** keys that may stand beside the one that names it */
  readonly beside: readonly string[]
  readonly read: (reader: ConditionReader, place: ConditionPlace) => Condition | null
}

const TEXT_BESIDE = ['count', 'at_least']

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['all', { beside: [], read: (reader, place) => reader.list('all', place) }],
  ['any', { beside: [], read: (reader, place) => reader.list('any', place) }],
  ['not', { beside: [], read: (reader, place) => reader.opposite(place) }],
  ['of', { beside: COMPARISONS, read: (reader, place) => reader.number(place) }],
  ['rule', { beside: [], read: (reader, place) => reader.rule(place) }],
  ['subject', { beside: TEXT_BESIDE, read: (_, place) => readText('subject', place) }],
  ['text', { beside: TEXT_BESIDE, read: (_, place) => readText('text', place) }],
  ['hidden', { beside: TEXT_BESIDE, read: (_, place) => readText('hidden', place) }],
  ['folded', { beside: TEXT_BESIDE, read: (_, place) => readText('folded', place) }],
  ['raw', { beside: TEXT_BESIDE, read: (_, place) => readText('raw', place) }],
  ['header', { beside: ['matches', 'is', 'spelling', 'missing', 'count', 'length', 'form', 'which'], read: (_, place) => readHeader(place) }],
  ['address', { beside: [...ADDRESS_FIELDS.keys(), ...ITEM_TESTS, 'count'], read: (_, place) => readAddress(place) }],
  ['link', { beside: ['count', 'hosts', 'domains'], read: (_, place) => readItem('link', place) }],
  ['attachment', { beside: ['count'], read: (_, place) => readItem('attachment', place) }],
  ['part', { beside: ['count'], read: (_, place) => readItem('part', place) }],
  ['html', { beside: [], read: (_, place) => readHtml(place) }],
  ['charset', { beside: [], read: (_, place) => readCharset(place) }],
  ['language', { beside: [], read: (_, place) => readLanguage(place) }],
  ['script', { beside: COMPARISONS, read: (_, place) => readScript(place) }],
  ['defect', { beside: [], read: (_, place) => readDefect(place) }],
  ['fact', { beside: ['is', 'matches', ...COMPARISONS], read: (_, place) => readFact(place) }],
  ['number', { beside: COMPARISONS, read: (_, place) => readNumber(place) }],
])

export const CONDITION_KINDS = [...KINDS.keys()]

export class ConditionReader {
  readonly #values: ValueReader
  #depth = 0

  constructor(values: ValueReader) {
    this.#values = values
  }

  read(node: Located, at: KeyPath): Condition | null {
    const id = this.#values.text(node)
    if (id !== undefined) return this.#ruleNamed(id, node, at)
    if (node.kind !== 'map' || node.entries.size === 0) return this.#values.found(node, at, CONDITION_ALLOWED)
    if (this.#depth >= MAX_DEPTH) return this.#values.wrong(node.place, at, { problem: 'is nested too deeply', allowed: `${MAX_DEPTH} levels; a part can be a rule of its own (__NAME)` })
    this.#depth++
    const condition = this.#readMapping(node, at)
    this.#depth--
    return condition
  }

  list(kind: 'all' | 'any', { node, at }: ConditionPlace): Condition | null {
    const of = this.#conditions(node, at, kind)
    return of === null ? null : { kind, of }
  }

  opposite({ node, at }: ConditionPlace): Condition | null {
    const value = node.entries.get('not')?.value
    const of = value === undefined ? null : this.read(value, [...at, 'not'])
    return of === null ? null : { kind: 'not', of }
  }

  /** `{ at_least: 2, of: […] }` */
  number({ node, at }: ConditionPlace): Condition | null {
    const of = this.#conditions(node, at, 'of')
    const comparisons = this.#values.comparisonsAmong(node, at, upTo(of?.length ?? Infinity))
    if (of === null || comparisons === null) return null
    if (comparisons.length === 0) return this.#values.wrong(node.place, at, { problem: 'does not say how many', allowed: `one of ${COMPARISONS.join(', ')} beside of` })
    return compared(sum(of.map((one) => ({ kind: 'truth', of: one }))), comparisons)
  }

  rule({ node, at }: ConditionPlace): Condition | null {
    const value = node.entries.get('rule')?.value
    if (value === undefined) return null
    return this.#ruleNamed(this.#values.text(value) ?? '', value, [...at, 'rule'])
  }

  #ruleNamed(id: string, node: Located, at: KeyPath): Condition | null {
    return RULE_ID.test(id) ? { kind: 'rule', id } : this.#values.found(node, at, CONDITION_ALLOWED)
  }

  #conditions(node: LocatedMap, at: KeyPath, key: string): readonly Condition[] | null {
    const value = node.entries.get(key)?.value
    if (value?.kind !== 'list' || value.items.length === 0 || value.items.length > MAX_OF) {
      return this.#values.wrong(value?.place ?? node.place, [...at, key], { problem: 'is no list of conditions', allowed: `1 to ${MAX_OF} of them: ${CONDITION_ALLOWED}` })
    }
    return complete(value.items.map((item, i) => this.read(item, [...at, key, i])))
  }

  #readMapping(node: LocatedMap, at: KeyPath): Condition | null {
    const named = [...node.entries.keys()].filter((key) => KINDS.has(key))
    // `not` beside `address` is about the address.
    const main = named.find((key) => named.every((other) => other === key || KINDS.get(key)?.beside.includes(other) === true))
    const name = main ?? named[0]
    const kind = name === undefined ? undefined : KINDS.get(name)
    if (name === undefined || kind === undefined) {
      const [first = ''] = node.entries.keys()
      const near = nearest(first, CONDITION_KINDS)
      return this.#values.wrong(node.place, at, { problem: `does not say what it asks${near === undefined ? '' : `; did you mean "${near}"?`}`, allowed: `one of ${CONDITION_KINDS.join(', ')}` })
    }
    if (main === undefined) return this.#values.wrong(node.place, at, { problem: `asks ${named.join(' and ')} at once`, allowed: `one of them; { all: [{ ${named.join(': … }, { ')}: … }] } for both` })
    if (!this.#values.onlyKeys(node, at, [name, ...kind.beside])) return null
    return kind.read(this, { values: this.#values, node, at })
  }
}
