/**
 * Uuencoded files (POSIX uuencode): `begin 644 name`, lines whose first
 * character is their length, `end`. Found in text, where mail of before MIME
 * has them and mail programs show them as attachments, and as the content of a
 * part with such an encoding. A line that is none ends the file.
 */
import type { Decoded } from './base64.ts'

const BEGIN = Buffer.from('begin ')
/** mode, name */
const BEGIN_LINE = /begin [0-7]{3,4} +([^\r\n]{1,255}?)[ \t]*(?:\r\n|\r|\n)/y

export interface UuFile {
  readonly name: string
  readonly bytes: Buffer
  /** of the text: the first byte of `begin`, behind the line of `end` */
  readonly start: number
  readonly end: number
  /** there is no `end` */
  readonly broken: boolean
  /** there is more in it than `bytes` */
  readonly truncated: boolean
}

/** The files in a text, at most `limits.files` of them, each decoded up to `limits.bytes`. */
export function uuFiles(text: Buffer, limits: { readonly files: number, readonly bytes: number }): UuFile[] {
  const files: UuFile[] = []
  let at = 0
  while (files.length < limits.files) {
    const begin = text.indexOf(BEGIN, at)
    if (begin < 0) break
    const file = begin === 0 || text[begin - 1] === 0x0a || text[begin - 1] === 0x0d ? fileAt(text, begin, limits.bytes) : null
    if (file !== null) files.push(file)
    at = file?.end ?? begin + BEGIN.length
  }
  return files
}

function fileAt(text: Buffer, start: number, maxBytes: number): UuFile | null {
  BEGIN_LINE.lastIndex = 0
  const match = BEGIN_LINE.exec(text.toString('latin1', start, start + 600))
  if (match === null) return null
  const first = start + BEGIN_LINE.lastIndex
  // Prose may begin a line like this; a file has at least one line with something in it.
  const line = lineAt(text, first)
  if (line.count === 0 || !isUuLine(text, first, line)) return null
  return { name: match[1] ?? '', start, ...uuLines(text, first, maxBytes) }
}

/** The lines of a file, and where what follows begins. */
function uuLines(text: Buffer, from: number, maxBytes: number): Omit<UuFile, 'name' | 'start'> {
  // A line that lost its blanks gives as many bytes as it has.
  const out = Buffer.allocUnsafeSlow(Math.min(maxBytes, text.length - from) + 64)
  let length = 0
  let whole = 0
  let at = from
  let ended = false
  while (at < text.length && !ended) {
    const line = lineAt(text, at)
    ended = line.end - at <= 16 && text.toString('latin1', at, line.end).trimEnd() === 'end'
    if (!ended && !isUuLine(text, at, line)) break
    if (!ended) {
      whole += line.count
      if (length < maxBytes) decodeLine(text, at + 1, { out, length, line })
      length = Math.min(whole, maxBytes)
    }
    at = text[line.end] === 0x0d && text[line.end + 1] === 0x0a ? line.end + 2 : line.end + 1
  }
  const bytes = out.subarray(0, length)
  return { bytes: length * 2 < out.length ? Buffer.from(bytes) : bytes, end: Math.min(at, text.length), broken: !ended, truncated: whole > length }
}

interface Line {
  /** before its line end, or where it is too long to be one */
  readonly end: number
  /** bytes that it says it has, and groups of four characters for them */
  readonly count: number
  readonly groups: number
}

function lineAt(text: Buffer, at: number): Line {
  const count = (text[at] ?? 0) - 0x20 & 0x3f
  const groups = Math.ceil(count / 3)
  const most = Math.min(text.length, at + groups * 4 + 6)
  let end = at
  while (end < most && text[end] !== 0x0a && text[end] !== 0x0d) end++
  return { end, count, groups }
}

/** Blanks at the end may be lost on the way; some write a checksum behind the line. */
function isUuLine(text: Buffer, at: number, line: Line): boolean {
  const first = text[at] ?? 0
  const characters = line.end - at - 1
  if (first < 0x20 || first > 0x60 || characters > line.groups * 4 + 2) return false
  if (characters < line.groups * 4 - 3 && line.groups > 0) return false
  for (let i = at + 1; i < line.end; i++) if ((text[i] ?? 0) < 0x20 || (text[i] ?? 0) > 0x60) return false
  return true
}

function decodeLine(text: Buffer, from: number, to: { readonly out: Buffer, readonly length: number, readonly line: Line }): void {
  const { out, length, line: { count, end } } = to
  const value = (at: number): number => at < end ? (text[at] ?? 0) - 0x20 & 0x3f : 0
  for (let i = 0, at = from; i < count; i += 3, at += 4) {
    const group = value(at) << 18 | value(at + 1) << 12 | value(at + 2) << 6 | value(at + 3)
    out[length + i] = group >> 16
    if (i + 1 < count) out[length + i + 1] = group >> 8
    if (i + 2 < count) out[length + i + 2] = group
  }
}

/** The content of a part that is encoded like this; without `begin` nothing can be told, and it stays as it is. */
export function uuContent(encoded: Buffer): Decoded {
  const [file] = uuFiles(encoded, { files: 1, bytes: encoded.length })
  return file === undefined ? { bytes: encoded, broken: encoded.length > 0 } : { bytes: file.bytes, broken: file.broken }
}
