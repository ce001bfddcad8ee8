/**
 * Takes text in pieces and makes one string of it in which white space is one
 * blank and a paragraph is a line. What does not fit is left out, and `full`
 * says so. Nothing here fails.
 *
 * Text is written into bytes as long as it is Latin-1 and into 16-bit units from
 * the first character that is not: no string is made for a piece, and one at the
 * end.
 */
import type { Codes } from './codes.ts'

const START_UNITS = 65_536
/** What stays between two messages; a longer text has an array of its own. */
const KEPT_UNITS = 1_048_576
const FIRST_WIDE_UNITS = 8192

/** Between what was written and what comes: nothing, a blank, the end of a line (a blank too), the end of a paragraph. */
const NOTHING = 0
const BLANK = 1
const LINE = 2
const PARAGRAPH = 3

const SPACE_CODE = 32
/** one character, or the halves of one */
const pair = new Uint16Array(2)
const LINE_FEED = 10

/** White space beyond ASCII and U+00A0: what Unicode calls a space, by its code. */
export function isWideSpace(code: number): boolean {
  return code >= 0x1680 && (code === 0x1680 || (code >= 0x2000 && code <= 0x200a) || code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f || code === 0x3000)
}

function turnRound(units: Buffer | Uint16Array, from: number, to: number): void {
  units.subarray(from, to).reverse()
  for (let at = from; at + 1 < to; at++) {
    const second = units[at] as number
    const first = units[at + 1] as number
    // The halves of one character keep their order.
    if (second < 0xdc00 || second > 0xdfff || first < 0xd800 || first > 0xdbff) continue
    units[at] = first
    units[++at] = second
  }
}

export class TextSink {
  private readonly most: number
  private readonly lines: boolean
  private narrow: Buffer
  private wide: Uint16Array | undefined
  /** of the text before */
  private keptWide: Uint16Array | undefined
  private gap = NOTHING
  private bits = 0
  /** characters that were written */
  length = 0
  full = false

  /** `lines`: two line feeds with nothing between them end a paragraph (plain text) */
  constructor(most: number, lines = false) {
    this.most = most
    this.lines = lines
    this.narrow = Buffer.allocUnsafe(Math.min(START_UNITS, most))
  }

  /** For the next text; gives back what an unusually long one took. */
  reset(): void {
    if (this.narrow.length > KEPT_UNITS) this.narrow = Buffer.allocUnsafe(START_UNITS)
    if (this.wide !== undefined) this.keptWide = this.wide.length > KEPT_UNITS ? undefined : this.wide
    this.wide = undefined
    this.gap = NOTHING
    this.bits = 0
    this.length = 0
    this.full = false
  }

  /** Nothing but ASCII was written. */
  get ascii(): boolean {
    return this.bits < 0x80
  }

  blank(): void {
    if (this.gap === NOTHING) this.gap = BLANK
  }

  /** The end of a line; of a paragraph, where it is the second one. */
  lineBreak(): void {
    this.gap = this.gap >= LINE ? PARAGRAPH : LINE
  }

  paragraph(): void {
    this.gap = PARAGRAPH
  }

  /** Characters from `from` to before `to`. */
  add(source: Codes, from: number, to: number): void {
    let until = to
    const room = this.most - this.length - 1
    if (to - from > room) {
      this.full = true
      until = from + Math.max(room, 0)
    }
    let at = from
    if (this.wide === undefined) {
      this.makeRoom(until - from + 1)
      at = source instanceof Uint8Array ? this.addBytes(source, from, until) : this.addUnits(source, from, until)
      if (at < until) this.widen()
    }
    if (at < until) {
      this.makeRoom(until - at + 1)
      this.addWide(source, at, until)
    }
  }

  /** One character, by its code point. */
  addCode(code: number): void {
    let units = 1
    if (code > 0xffff) {
      pair[0] = 0xd800 + ((code - 0x10000) >> 10)
      pair[1] = 0xdc00 + ((code - 0x10000) & 0x3ff)
      units = 2
    } else {
      pair[0] = code
    }
    this.add(pair, 0, units)
  }

  /** What was written from `from` to before `to`. */
  slice(from: number, to: number): string {
    const end = Math.min(to, this.length)
    if (from >= end) return ''
    if (this.wide === undefined) return this.narrow.toString('latin1', from, end)
    return Buffer.from(this.wide.buffer, this.wide.byteOffset + from * 2, (end - from) * 2).toString('utf16le')
  }

  /** Turns each line round that was written from `from` on, unless it has letters that run from right to left by themselves. */
  reverse(from: number): void {
    const out = this.wide ?? this.narrow
    for (let start = from; start < this.length;) {
      let end = start
      let leftwards = false
      for (; end < this.length && out[end] !== LINE_FEED; end++) {
        const code = out[end] as number
        leftwards ||= (code >= 0x590 && code <= 0x8ff) || (code >= 0xfb1d && code <= 0xfdff) || (code >= 0xfe70 && code <= 0xfeff)
      }
      // A blank before the first word stays before it.
      if (!leftwards) turnRound(out, start === from && out[start] === SPACE_CODE ? start + 1 : start, end)
      start = end + 1
    }
  }

  toString(): string {
    return this.slice(0, this.length)
  }

  // One loop for each kind of array: one that is given both takes twice the time.

  private addBytes(source: Uint8Array, from: number, until: number): number {
    const out = this.narrow
    let length = this.length
    let gap = this.gap
    let bits = 0
    for (let at = from; at < until; at++) {
      const code = source[at] as number
      if (code > SPACE_CODE && code !== 0xa0) {
        if (gap !== NOTHING) {
          if (length > 0) out[length++] = gap === PARAGRAPH ? LINE_FEED : SPACE_CODE
          gap = NOTHING
        }
        out[length++] = code
        bits |= code
      } else {
        gap = this.gapAfter(gap, code)
      }
    }
    this.length = length
    this.gap = gap
    this.bits |= bits
    return until
  }

  /** Ends before `until`, at the first character that Latin-1 does not have. */
  private addUnits(source: Uint16Array, from: number, until: number): number {
    const out = this.narrow
    let length = this.length
    let gap = this.gap
    let bits = 0
    let at = from
    for (; at < until; at++) {
      const code = source[at] as number
      if (code > SPACE_CODE && code !== 0xa0) {
        if (code > 0xff) break
        if (gap !== NOTHING) {
          if (length > 0) out[length++] = gap === PARAGRAPH ? LINE_FEED : SPACE_CODE
          gap = NOTHING
        }
        out[length++] = code
        bits |= code
      } else {
        gap = this.gapAfter(gap, code)
      }
    }
    this.length = length
    this.gap = gap
    this.bits |= bits
    return at
  }

  private addWide(source: Codes, from: number, until: number): void {
    const out = this.wide ?? this.widen()
    let length = this.length
    let gap = this.gap
    for (let at = from; at < until; at++) {
      const code = source[at] as number
      if (code > SPACE_CODE && code !== 0xa0 && !isWideSpace(code)) {
        if (gap !== NOTHING) {
          if (length > 0) out[length++] = gap === PARAGRAPH ? LINE_FEED : SPACE_CODE
          gap = NOTHING
        }
        out[length++] = code
      } else {
        gap = this.gapAfter(gap, code)
      }
    }
    this.length = length
    this.gap = gap
  }

  private gapAfter(gap: number, code: number): number {
    if (code === LINE_FEED && this.lines) return gap >= LINE ? PARAGRAPH : LINE
    // Other control characters show nothing: a word goes on behind them.
    if (code < 9 || (code > 13 && code < SPACE_CODE)) return gap
    return gap === NOTHING ? BLANK : gap
  }

  private widen(): Uint16Array {
    const kept = this.keptWide
    const wide = kept !== undefined && kept.length >= this.length ? kept : new Uint16Array(this.length + FIRST_WIDE_UNITS)
    wide.set(this.narrow.subarray(0, this.length))
    this.wide = wide
    this.bits = 0xffff
    return wide
  }

  private makeRoom(units: number): void {
    const needed = this.length + units
    if (this.wide !== undefined) {
      if (needed <= this.wide.length) return
      const longer = new Uint16Array(needed * 2)
      longer.set(this.wide.subarray(0, this.length))
      this.wide = longer
    } else if (needed > this.narrow.length) {
      const longer = Buffer.allocUnsafe(needed * 2)
      this.narrow.copy(longer, 0, 0, this.length)
      this.narrow = longer
    }
  }
}
