/**
 * The fields of the header of a message or a part (RFC 5322 §2.2), as generously
 * as mail programs read them: lines end in CR LF, LF or CR, a line that is no
 * field is passed over, blanks may stand before the colon, and the line that
 * mbox files put on top is none. Takes at most `room` fields; the fields of
 * MIME (`Content-…`) are found behind them as well.
 */
import { fieldText } from './encoded-words.ts'
import type { MimeField } from './message-parts.ts'

export interface FieldsReading {
  readonly fields: MimeField[]
  /** `Content-…`, those beyond the room too */
  readonly content: MimeField[]
  /** there are more than the room has */
  readonly over: boolean
  /** offset of the first line that is no field; -1 where there is none */
  readonly stray: number
  /** that line stands before all fields, behind all fields */
  readonly strayFirst: boolean
  readonly strayLast: boolean
}

class ReadField implements MimeField {
  readonly name: string
  readonly spelling: string
  readonly raw: string
  private decoded: string | undefined

  constructor(name: string, spelling: string, raw: string) {
    this.name = name
    this.spelling = spelling
    this.raw = raw
  }

  get text(): string {
    return this.decoded ??= fieldText(this.raw)
  }
}

const MBOX_LINE = /^>?From [^\n]*/

export function readFields(header: Buffer, room: number): FieldsReading {
  const binary = header.toString('latin1')
  const text = /\r(?!\n)/.test(binary) ? binary.replace(/\r(?!\n)/g, '\n') : binary
  const fields: MimeField[] = []
  const content: MimeField[] = []
  let over = false
  let stray = -1
  let strayFirst = false
  let strayLast = false
  for (let at = 0; at < text.length;) {
    const end = entryEnd(text, at)
    const field = fields.length < room || isContent(text, at) ? fieldAt(text, at, end) : 'over'
    if (field !== null) strayLast = false
    if (field === 'over') over = true
    else if (field !== null) {
      if (fields.length < room) fields.push(field)
      else over = true
      if (field.name.startsWith('content-')) content.push(field)
    } else if (stray < 0 && !(at === 0 && MBOX_LINE.test(text.slice(0, 200)))) {
      stray = at
      strayFirst = fields.length === 0 && !over
      strayLast = true
    }
    at = end
  }
  return { fields, content, over, stray, strayFirst, strayLast }
}

/** Behind the line at `from` and those that continue it. */
function entryEnd(text: string, from: number): number {
  let at = from
  for (;;) {
    const lf = text.indexOf('\n', at)
    if (lf < 0) return text.length
    at = lf + 1
    const next = text.charCodeAt(at)
    if (next !== 0x20 && next !== 0x09) return at
  }
}

function isContent(text: string, at: number): boolean {
  const first = text.charCodeAt(at)
  return (first === 0x43 || first === 0x63) && text.slice(at, at + 8).toLowerCase() === 'content-'
}

function fieldAt(text: string, start: number, end: number): MimeField | null {
  let nameEnd = start
  while (nameEnd < end && isNameCode(text.charCodeAt(nameEnd))) nameEnd++
  // A colon may be on the next line: what continues the field begins with a blank.
  let colon = nameEnd
  while (colon < end && isSpace(text.charCodeAt(colon))) colon++
  if (nameEnd === start || colon >= end || text.charCodeAt(colon) !== COLON) return null
  const spelling = text.slice(start, nameEnd)
  return new ReadField(spelling.toLowerCase(), spelling, valueOf(text, colon + 1, end))
}

const COLON = 0x3a

/** RFC 5322 §2.2: all that is printed in ASCII, but the colon. */
function isNameCode(code: number): boolean {
  return code > 0x20 && code < 0x7f && code !== COLON
}

/** Unfolded, without blanks at its ends. */
function valueOf(text: string, start: number, end: number): string {
  let from = start
  let to = end
  while (from < to && isSpace(text.charCodeAt(from))) from++
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--
  const value = text.slice(from, to)
  return value.includes('\n') ? value.replace(/\r?\n/g, '') : value
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d
}
