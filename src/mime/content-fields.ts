/**
 * What the Content fields of a part say: its type, name, encoding (RFC 2045,
 * 2183). Where nothing or nothing readable is said the defaults of the RFCs
 * hold; where a field stands twice the first that can be read counts, unless
 * another one shows more: mail programs differ in which they take.
 */
import { readValue, type ValueReading } from './parameters.ts'
import type { MimeDefect, MimeField } from './message-parts.ts'

export interface ContentReading {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly disposition: string | undefined
  readonly fileName: string | undefined
  readonly encoding: string
  /** what further fields say, in their order: the content tells which of them is meant */
  readonly otherEncodings: readonly string[]
  readonly charset: string | undefined
  /** spellings that the boundary may have in the body; [] where there is none */
  readonly boundaries: readonly string[]
  readonly defects: readonly MimeDefect[]
}

const NOTHING: ValueReading = { word: '', parameters: new Map(), spelled: new Map(), fault: false }
const MAX_NAME_CHARACTERS = 255
/** Of fields with one name, at their beginning and at their end: mail programs take the first or the last. */
const MAX_REPEATED = 20

export function readContentFields(fields: readonly MimeField[], defaultType: string): ContentReading {
  const defects = new Set<MimeDefect>()
  const types = readings(fields, 'content-type', defects)
  const type = mostTelling(types, first(types, defects))
  const disposition = first(readings(fields, 'content-disposition', defects), defects)
  const encodings = readings(fields, 'content-transfer-encoding', defects)
  const encoding = first(encodings, defects)?.word ?? ''
  if (conflict(types, typeSaid) || conflict(encodings, ({ word }) => word)) defects.add('conflicting-fields')
  const parameters = type?.parameters ?? NOTHING.parameters
  const dispositionWord = disposition?.word ?? ''
  return {
    type: type === undefined ? defaultType : typeOf(type, defects),
    parameters,
    disposition: dispositionWord === '' ? undefined : dispositionWord,
    fileName: fileNameOf(disposition?.parameters ?? NOTHING.parameters, parameters),
    encoding: encoding === '' ? '7bit' : encoding,
    otherEncodings: encodings.length < 2 ? [] : [...new Set(encodings.map(({ word }) => word))].filter((word) => word !== encoding && word !== ''),
    charset: parameters.get('charset')?.toLowerCase().trim(),
    boundaries: type === undefined ? [] : boundariesOf(type),
    defects: [...defects],
  }
}

/** What the fields of a name say, as far as they are read. */
function readings(fields: readonly MimeField[], name: string, defects: Set<MimeDefect>): readonly ValueReading[] {
  const found = fields.filter((field) => field.name === name)
  if (found.length === 0) return NO_READINGS
  if (found.length > 1) defects.add('duplicate-field')
  const some = found.length <= 2 * MAX_REPEATED ? found : [...found.slice(0, MAX_REPEATED), ...found.slice(-MAX_REPEATED)]
  return some.map(({ raw }) => readValue(raw))
}

const NO_READINGS: readonly ValueReading[] = []

/** The first that says something; otherwise the last. */
function first(found: readonly ValueReading[], defects: Set<MimeDefect>): ValueReading | undefined {
  const reading = found.find(({ word, parameters }) => word !== '' || parameters.size > 0) ?? found.at(-1)
  if (reading?.fault === true) defects.add('broken-field')
  return reading
}

function conflict(readings: readonly ValueReading[], said: (reading: ValueReading) => string): boolean {
  return readings.length > 1 && new Set(readings.map(said).filter((one) => one !== '')).size > 1
}

function typeSaid({ word, parameters }: ValueReading): string {
  return word === '' ? '' : [word, parameters.get('charset')?.toLowerCase(), parameters.get('boundary')].join(';')
}

/**
 * Of two types the mail programs choose differently. A multipart is read as one
 * if any of them would, because its raw text says little; and text that any of
 * them would show as text is that.
 */
function mostTelling(types: readonly ValueReading[], chosen: ValueReading | undefined): ValueReading | undefined {
  if (chosen === undefined || types.length === 1 || isMultipart(chosen)) return chosen
  const other = types.find(isMultipart)
  if (other !== undefined || SHOWN.has(chosen.word)) return other ?? chosen
  return types.find(({ word }) => SHOWN.has(word)) ?? chosen
}

const SHOWN: ReadonlySet<string> = new Set(['text/plain', 'text/html'])

function isMultipart(reading: ValueReading): boolean {
  return reading.word.startsWith('multipart/') && reading.parameters.has('boundary')
}

const WORDS: Readonly<Record<string, string>> = { text: 'text/plain', plain: 'text/plain', html: 'text/html', multipart: 'multipart/mixed' }

function typeOf(reading: ValueReading, defects: Set<MimeDefect>): string {
  const { word } = reading
  if (word.includes('/')) return word
  defects.add('broken-field')
  // Who gives a boundary means a multipart, whatever he calls it.
  if (reading.parameters.has('boundary')) return 'multipart/mixed'
  return (Object.hasOwn(WORDS, word) ? WORDS[word] : undefined) ?? 'text/plain'
}

/** The value, and what a reader takes for it who reads quotes and blanks in another way. */
function boundariesOf(reading: ValueReading): string[] {
  const value = reading.parameters.get('boundary')
  if (value === undefined) return []
  const spelled = reading.spelled.get('boundary')
  const found = new Set([value, trimEnd(value)])
  if (spelled !== undefined) {
    const bare = spelled.replace(/^["']/, '').replace(/["']$/, '')
    found.add(trimEnd(bare))
    if (!spelled.startsWith('"')) found.add(/^\S*/.exec(bare)?.[0] ?? '')
    if (value !== '') found.delete('')
  }
  return [...found]
}

/** RFC 2046 §5.1.1: a boundary does not end in a blank. */
function trimEnd(boundary: string): string {
  return boundary.replace(/[ \t]{1,100}$/, '')
}

function fileNameOf(disposition: ReadonlyMap<string, string>, type: ReadonlyMap<string, string>): string | undefined {
  const given = nonEmpty(disposition.get('filename')) ?? nonEmpty(type.get('name')) ?? nonEmpty(disposition.get('name')) ?? nonEmpty(type.get('filename'))
  return given === undefined ? undefined : nonEmpty(cleanFileName(given))
}

export function cleanFileName(name: string): string {
  const bare = name.replace(/[\0-\x1f\x7f]/g, '').replace(/^.*[/\\]/s, '').trim()
  // The end tells what a file is.
  return bare.length > MAX_NAME_CHARACTERS ? bare.slice(-MAX_NAME_CHARACTERS).toWellFormed() : bare
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
