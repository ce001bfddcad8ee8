/**
 * Puts a text in front of the Subject (`[SPAM] Hello`), as edits for
 * `editMessage`. Everything behind the colon stays byte for byte. The text is
 * written as encoded words where it is not plain ASCII (RFC 2047). A subject
 * that begins with it already is left alone, however it is encoded; a message
 * without a subject gets one; of several each gets it, for who reads which is
 * not known.
 */
import { decodeWords, encodeWords } from './encoded-words.ts'
import type { FieldReplacement } from './edit.ts'
import { lineEndOf, nameBytes, unfold, valueText, type HeaderField } from './header-field.ts'
import { fieldsNamed, type HeaderSection } from './header-section.ts'

export interface SubjectEdit {
  readonly replace: readonly FieldReplacement[]
  /** a Subject field to be put on top, or '' */
  readonly added: string
}

const MAX_PREFIX_CHARACTERS = 100
/** RFC 2047 §2: with encoded words in it a line has at most so many. */
const MAX_LINE_CHARACTERS = 76

/** A prefix as it stands in a subject: without control characters, bounded; '' is none. */
export function prefixText(prefix: string): string {
  return Array.from(prefix.replace(/[\0-\x1f\x7f\s]+/g, ' ').trim()).slice(0, MAX_PREFIX_CHARACTERS).join('').trimEnd()
}

export function prefixSubject(section: HeaderSection, prefix: string): SubjectEdit {
  const text = prefixText(prefix)
  if (text === '') return { replace: [], added: '' }
  const subjects = fieldsNamed(section, 'subject')
  // Where the section was cut there may be one further down.
  if (subjects.length === 0) return { replace: [], added: section.truncated === null ? `Subject: ${written(text, '').join('\r\n ')}\r\n` : '' }
  const replace = subjects.filter((field) => !beginsWith(field, text)).map((field) => ({ index: field.index, raw: prefixed(field, text) }))
  return { replace, added: '' }
}

function beginsWith(field: HeaderField, text: string): boolean {
  // Each character of the text takes three characters of UTF-8, nine of Q encoding, and the words some for themselves.
  const start = unfold(valueText(field)).trimStart().slice(0, MAX_PREFIX_CHARACTERS * 40)
  return decodeWords(start).trimStart().startsWith(text)
}

function prefixed(field: HeaderField, text: string): Buffer {
  const value = valueText(field)
  const name = nameBytes(field)
  const words = written(text, value.trimStart())
  const head = ` ${words.join('\r\n ')}`
  const firstLine = /^[^\r\n]*/.exec(value)?.[0] ?? ''
  const space = value === '' || /^[ \t\r\n]/.test(value) ? '' : ' '
  const column = (words.length === 1 ? name.length : 0) + 1 + (words.at(-1)?.length ?? 0)
  const folds = column + space.length + firstLine.length > MAX_LINE_CHARACTERS && firstLine.trim() !== ''
  return Buffer.concat([name, Buffer.from(`${head}${folds ? '\r\n' : ''}${space}`, 'latin1'), field.value, lineEndOf(field.raw)])
}

/** One word where the text is plain, for it may have spaces that count. */
function written(text: string, next: string): string[] {
  if (/^[\x20-\x7e]*$/.test(text) && !text.includes('=?')) return [text]
  // The blank between two encoded words is not shown, so that one is encoded too.
  return encodeWords(next.startsWith('=?') ? `${text} ` : text, MAX_LINE_CHARACTERS - 'Subject: '.length)
}
