/**
 * Finds where the header of a part ends: at the first empty line, whatever its
 * line ends are, or before a delimiter of a multipart that is open. At most
 * `maxBytes` are kept; of what lies behind them, up to the end of the header,
 * only lines of Content fields are kept, since what they say decides what a
 * mail program shows, and the rest is passed over.
 */
import type { OpenBoundaries } from './delimiter.ts'
import type { Window } from './window.ts'

export interface HeaderEnd {
  readonly bytes: Buffer
  /** `cut`: at `maxBytes`, and the empty line was found or the input ended behind it */
  readonly by: 'empty-line' | 'delimiter' | 'input'
  readonly cut: boolean
  /** bytes of the header that are in the window still, in front of `at` */
  readonly start: number
}

const LINE_END = Buffer.from('\r\n')
const CR = 0x0d
const LF = 0x0a
/** A line of more than this is no delimiter and no field of ours. */
const MAX_LATE_LINE_BYTES = 4096
const MAX_LATE_BYTES = 8192

export class HeaderScan {
  private readonly window: Window
  private readonly boundaries: OpenBoundaries
  private readonly maxBytes: number
  /** offsets from `window.at` */
  private line = 0
  private scanned = 0
  /** what is kept, once it is cut */
  private kept: Buffer | null = null
  private readonly late: Buffer[] = []
  private lateBytes = 0
  private lateOpen = false
  /** the line is known to be no delimiter, not empty and not of a Content field; its start is gone */
  private midLine = false

  constructor(window: Window, boundaries: OpenBoundaries, maxBytes: number) {
    this.window = window
    this.boundaries = boundaries
    this.maxBytes = maxBytes
  }

  /** Null: it goes on behind what is in the window. Takes the header from the window, and the empty line. */
  scan(final: boolean): HeaderEnd | null {
    const { window } = this
    for (;;) {
      const { bytes, at: start } = window
      let at = start + this.scanned
      while (at < bytes.length && bytes[at] !== LF && bytes[at] !== CR) at++
      this.scanned = at - start
      const empty = at === start + this.line && !this.midLine
      if (!final && (at === bytes.length || (bytes[at] === CR && at + 1 === bytes.length))) {
        if (empty || (!this.midLine && at - start - this.line <= MAX_LATE_LINE_BYTES)) return null
        if (this.atDelimiter()) return this.end('delimiter', start + this.line, start + this.line)
        if (!this.passOver(at - start)) return null
        continue
      }
      if (at === bytes.length) return this.end('input', at, at)
      const next = bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at + 1
      if (empty) return this.end('empty-line', at, next)
      if (this.atDelimiter()) return this.end('delimiter', start + this.line, start + this.line)
      this.lineRead(next - start)
    }
  }

  private atDelimiter(): boolean {
    return !this.midLine && this.boundaries.isDelimiter(this.window.bytes, this.window.at + this.line)
  }

  private end(by: HeaderEnd['by'], to: number, next: number): HeaderEnd {
    const { window } = this
    const start = window.at
    if (this.kept === null && to - start > this.maxBytes) this.cut(Math.min(this.maxBytes, to - start))
    const cut = this.kept !== null
    const bytes = this.kept === null ? window.bytes.subarray(start, to) : Buffer.concat([this.kept, ...this.late])
    window.at = next
    return { bytes, by, cut, start }
  }

  /** A whole line, up to `end`, that is of the header. */
  private lineRead(end: number): void {
    if (this.kept !== null) {
      this.keepLate(end)
      this.take(end)
      this.midLine = false
    } else if (end > this.maxBytes) this.cut(this.maxBytes)
    else {
      this.line = end
      this.scanned = end
    }
  }

  /** `length` bytes are there of a line that goes on, and that is too long to be of interest. True: look again. */
  private passOver(length: number): boolean {
    if (this.kept === null) {
      if (length < this.maxBytes) return false
      this.cut(this.maxBytes)
      return true
    }
    this.take(length)
    this.midLine = true
    this.lateOpen = false
    return false
  }

  /** What lies behind `length` is not kept; a line that begins before it goes on there. */
  private cut(length: number): void {
    const { window } = this
    this.kept = Buffer.concat([window.bytes.subarray(window.at, window.at + length), LINE_END])
    this.midLine = length !== this.line
    this.take(length)
  }

  private take(length: number): void {
    this.window.at += length
    this.line = 0
    this.scanned = 0
  }

  private keepLate(end: number): void {
    if (this.midLine) return
    const { bytes, at } = this.window
    const blank = bytes[at] === 0x20 || bytes[at] === 0x09
    const content = (bytes[at] === 0x43 || bytes[at] === 0x63) && bytes.toString('latin1', at, at + 8).toLowerCase() === 'content-'
    this.lateOpen = (content || (blank && this.lateOpen)) && end <= MAX_LATE_LINE_BYTES && this.lateBytes + end <= MAX_LATE_BYTES
    if (!this.lateOpen) return
    this.late.push(Buffer.from(bytes.subarray(at, at + end)))
    this.lateBytes += end
  }
}
