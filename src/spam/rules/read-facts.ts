/**
 * Conditions over the facts of connection and authentication, over numbers of
 * the message, and over its languages and characters. See read-condition.ts.
 */
import { NUMBER_FACTS, WORD_FACTS } from '../facts.ts'
import type { MimeDefect } from '../../mime/message-parts.ts'
import { suggestion } from '../../config/nearest.ts'
import { quote } from '../../config/problem.ts'
import type { Condition, Quantity, TextSource } from './condition.ts'
import { anyOf, compared } from './make-condition.ts'
import { MEASURE_NAMES } from './measures.ts'
import { rangeOf, SHARE } from './ranges.ts'
import type { Range } from './ranges.ts'
import type { ConditionPlace } from './read-condition.ts'
import { COMPARISONS } from './read-values.ts'
import type { Choice } from './read-values.ts'

const DEFECTS: Readonly<Record<MimeDefect, true>> = {
  'too-deep': true, 'too-many-parts': true, 'too-many-fields': true, 'header-too-long': true, 'too-long': true,
  'no-boundary': true, 'boundary-not-found': true, 'not-closed': true,
  'broken-encoding': true, 'unknown-encoding': true, 'encoded-multipart': true,
  'unknown-charset': true, 'broken-charset': true, 'broken-field': true, 'duplicate-field': true, 'conflicting-fields': true,
  'text-between-fields': true,
}

export function readFact(place: ConditionPlace): Condition | null {
  const { values, node, at } = place
  const entry = node.entries.get('fact')
  if (entry === undefined) return null
  const name = values.text(entry.value)?.trim() ?? ''
  const number = NUMBER_FACTS.find((one) => one === name)
  if (number !== undefined) return compareWith(place, { kind: 'fact', name: number }, 'fact')
  const word = WORD_FACTS.find((one) => one === name)
  if (word === undefined) {
    const names = [...WORD_FACTS, ...NUMBER_FACTS]
    return values.wrong(entry.value.place, [...at, 'fact'], { problem: `there is no fact ${quote(name)}${suggestion(name, names)}`, allowed: names.join(', ') })
  }
  if (!values.onlyKeys(node, at, ['fact', 'is', 'matches'])) return null
  return wordTest(place, { kind: 'fact', name: word })
}

/** `is: words`, `matches: patterns`: one of them. */
function wordTest({ values, node, at }: ConditionPlace, source: TextSource): Condition | null {
  const is = node.entries.get('is')
  const matches = node.entries.get('matches')
  if ((is === undefined) === (matches === undefined)) return values.wrong(node.place, at, { problem: is === undefined ? 'does not say what it must be' : 'has both is and matches', allowed: 'is: a word or a list of words; or matches: a pattern or a list of patterns' })
  const words = is === undefined ? new Set<string>() : values.words(is.value, [...at, 'is'])
  const patterns = matches === undefined ? [] : values.patterns(matches.value, [...at, 'matches'])
  return words === null || patterns === null ? null : chosen(source, { words, patterns })
}

function chosen(source: TextSource, { words, patterns }: Choice): Condition {
  const conditions: Condition[] = words.size === 0 ? [] : [{ kind: 'words', in: source, words: [...words] }]
  return anyOf([...conditions, ...patterns.map((pattern): Condition => ({ kind: 'matches', in: source, pattern }))])
}

export function readNumber(place: ConditionPlace): Condition | null {
  const { values, node, at } = place
  const entry = node.entries.get('number')
  if (entry === undefined) return null
  const text = values.text(entry.value)?.trim() ?? ''
  const name = MEASURE_NAMES.find((one) => one === text)
  if (name !== undefined) return compareWith(place, { kind: 'measure', name }, 'number')
  return values.wrong(entry.value.place, [...at, 'number'], { problem: `there is no number ${quote(text)}${suggestion(text, MEASURE_NAMES)}`, allowed: MEASURE_NAMES.join(', ') })
}

/** `above: 3`, `at_most: 7` … beside the key that says of what. */
function compareWith({ values, node, at }: ConditionPlace, quantity: Quantity, key: string): Condition | null {
  if (!values.onlyKeys(node, at, [key, ...COMPARISONS])) return null
  const comparisons = values.comparisonsAmong(node, at, range(quantity))
  if (comparisons === null) return null
  if (comparisons.length > 0) return compared(quantity, comparisons)
  return values.wrong(node.place, at, { problem: 'does not say what it is compared with', allowed: `one of ${COMPARISONS.join(', ')}` })
}

function range(quantity: Quantity): Range {
  return quantity.kind === 'measure' || quantity.kind === 'fact' ? rangeOf(quantity.name) : SHARE
}

/** Names of Unicode scripts, as content.ts writes them: `Latin`, `Cyrillic`. */
export function readScript(place: ConditionPlace): Condition | null {
  const { values, node, at } = place
  const entry = node.entries.get('script')
  const names = entry === undefined ? null : values.list(entry.value, [...at, 'script'], (one, where) => {
    const name = values.text(one)?.trim() ?? ''
    return isScript(name) ? name : values.found(one, where, 'names of Unicode scripts: Latin, Cyrillic, Greek, Han, Arabic …')
  })
  return names === null ? null : compareWith(place, { kind: 'scripts', names }, 'script')
}

function isScript(name: string): boolean {
  if (!/^[A-Z][A-Za-z_]{1,40}$/.test(name)) return false
  try {
    return new RegExp(`\\p{Script=${name}}`, 'u').unicode
  } catch {
    // no script that Unicode knows
    return false
  }
}

export function readCharset({ values, node, at }: ConditionPlace): Condition | null {
  const entry = node.entries.get('charset')
  const choice = entry === undefined ? null : values.choice(entry.value, [...at, 'charset'])
  return choice === null ? null : chosen({ kind: 'charset' }, choice)
}

export function readLanguage({ values, node, at }: ConditionPlace): Condition | null {
  const entry = node.entries.get('language')
  const words = entry === undefined ? null : values.words(entry.value, [...at, 'language'])
  if (words === null || entry === undefined) return null
  const strange = [...words].find((word) => !/^[a-z]{2}$/.test(word))
  if (strange !== undefined) return values.wrong(entry.value.place, [...at, 'language'], { problem: `found ${quote(strange)}`, allowed: 'ISO 639-1: en, de, zh …' })
  return { kind: 'words', in: { kind: 'language' }, words: [...words] }
}

export function readDefect({ values, node, at }: ConditionPlace): Condition | null {
  const entry = node.entries.get('defect')
  const words = entry === undefined ? null : values.words(entry.value, [...at, 'defect'], Object.keys(DEFECTS))
  return words === null ? null : { kind: 'words', in: { kind: 'defect' }, words: [...words] }
}
