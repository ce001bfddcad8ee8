/**
 * Conditions over things of which a message has several: links, attachments,
 * parts, addresses. All entries of one must hold for the same thing. And over
 * the HTML, of which it has one. See read-condition.ts and items.ts.
 */
import type { KeyPath } from '../../config/problem.ts'
import type { Located, LocatedEntry, LocatedMap } from '../../config/source.ts'
import { PARTIES } from './addresses.ts'
import type { Party } from './addresses.ts'
import type { Condition, ItemSelection, ItemTest, Quantity, Relation } from './condition.ts'
import { fieldTypes } from './items.ts'
import type { ItemKind } from './items.ts'
import { allOf, anyOf, compared, sum } from './make-condition.ts'
import { MEASURE_NAMES } from './measures.ts'
import { COUNT, HOW_MANY, PORT, rangeOf } from './ranges.ts'
import type { ConditionPlace } from './read-condition.ts'
import { complete } from './read-values.ts'
import type { ValueReader } from './read-values.ts'

/** What may stand beside the fields of a thing. */
export const ITEM_TESTS = ['same_as', 'differs_from', 'by', 'not', 'any'] as const
const RELATIONS: Readonly<Record<ItemKind, readonly Relation[]>> = {
  link: ['organization', 'domain'],
  address: ['organization', 'domain', 'address', 'local', 'name'],
  attachment: [],
  part: [],
}
const ANYTHING: ItemTest = { kind: 'all', of: [] }

export function readItem(kind: 'link' | 'attachment' | 'part', place: ConditionPlace): Condition | null {
  const { values, node, at } = place
  const entry = node.entries.get(kind)?.value
  if (entry === undefined) return null
  const where = entry.kind === 'map' ? new ItemReader(values, kind).tests(entry, [...at, kind]) : anyOne(values, { kind, entry, at })
  return where === null ? null : counted(place, [{ kind }], where)
}

/** `{ link: true }`: any. */
function anyOne(values: ValueReader, { kind, entry, at }: { readonly kind: ItemKind; readonly entry: Located; readonly at: KeyPath }): ItemTest | null {
  if (entry.kind === 'scalar' && entry.value === true) return ANYTHING
  return values.found(entry, [...at, kind], `a mapping with ${[...fieldTypes(kind).keys()].join(', ')}; true for any`)
}

export function readAddress(place: ConditionPlace): Condition | null {
  const { values, node, at } = place
  const entry = node.entries.get('address')
  const parties = entry === undefined ? null : values.words(entry.value, [...at, 'address'], PARTIES)
  const where = new ItemReader(values, 'address').tests(node, at, ['address', 'count'])
  if (parties === null || where === null) return null
  return counted(place, PARTIES.filter((party) => parties.has(party)).map((of) => ({ kind: 'address', of })), where)
}

const COUNTS = ['count', 'hosts', 'domains'] as const

/** At least one, unless it is said how many. */
function counted({ values, node, at }: ConditionPlace, selections: readonly ItemSelection[], where: ItemTest): Condition | null {
  const given = COUNTS.filter((key) => node.entries.has(key))
  if (given.length === 0) return anyOf(selections.map((of) => ({ kind: 'some', of, where })))
  const conditions = given.map((key) => {
    const entry = node.entries.get(key)
    const comparisons = entry === undefined ? null : values.comparisons(entry.value, [...at, key], HOW_MANY)
    const different = key === 'hosts' ? { different: 'host' } : key === 'domains' ? { different: 'domain' } : {}
    return comparisons === null ? null : compared(sum(selections.map((of): Quantity => ({ kind: 'items', of, where, ...different }))), comparisons)
  })
  const read = complete(conditions)
  return read === null ? null : allOf(read)
}

class ItemReader {
  readonly #values: ValueReader
  readonly #kind: ItemKind

  constructor(values: ValueReader, kind: ItemKind) {
    this.#values = values
    this.#kind = kind
  }

  /** @param others keys of the mapping that are no tests */
  tests(node: LocatedMap, at: KeyPath, others: readonly string[] = []): ItemTest | null {
    if (!this.#values.onlyKeys(node, at, [...fieldTypes(this.#kind).keys(), ...ITEM_TESTS, ...others])) return null
    const entries = [...node.entries].filter(([key]) => !others.includes(key) && key !== 'by')
    if (entries.length === 0 && others.length === 0) return this.#values.found(node, at, `a mapping with ${[...fieldTypes(this.#kind).keys()].join(', ')}`)
    const read = complete(entries.map(([key, entry]) => this.#test({ key, entry, node }, [...at, key])))
    return read === null ? null : { kind: 'all', of: read }
  }

  #test({ key, entry, node }: { readonly key: string; readonly entry: LocatedEntry; readonly node: LocatedMap }, at: KeyPath): ItemTest | null {
    switch (key) {
      case 'same_as':
      case 'differs_from': return this.#related({ same: key === 'same_as', entry, node }, at)
      case 'not': {
        const of = entry.value.kind === 'map' ? this.tests(entry.value, at) : this.#values.found(entry.value, at, 'a mapping')
        return of === null ? null : { kind: 'not', of }
      }
      case 'any': {
        const of = this.#values.list(entry.value, at, (one, where) => (one.kind === 'map' ? this.tests(one, where) : this.#values.found(one, where, 'a mapping')))
        return of === null ? null : { kind: 'any', of }
      }
      default: return this.#field(key, entry.value, at)
    }
  }

  #field(field: string, node: Located, at: KeyPath): ItemTest | null {
    const type = fieldTypes(this.#kind).get(field)
    switch (type?.type) {
      case undefined: return null
      case 'flag': {
        const is = this.#values.flag(node, at)
        return is === null ? null : { kind: 'flag', field, is }
      }
      case 'number': {
        const comparisons = this.#values.comparisons(node, at, field === 'port' ? PORT : COUNT)
        return comparisons === null ? null : { kind: 'all', of: comparisons.map(({ operator, value }) => ({ kind: 'number', field, operator, value })) }
      }
      case 'text': {
        const choice = this.#values.choice(node, at, type.words)
        if (choice === null) return null
        const tests: ItemTest[] = choice.patterns.map((pattern) => ({ kind: 'matches', field, pattern }))
        if (choice.words.size > 0) tests.unshift({ kind: 'words', field, words: [...choice.words] })
        return { kind: 'any', of: tests }
      }
    }
  }

  #related({ same, entry, node }: { readonly same: boolean; readonly entry: LocatedEntry; readonly node: LocatedMap }, at: KeyPath): ItemTest | null {
    const relations = RELATIONS[this.#kind]
    if (relations.length === 0) return this.#values.wrong(entry.place, at, { problem: 'there is nothing to compare', allowed: 'same_as and differs_from with link and address' })
    const by = node.entries.get('by')
    const read = by === undefined ? new Set(['organization']) : this.#values.words(by.value, [...at.slice(0, -1), 'by'], relations)
    const parties = this.#values.words(entry.value, at, PARTIES)
    const relation = relations.find((one) => read?.has(one) === true)
    if (read === null || parties === null || relation === undefined) return null
    const tests = PARTIES.filter((party) => parties.has(party)).map((to: Party): ItemTest => ({ kind: 'related', to, by: relation, same }))
    // The same as one of them; different from each of them.
    return { kind: same ? 'any' : 'all', of: tests }
  }
}

const HTML_PREFIX = 'html_'
const HTML_FLAGS: ReadonlySet<string> = new Set(['base', 'refresh', 'truncated'])

/** `{ html: { forms: { above: 0 }, base: true } }`; `{ html: true }`: there is some. */
export function readHtml({ values, node, at }: ConditionPlace): Condition | null {
  const entry = node.entries.get('html')?.value
  if (entry === undefined) return null
  const where = [...at, 'html']
  const some = (is: boolean) => compared({ kind: 'measure', name: 'html' }, [{ operator: '=', value: Number(is) }])
  if (entry.kind === 'scalar' && typeof entry.value === 'boolean') return some(entry.value)
  const names = MEASURE_NAMES.filter((name) => name.startsWith(HTML_PREFIX))
  const allowed = names.map((name) => name.slice(HTML_PREFIX.length))
  if (entry.kind !== 'map' || entry.entries.size === 0) return values.found(entry, where, `true, false, or a mapping with ${allowed.join(', ')}`)
  if (!values.onlyKeys(entry, where, allowed)) return null
  const read = complete(names.flatMap((name) => {
    const key = name.slice(HTML_PREFIX.length)
    const value = entry.entries.get(key)?.value
    if (value === undefined) return []
    const flag = HTML_FLAGS.has(key) ? values.flag(value, [...where, key]) : undefined
    const comparisons = flag === undefined ? values.comparisons(value, [...where, key], rangeOf(name)) : flag === null ? null : [{ operator: '=', value: Number(flag) } as const]
    return [comparisons === null ? null : compared({ kind: 'measure', name }, comparisons)]
  }))
  return read === null ? null : allOf([some(true), ...read])
}
