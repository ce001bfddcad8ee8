/**
 * What the Content fields of a part say: its type, name, encoding (RFC 2045,
 * 2183). Where nothing or nothing readable is said the defaults of the RFCs
 * hold; where a field stands twice the first that can be read counts.
 */
import { readValue, type ValueReading } from './parameters.ts'
import type { MimeDefect, MimeField } from './message-parts.ts'

export interface ContentReading {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly disposition: string | undefined
  readonly fileName: string | undefined
  readonly encoding: string
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
  const type = multipart(fields, first(fields, 'content-type', defects), defects)
  const disposition = first(fields, 'content-disposition', defects)
  const encoding = first(fields, 'content-transfer-encoding', defects)
  const parameters = type?.parameters ?? NOTHING.parameters
  const dispositionWord = disposition?.word ?? ''
  return {
    type: type === undefined ? defaultType : typeOf(type, defects),
    parameters,
    disposition: dispositionWord === '' ? undefined : dispositionWord,
    fileName: fileNameOf(disposition?.parameters ?? NOTHING.parameters, parameters),
    encoding: encoding === undefined || encoding.word === '' ? '7bit' : encoding.word,
    charset: parameters.get('charset')?.toLowerCase().trim(),
    boundaries: type === undefined ? [] : boundariesOf(type),
    defects: [...defects],
  }
}

/** Those of a name that are read. */
function named(fields: readonly MimeField[], name: string): readonly MimeField[] {
  const found = fields.filter((field) => field.name === name)
  return found.length <= 2 * MAX_REPEATED ? found : [...found.slice(0, MAX_REPEATED), ...found.slice(-MAX_REPEATED)]
}

/** Of the fields of a name the first that says something. */
function first(fields: readonly MimeField[], name: string, defects: Set<MimeDefect>): ValueReading | undefined {
  let reading: ValueReading | undefined
  const found = named(fields, name)
  for (const field of found) if (reading === undefined || (reading.word === '' && reading.parameters.size === 0)) reading = readValue(field.raw)
  if (found.length > 1) defects.add('duplicate-field')
  if (reading?.fault === true) defects.add('broken-field')
  return reading
}

/**
 * Of two types the mail programs choose differently. A multipart is read as one
 * if any of them would, because its raw text says little.
 */
function multipart(fields: readonly MimeField[], chosen: ValueReading | undefined, defects: ReadonlySet<MimeDefect>): ValueReading | undefined {
  if (chosen === undefined || !defects.has('duplicate-field') || isMultipart(chosen)) return chosen
  for (const field of named(fields, 'content-type')) {
    const reading = readValue(field.raw)
    if (isMultipart(reading)) return reading
  }
  return chosen
}

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
