/**
 * Samples of a rule: messages that it must hit, and such that it must miss.
 *
 * A sample is a whole message (a text with header, empty line and body), or a
 * mapping that says what matters and leaves the rest to an ordinary message:
 *
 *     - { subject: "You won", text: "Come and get it", facts: { spf: fail } }
 *
 * Keys: `message` (alone, or with `facts`), `header` (lines; each replaces the
 * ordinary one of its name), `subject`, `from`, `to`, `text`, `html`, `facts`;
 * `charset: latin1` writes each character as one byte, where it is UTF-8
 * otherwise. Bounds: 64 KiB of one sample. LF in the file is CRLF in the message.
 */
import { MimeReader } from '../../mime/reader.ts'
import { suggestion } from '../../config/nearest.ts'
import type { KeyPath, Place } from '../../config/problem.ts'
import { isMapping, toRaw } from '../../config/source.ts'
import type { Located, LocatedMap, Raw } from '../../config/source.ts'
import { readContent } from '../content/read-content.ts'
import type { MessageContent } from '../content.ts'
import { NUMBER_FACTS, WORD_FACTS } from '../facts.ts'
import type { ScoringFacts } from '../facts.ts'
import type { ValueReader } from './read-values.ts'

export interface Sample {
  readonly place: Place
  /** like `rules[3].hits[0]` */
  readonly at: KeyPath
  readonly message: Buffer
  readonly facts: ScoringFacts
}

const MAX_SAMPLE_CHARACTERS = 65_536
const WORDS = ['subject', 'from', 'to', 'text', 'html'] as const
const KEYS = ['message', 'header', ...WORDS, 'charset', 'facts']
const SAMPLE_ALLOWED = `a message as text, or a mapping with ${KEYS.join(', ')}`

const ORDINARY_HEADER: readonly (readonly [string, string])[] = [
  ['Received', 'from mail.example.org (mail.example.org [192.0.2.1]) by mx.example.com with ESMTPS id 1; Mon, 05 Jan 2026 10:00:00 +0000'],
  ['From', 'Ann Author <ann@example.org>'],
  ['To', 'Bob Reader <bob@example.com>'],
  ['Subject', 'Minutes of the meeting'],
  ['Date', 'Mon, 05 Jan 2026 09:59:58 +0000'],
  ['Message-ID', '<20260105095958.1@example.org>'],
  ['MIME-Version', '1.0'],
]
const ORDINARY_TEXT = 'Hello Bob,\n\nhere are the minutes of our last meeting. Tell me what I forgot.\n\nAnn\n'
const BOUNDARY = 'boundary-of-the-sample'

export function readSample(values: ValueReader, node: Located, at: KeyPath): Sample | null {
  const whole = values.text(node)
  if (whole !== undefined) return bounded(values, { place: node.place, at, facts: NO_FACTS }, { text: whole, charset: 'utf8' })
  if (node.kind !== 'map' || node.entries.size === 0) return values.found(node, at, SAMPLE_ALLOWED)
  if (!values.onlyKeys(node, at, KEYS)) return null
  const given = new Map<string, string>()
  for (const key of ['message', ...WORDS]) {
    const entry = node.entries.get(key)
    if (entry === undefined) continue
    const text = values.text(entry.value)
    if (text === undefined) return values.found(entry.value, [...at, key], 'a text')
    given.set(key, text)
  }
  const header = readHeaderLines(values, node, at)
  const facts = readFacts(values, node, at)
  if (header === null || facts === null) return null
  const message = given.get('message')
  if (message !== undefined && (given.size > 1 || header.length > 0)) return values.wrong(node.place, at, { problem: 'has a message and parts of one', allowed: 'message with facts; or the parts' })
  const charset = readCharset(values, node, at)
  return charset === null ? null : bounded(values, { place: node.place, at, facts }, { text: message ?? messageOf(given, header), charset })
}

function bounded(values: ValueReader, sample: Omit<Sample, 'message'>, { text, charset }: { readonly text: string; readonly charset: 'utf8' | 'latin1' }): Sample | null {
  if (text.length <= MAX_SAMPLE_CHARACTERS) return { ...sample, message: Buffer.from(text.replace(/\r?\n/g, '\r\n'), charset) }
  return values.wrong(sample.place, sample.at, { problem: `has ${text.length} characters`, allowed: `at most ${MAX_SAMPLE_CHARACTERS}` })
}

function readCharset(values: ValueReader, node: LocatedMap, at: KeyPath): 'utf8' | 'latin1' | null {
  const entry = node.entries.get('charset')
  if (entry === undefined) return 'utf8'
  const words = values.words(entry.value, [...at, 'charset'], ['latin1', 'utf8'])
  return words === null ? null : words.has('latin1') ? 'latin1' : 'utf8'
}

export function contentOf({ message }: Sample): MessageContent {
  const reader = new MimeReader()
  reader.write(message)
  return readContent(reader.end())
}

function readHeaderLines(values: ValueReader, node: LocatedMap, at: KeyPath): readonly (readonly [string, string])[] | null {
  const entry = node.entries.get('header')
  if (entry === undefined) return []
  return values.list(entry.value, [...at, 'header'], (one, where) => {
    const [, name, value] = /^([^\s:]{1,100}):[ \t]?(.*)$/s.exec(values.text(one)?.trimEnd() ?? '') ?? []
    return name === undefined || value === undefined ? values.found(one, where, '"Name: value", or a list of them') : [name, value] as const
  })
}

/** Fields of ours stand where they are not replaced; those given come in their order, behind. */
function messageOf(given: ReadonlyMap<string, string>, header: readonly (readonly [string, string])[]): string {
  const text = given.get('text')
  const html = given.get('html')
  const fields: (readonly [string, string])[] = [...header]
  for (const [key, name] of [['subject', 'Subject'], ['from', 'From'], ['to', 'To']] as const) {
    const value = given.get(key)
    if (value !== undefined) fields.unshift([name, value])
  }
  const replaced = new Set(fields.map(([name]) => name.toLowerCase()))
  const ordinary = [...ORDINARY_HEADER, ...contentFields(text, html)].filter(([name]) => !replaced.has(name.toLowerCase()))
  return [...ordinary, ...fields].map(([name, value]) => `${name}: ${value}\n`).join('') + '\n' + bodyOf(text, html)
}

function contentFields(text: string | undefined, html: string | undefined): readonly (readonly [string, string])[] {
  if (text !== undefined && html !== undefined) return [['Content-Type', `multipart/alternative; boundary="${BOUNDARY}"`]]
  return [['Content-Type', `text/${html === undefined ? 'plain' : 'html'}; charset=utf-8`], ['Content-Transfer-Encoding', '8bit']]
}

function bodyOf(text: string | undefined, html: string | undefined): string {
  if (text === undefined || html === undefined) return text ?? html ?? ORDINARY_TEXT
  const part = (type: string, content: string) => `--${BOUNDARY}\nContent-Type: text/${type}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n${content}\n`
  return `${part('plain', text)}${part('html', html)}--${BOUNDARY}--\n`
}

const NO_FACTS: ScoringFacts = { words: () => undefined, number: () => undefined }

function readFacts(values: ValueReader, node: LocatedMap, at: KeyPath): ScoringFacts | null {
  const entry = node.entries.get('facts')
  if (entry === undefined) return NO_FACTS
  if (entry.value.kind !== 'map') return values.found(entry.value, [...at, 'facts'], 'a mapping of facts to their values')
  const words = new Map<string, readonly string[]>()
  const numbers = new Map<string, number>()
  for (const [name, { place, value }] of entry.value.entries) {
    const where = [...at, 'facts', name]
    if (isOneOf(NUMBER_FACTS, name)) {
      const number = values.number(value, where)
      if (number === null) return null
      numbers.set(name, number)
    } else if (isOneOf(WORD_FACTS, name)) {
      const list = wordList(toRaw(value))
      if (list === undefined) return values.found(value, where, 'a word, or a list of words ([] for none)')
      words.set(name, list)
    } else {
      const names = [...WORD_FACTS, ...NUMBER_FACTS]
      return values.wrong(place, where, { problem: `there is no such fact${suggestion(name, names)}`, allowed: names.join(', ') })
    }
  }
  return { words: (name) => words.get(name), number: (name) => numbers.get(name) }
}

function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name)
}

function wordList(raw: Raw): readonly string[] | undefined {
  if (typeof raw === 'string') return [raw]
  if (raw === null || typeof raw === 'boolean' || isMapping(raw)) return undefined
  const words = raw.filter((one) => typeof one === 'string')
  return words.length < raw.length ? undefined : words
}
