/**
 * Finds the lines that delimit the parts of multiparts (RFC 2046 §5.1.1):
 * `--boundary`, or `--boundary--` for the last, with blanks behind it, after
 * any line end. All multiparts that are open are looked for at once, because the
 * delimiter of an outer one ends the inner ones; the inner one goes first where
 * two fit. The boundary has to be the whole line: `--ab` is no delimiter of `a`.
 *
 * Lines are not looked at one by one: the search goes from one `--` to the next,
 * at the speed of the runtime, and what begins a line is told by a number made
 * of it to be none of all boundaries at once. In pieces it gives what it gives in
 * one: where what follows may change the answer, the caller is told to wait.
 */
const CR = 0x0d
const LF = 0x0a
const DASH = 0x2d
const DASHES = Buffer.from('--')
/** Longer ones are compared so far; RFC 2046 allows 70. */
const MAX_BOUNDARY_BYTES = 1024
/** Boundaries of more bytes are compared by the runtime: a call costs as much as these do one by one. */
const MAX_COMPARED_HERE = 24
/** Blanks behind a delimiter that are looked at. */
const MAX_PADDING_BYTES = 256
/** Lines of fewer bytes are told by their hash; fewer than a boundary that is cut, or the blanks behind one. */
const MAX_HASHED_BYTES = 200
/** So far the next dashes are looked for here: a call of the runtime costs as much. */
const MAX_SEARCHED_HERE = 64

export interface Delimiter {
  /** where the content before it ends: without the line end, which belongs to the delimiter */
  readonly contentEnd: number
  /** behind its line */
  readonly end: number
  /** of the list of open multiparts */
  readonly level: number
  readonly closing: boolean
}

export interface NoDelimiter {
  readonly level: -1
  /** up to here there is none, whatever follows */
  readonly contentEnd: number
}

export interface SearchStart {
  readonly from: number
  /** `from` is behind a line end; otherwise the byte before it is none */
  readonly lineStart: boolean
  /** nothing will follow */
  readonly final: boolean
}

export class OpenBoundaries {
  /** outermost first; of each the spellings that are taken for it */
  private readonly levels: Buffer[][] = []
  /** of all of them, without blanks at their ends: how many have it */
  private readonly hashes = new Map<number, number>()
  /** the innermost had its last delimiter: another one is none of its own, but may be an outer one's */
  innermostClosed = false

  get count(): number {
    return this.levels.length
  }

  push(spellings: readonly string[]): void {
    this.innermostClosed = false
    const level = spellings.map((one) => Buffer.from(one, 'latin1').subarray(0, MAX_BOUNDARY_BYTES)).filter(isInOneLine)
    this.levels.push(level)
    for (const boundary of level) this.tally(boundary, 1)
  }

  /** Keeps the outer `count`. */
  cut(count: number): void {
    while (this.levels.length > count) for (const boundary of this.levels.pop() ?? []) this.tally(boundary, -1)
  }

  private tally(boundary: Buffer, by: 1 | -1): void {
    const hash = hashOf(boundary, 0, withoutBlanks(boundary, 0, boundary.length))
    const count = (this.hashes.get(hash) ?? 0) + by
    if (count === 0) this.hashes.delete(hash)
    else this.hashes.set(hash, count)
  }

  search(bytes: Buffer, start: SearchStart): Delimiter | NoDelimiter {
    const { from, lineStart, final } = start
    if (this.levels.length === 0) return { level: -1, contentEnd: bytes.length }
    let at = from
    for (;;) {
      const hit = nextDashes(bytes, at)
      if (hit < 0) return { level: -1, contentEnd: final ? bytes.length : safeEnd(bytes, from, lineStart) }
      if (hit === from ? lineStart : isLineEnd(bytes[hit - 1])) {
        const found = this.mayBeAt(bytes, hit) ? this.delimiterAt(bytes, hit, final) : null
        if (found === 'wait') return { level: -1, contentEnd: withoutLineEnd(bytes, from, hit) }
        if (found !== null) return { ...found, contentEnd: withoutLineEnd(bytes, from, hit) }
      }
      // The next one begins a line.
      at = hit + 1
      while (at < bytes.length && !isLineEnd(bytes[at])) at++
    }
  }

  /** The line at `at` is whole. */
  isDelimiter(bytes: Buffer, at: number): boolean {
    return bytes[at] === DASH && bytes[at + 1] === DASH && this.levels.length > 0 && this.mayBeAt(bytes, at) && this.delimiterAt(bytes, at, true) !== null
  }

  /** A line that is long, or not whole, may always be one. */
  private mayBeAt(bytes: Buffer, at: number): boolean {
    const from = at + 2
    const most = Math.min(bytes.length, from + MAX_HASHED_BYTES)
    let lineEnd = from
    while (lineEnd < most && !isLineEnd(bytes[lineEnd])) lineEnd++
    if (lineEnd === most) return true
    const end = withoutBlanks(bytes, from, lineEnd)
    if (this.hashes.has(hashOf(bytes, from, end))) return true
    if (end - from < 2 || bytes[end - 1] !== DASH || bytes[end - 2] !== DASH) return false
    return this.hashes.has(hashOf(bytes, from, withoutBlanks(bytes, from, end - 2)))
  }

  private delimiterAt(bytes: Buffer, at: number, final: boolean): Omit<Delimiter, 'contentEnd'> | 'wait' | null {
    for (let level = this.levels.length - 1; level >= 0; level--) {
      const spellings = this.levels[level] as Buffer[]
      for (let i = 0; i < spellings.length; i++) {
        const boundary = spellings[i] as Buffer
        const last = boundary.length - 1
        // Boundaries of one message begin alike, and differ in their ends.
        if (last >= 0 && at + 2 + last < bytes.length && bytes[at + 2 + last] !== boundary[last]) continue
        const end = boundaryEnd(bytes, at + 2, boundary)
        if (end === 'wait' && !final) return 'wait'
        if (end === 'wait' || end === null) continue
        const rest = boundary.length === MAX_BOUNDARY_BYTES ? { end, closing: false } : restOfLine(bytes, end, final)
        if (rest === 'wait') return 'wait'
        const again = rest?.closing === true && this.innermostClosed && level === this.levels.length - 1
        if (rest !== null && !again) return { level, ...rest }
      }
    }
    return null
  }
}

/** One that an encoded word has put a line end into is in no line. */
function isInOneLine(boundary: Buffer): boolean {
  return !boundary.includes(CR) && !boundary.includes(LF)
}

function hashOf(bytes: Buffer, from: number, to: number): number {
  let hash = 0
  for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0
  return hash
}

function withoutBlanks(bytes: Buffer, from: number, to: number): number {
  let end = to
  while (end > from && isBlank(bytes[end - 1])) end--
  return end
}

/** -1: there are none. */
function nextDashes(bytes: Buffer, from: number): number {
  const most = Math.min(bytes.length - 1, from + MAX_SEARCHED_HERE)
  for (let at = from; at < most; at++) if (bytes[at] === DASH && bytes[at + 1] === DASH) return at
  return bytes.indexOf(DASHES, Math.max(from, most))
}

/** Behind the boundary, where it stands at `at`. */
function boundaryEnd(bytes: Buffer, at: number, boundary: Buffer): number | 'wait' | null {
  const length = Math.min(boundary.length, bytes.length - at)
  if (length > MAX_COMPARED_HERE) {
    if (bytes.compare(boundary, 0, length, at, at + length) !== 0) return null
  } else for (let i = 0; i < length; i++) if (bytes[at + i] !== boundary[i]) return null
  return length < boundary.length ? 'wait' : at + length
}

function restOfLine(bytes: Buffer, from: number, final: boolean): { end: number, closing: boolean } | 'wait' | null {
  if (bytes[from] === DASH && from + 1 === bytes.length) return final ? null : 'wait'
  const closing = bytes[from] === DASH && bytes[from + 1] === DASH
  const start = closing ? from + 2 : from
  let at = start
  while (isBlank(bytes[at]) && at - start < MAX_PADDING_BYTES) at++
  if (at - start === MAX_PADDING_BYTES) return { end: at, closing }
  if (at >= bytes.length) return final ? { end: at, closing } : 'wait'
  if (bytes[at] === LF) return { end: at + 1, closing }
  if (bytes[at] !== CR) return null
  if (at + 1 === bytes.length && !final) return 'wait'
  return { end: bytes[at + 1] === LF ? at + 2 : at + 1, closing }
}

/** What stands at the end and may belong to a delimiter is left out: a line end, and a dash that begins a line. */
function safeEnd(bytes: Buffer, from: number, lineStart: boolean): number {
  const last = bytes.length - 1
  const dash = last >= from && bytes[last] === DASH && (last === from ? lineStart : isLineEnd(bytes[last - 1]))
  return withoutLineEnd(bytes, from, dash ? last : bytes.length)
}

function withoutLineEnd(bytes: Buffer, from: number, end: number): number {
  if (end <= from) return end
  if (bytes[end - 1] === CR) return end - 1
  if (bytes[end - 1] !== LF) return end
  return end - 1 > from && bytes[end - 2] === CR ? end - 2 : end - 1
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === LF || byte === CR
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09
}
