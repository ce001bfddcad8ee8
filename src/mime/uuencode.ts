/**
 * Uuencoded files (POSIX uuencode): `begin 644 name`, lines whose first
 * character is their length, `end`. Found in text, where mail of before MIME
 * has them and mail programs show them as attachments, and as the content of a
 * part with such an encoding. A line that is none ends the file.
 */
import type { Decoded } from './base64.ts'

const BEGIN = Buffer.from('begin ')
/** of its line: mode, name, blanks */
const BEGIN_LINE = /^begin [0-7]{3,4} +([^ ].*| )$/s
const MAX_BEGIN_BYTES = 600
const MAX_NAME_BYTES = 255
/** So far the next one is looked for here: a call of the runtime costs as much. */
const MAX_SEARCHED_HERE = 32
/** The first character of a line says how many bytes it has. */
const MAX_LINE_BYTES = 63

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
    const begin = nextBegin(text, at)
    if (begin < 0) break
    const file = begin === 0 || text[begin - 1] === 0x0a || text[begin - 1] === 0x0d ? fileAt(text, begin, limits.bytes) : null
    if (file !== null) files.push(file)
    at = file?.end ?? begin + BEGIN.length
  }
  return files
}

/** -1: there is none. */
function nextBegin(text: Buffer, from: number): number {
  const most = Math.min(text.length, from + MAX_SEARCHED_HERE)
  for (let at = from; at < most; at++) if (text[at] === BEGIN[0] && text[at + 1] === BEGIN[1] && isBegin(text, at)) return at
  return text.indexOf(BEGIN, most)
}

function isBegin(text: Buffer, at: number): boolean {
  for (let i = 2; i < BEGIN.length; i++) if (text[at + i] !== BEGIN[i]) return false
  return true
}

function fileAt(text: Buffer, start: number, maxBytes: number): UuFile | null {
  let end = start + BEGIN.length
  const digit = text[end] ?? 0
  if (digit < 0x30 || digit > 0x37) return null
  const most = Math.min(text.length, start + MAX_BEGIN_BYTES)
  while (end < most && text[end] !== 0x0a && text[end] !== 0x0d) end++
  if (end === most) return null
  const first = behindLine(text, end)
  // Prose may begin a line like this; a file has at least one line with something in it.
  const line = lineAt(text, first)
  if (line.count === 0 || !isUuLine(text, first, line)) return null
  const name = BEGIN_LINE.exec(text.toString('latin1', start, end))?.[1]
  if (name === undefined) return null
  const nameEnd = withoutBlanks(name)
  if (nameEnd > MAX_NAME_BYTES) return null
  return { name: name.slice(0, nameEnd), start, ...uuLines(text, first, maxBytes) }
}

/** The lines of a file, and where what follows begins. */
function uuLines(text: Buffer, from: number, maxBytes: number): Omit<UuFile, 'name' | 'start'> {
  let whole = 0
  let at = from
  let ended = false
  while (at < text.length && !ended) {
    const line = lineAt(text, at)
    ended = isEndLine(text, at, line.end)
    if (!ended && !isUuLine(text, at, line)) break
    if (!ended) whole += line.count
    at = behindLine(text, line.end)
  }
  const length = Math.min(whole, maxBytes)
  return { bytes: decodeLines(text, from, length), end: Math.min(at, text.length), broken: !ended, truncated: whole > length }
}

/** The first `length` bytes of lines that were looked at: there may be many files, and most of them small. */
function decodeLines(text: Buffer, from: number, length: number): Buffer {
  const out = Buffer.allocUnsafeSlow(length + MAX_LINE_BYTES)
  for (let at = from, done = 0; done < length;) {
    const line = lineAt(text, at)
    decodeLine(text, at + 1, { out, length: done, line })
    done += line.count
    at = behindLine(text, line.end)
  }
  return out.subarray(0, length)
}

/** `end`, with blanks behind it */
function isEndLine(text: Buffer, from: number, to: number): boolean {
  return text[from] === 0x65 && to - from <= 16 && text.toString('latin1', from, to).trimEnd() === 'end'
}

function behindLine(text: Buffer, end: number): number {
  return text[end] === 0x0d && text[end + 1] === 0x0a ? end + 2 : end + 1
}

function withoutBlanks(name: string): number {
  let end = name.length
  while (end > 0 && (name.charCodeAt(end - 1) === 0x20 || name.charCodeAt(end - 1) === 0x09)) end--
  return end
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
