/**
 * Conditions over texts (`subject`, `text`, `hidden`, `folded`, `raw`) and
 * header fields. See read-condition.ts.
 */
import { formatKey } from '../../config/problem.ts'
import type { LocatedEntry } from '../../config/source.ts'
import type { Pattern } from '../patterns/pattern.ts'
import type { Condition, TextSource } from './condition.ts'
import { allOf, anyOf, compared, sum } from './make-condition.ts'
import { COUNT, HOW_MANY } from './ranges.ts'
import type { ConditionPlace } from './read-condition.ts'
import { complete } from './read-values.ts'
import type { Comparison } from './read-values.ts'

/** More often than this nothing is counted; so nothing can be asked beyond it. */
const MOST_COUNTED = 10_000
/** RFC 5322 §3.6.8 */
const FIELD_NAME = /^[\x21-\x39\x3b-\x7e]{1,100}$/
const HEADER_ALLOWED = 'the name of a field, a list of names, or ALL for the whole header section'

export function readText(kind: 'subject' | 'text' | 'hidden' | 'folded' | 'raw', { values, node, at }: ConditionPlace): Condition | null {
  const entry = node.entries.get(kind)
  const patterns = entry === undefined ? null : values.patterns(entry.value, [...at, kind])
  if (patterns === null) return null
  const source: TextSource = { kind }
  const count = node.entries.get('count')
  const least = node.entries.get('at_least')
  if (count !== undefined && least !== undefined) return values.wrong(least.place, [...at, 'at_least'], { problem: 'stands beside count', allowed: 'count (how often they match in all) or at_least (how many of them match)' })
  if (count !== undefined) {
    const comparisons = values.comparisons(count.value, [...at, 'count'], HOW_MANY)
    const beyond = comparisons?.find(({ value }) => value >= MOST_COUNTED)
    if (beyond !== undefined) return values.wrong(count.value.place, [...at, 'count'], { problem: `asks for ${beyond.value}`, allowed: `numbers below ${MOST_COUNTED}` })
    return comparisons === null ? null : compared(occurrences(source, patterns, comparisons), comparisons)
  }
  if (least === undefined) return anyOf(matching(source, patterns))
  const value = values.number(least.value, [...at, 'at_least'])
  if (value === null) return null
  if (value < 1 || value > patterns.length) return values.wrong(least.value.place, [...at, 'at_least'], { problem: `found ${value}, and there are ${patterns.length} patterns`, allowed: `1 to ${patterns.length}` })
  return compared(sum(matching(source, patterns).map((of) => ({ kind: 'truth', of }))), [{ operator: '>=', value }])
}

function matching(source: TextSource, patterns: readonly Pattern[]): readonly Condition[] {
  return patterns.map((pattern) => ({ kind: 'matches', in: source, pattern }))
}

/** Counts no further than the comparison needs. */
function occurrences(source: TextSource, patterns: readonly Pattern[], comparisons: readonly Comparison[]) {
  const most = Math.min(MOST_COUNTED, Math.max(1, ...comparisons.map(({ value }) => Math.ceil(value) + 1)))
  return sum(patterns.map((pattern) => ({ kind: 'occurrences', in: source, pattern, most })))
}

export function readHeader(place: ConditionPlace): Condition | null {
  const { values, node, at } = place
  const entry = node.entries.get('header')
  const names = entry === undefined ? null : values.list(entry.value, [...at, 'header'], (one, where) => {
    const name = values.text(one)?.trim() ?? ''
    return FIELD_NAME.test(name) ? name : values.found(one, where, HEADER_ALLOWED)
  })
  const source = names === null ? null : headerSource(place, names)
  if (source === null) return null
  const tests = complete([...node.entries].flatMap(([key, value]) => headerTest(place, source, { key, value }) ?? []))
  if (tests === null) return null
  if (tests.length === 0) return values.wrong(node.place, at, { problem: 'does not say what of the field', allowed: `one of matches, is, missing, count, length, spelling beside ${formatKey(['header'])}` })
  return allOf(tests)
}

function headerSource({ values, node, at }: ConditionPlace, names: readonly string[]): TextSource | null {
  const form = word(node.entries.get('form'))
  if (form !== undefined && form !== 'raw' && form !== 'decoded') return values.wrong(node.place, [...at, 'form'], { problem: 'is none that there is', allowed: 'decoded (the default), raw' })
  const which = word(node.entries.get('which')) ?? 'each'
  if (which !== 'each' && which !== 'first' && which !== 'last') return values.wrong(node.place, [...at, 'which'], { problem: 'is none that there is', allowed: 'each (the default), first, last' })
  if (!names.includes('ALL')) return { kind: 'header', names: names.map((name) => name.toLowerCase()), form: form === 'raw' ? 'raw' : 'text', which }
  const other = [...node.entries.keys()].find((key) => key !== 'header' && key !== 'matches' && key !== 'form')
  if (names.length === 1 && other === undefined) return { kind: 'header-section', form: form === 'raw' ? 'raw' : 'text' }
  return values.wrong(node.place, [...at, other ?? 'header'], { problem: 'ALL stands beside what it does not go with', allowed: 'ALL alone, with matches and form' })
}

function word(entry: LocatedEntry | undefined): string | undefined {
  if (entry === undefined) return undefined
  return entry.value.kind === 'scalar' && typeof entry.value.value === 'string' ? entry.value.value : ''
}

/** Undefined: the key is no test. */
function headerTest({ values, at }: ConditionPlace, source: TextSource, { key, value: entry }: { readonly key: string; readonly value: LocatedEntry }): readonly [Condition | null] | undefined {
  const where = [...at, key]
  switch (key) {
    case 'matches': {
      const patterns = values.patterns(entry.value, where)
      return [patterns === null ? null : anyOf(matching(source, patterns))]
    }
    case 'spelling': {
      const patterns = values.patterns(entry.value, where)
      return [patterns === null || source.kind !== 'header' ? null : anyOf(matching({ ...source, form: 'spelling' }, patterns))]
    }
    case 'is': {
      const words = values.words(entry.value, where)
      return [words === null ? null : { kind: 'words', in: source, words: [...words] }]
    }
    case 'missing': {
      const missing = values.flag(entry.value, where)
      const present: Condition = { kind: 'present', in: source }
      return [missing === null ? null : missing ? { kind: 'not', of: present } : present]
    }
    case 'count':
    case 'length': {
      const comparisons = values.comparisons(entry.value, where, key === 'count' ? HOW_MANY : COUNT)
      return [comparisons === null ? null : compared({ kind: key === 'count' ? 'values' : 'length', in: source }, comparisons)]
    }
    default: return undefined
  }
}
