/**
 * Decodes the text of a message as it comes in (RFC 5321 §4.5.2, §2.3.8).
 *
 * Only CR LF "." CR LF ends DATA. A leading dot is taken off only behind a true
 * CR LF. What goes out has CR LF line ends and nothing else: a bare CR or bare
 * LF becomes CR LF, a NUL is left out, and each is counted, so that the caller
 * can refuse the message instead. A line end that we made is never taken for
 * one that the client sent, so no fake end of data can become a true one.
 *
 * No I/O. Memory: at most twice the piece that is fed. Time: one pass.
 */

import { ControlBytes } from './control-bytes.ts'

const LF = 0x0a
const CR = 0x0d
const DOT = 0x2e
const NUL = 0x00
/** Fewer bytes are not worth a call to copy them. */
const LONG_RUN = 32

/**
 * Where the decoder stands. LINE_START is behind a true CR LF (or at the start);
 * TEXT inside a line or behind a line end that we made; AFTER_CR behind a CR
 * that is already given out; AFTER_DOT and AFTER_DOT_CR behind a leading dot
 * (and CR) that are held back.
 */
type State = 'LINE_START' | 'TEXT' | 'AFTER_CR' | 'AFTER_DOT' | 'AFTER_DOT_CR' | 'ENDED'

export interface Anomalies {
  readonly bareCr: number
  readonly bareLf: number
  readonly nul: number
}

export class DataDecoder {
  /** bytes of the last piece that were used; less than its length only where the end of data was found */
  consumed = 0
  bareCr = 0
  bareLf = 0
  nul = 0
  private state: State = 'LINE_START'
  private readonly dots: boolean

  /** @param dots true for DATA; false for BDAT, where a dot means nothing (RFC 3030 §2) */
  constructor(dots: boolean) {
    this.dots = dots
  }

  /** the end of data was seen (never with BDAT, whose end is a count) */
  get ended(): boolean {
    return this.state === 'ENDED'
  }

  get clean(): boolean {
    return this.bareCr === 0 && this.bareLf === 0 && this.nul === 0
  }

  /** Decodes `piece`; what comes back may be a part of `piece` itself. */
  decode(piece: Buffer): Buffer {
    const controls = new ControlBytes(piece)
    const clear = this.scan(piece, controls, 0)
    if (this.ended) return piece.subarray(0, clear)
    if (clear < piece.length) return this.rewrite(piece, controls, clear)
    this.consumed = clear
    return piece
  }

  /**
   * The common case: looks from `from` on for the first byte that cannot go out
   * as it is, and returns its index (or the piece's length). At a complete
   * `.CRLF` behind CRLF it ends, and returns the index of the dot.
   */
  private scan(piece: Buffer, controls: ControlBytes, from: number): number {
    const length = piece.length
    let at = from
    if (this.state === 'AFTER_CR') {
      if (at === length || piece[at] !== LF) return at
      this.state = 'LINE_START'
      at++
    } else if (this.state !== 'LINE_START' && this.state !== 'TEXT') return at
    let lineStart = this.state === 'LINE_START'
    while (at < length) {
      if (lineStart && this.dots && piece[at] === DOT) return this.scanDot(piece, at)
      const stop = controls.next(at)
      if (stop > at) lineStart = false
      at = stop
      if (at === length) break
      const c = piece[at]
      if (c === CR) {
        if (at + 1 === length) {
          this.state = 'AFTER_CR'
          return length
        }
        if (piece[at + 1] !== LF) return this.stopAt(at, lineStart)
        at += 2
        lineStart = true
      } else {
        if (c === LF || c === NUL) return this.stopAt(at, lineStart)
        at++
        lineStart = false
      }
    }
    return this.stopAt(length, lineStart)
  }

  private scanDot(piece: Buffer, at: number): number {
    if (piece[at + 1] !== CR || piece[at + 2] !== LF) return this.stopAt(at, true)
    this.state = 'ENDED'
    this.consumed = at + 3
    return at
  }

  private stopAt(at: number, lineStart: boolean): number {
    this.state = lineStart ? 'LINE_START' : 'TEXT'
    return at
  }

  /** The rare case, into a buffer of its own: bytes that do not go out as they are, one by one, and runs of those that do. */
  private rewrite(piece: Buffer, controls: ControlBytes, from: number): Buffer {
    // Each byte gives at most two; a held-back CR and a missing LF add one each.
    const out = Buffer.allocUnsafe(from + 2 * (piece.length - from) + 2)
    let length = piece.copy(out, 0, 0, from)
    for (let at = from; at < piece.length && !this.ended;) {
      length = this.step(piece[at++] as number, out, length)
      this.consumed = at
      // Mostly the next one is of the same kind, or begins a run.
      if (at === piece.length || (piece[at] as number) <= DOT) continue
      const clear = this.scan(piece, controls, at)
      if (clear - at >= LONG_RUN) length += piece.copy(out, length, at, clear)
      else for (let i = at; i < clear; i++) out[length++] = piece[i] as number
      at = clear
    }
    if (!this.ended) this.consumed = piece.length
    return out.subarray(0, length)
  }

  /** Takes one byte; returns the new length of `out`. */
  private step(c: number, out: Buffer, length: number): number {
    switch (this.state) {
      case 'AFTER_DOT':
        if (c === CR) {
          this.state = 'AFTER_DOT_CR'
          return length
        }
        this.state = 'TEXT'
        return this.text(c, out, length)
      case 'AFTER_DOT_CR':
        if (c === LF) {
          this.state = 'ENDED'
          return length
        }
        out[length] = CR
        return this.afterCr(c, out, length + 1)
      case 'AFTER_CR':
        return this.afterCr(c, out, length)
      case 'LINE_START':
        if (c === DOT && this.dots) {
          this.state = 'AFTER_DOT'
          return length
        }
        this.state = 'TEXT'
        return this.text(c, out, length)
      case 'TEXT':
        return this.text(c, out, length)
      case 'ENDED':
        return length
    }
  }

  private afterCr(c: number, out: Buffer, length: number): number {
    out[length] = LF
    if (c === LF) {
      this.state = 'LINE_START'
      return length + 1
    }
    this.bareCr++
    this.state = 'TEXT'
    return this.text(c, out, length + 1)
  }

  private text(c: number, out: Buffer, length: number): number {
    if (c === NUL) {
      this.nul++
      return length
    }
    if (c === LF) {
      this.bareLf++
      out[length] = CR
      out[length + 1] = LF
      return length + 2
    }
    out[length] = c
    if (c === CR) this.state = 'AFTER_CR'
    return length + 1
  }

  /**
   * To be called once at the end of the last BDAT chunk: what is still owed to
   * the output (the LF of a final bare CR).
   */
  finish(): Buffer {
    if (this.state !== 'AFTER_CR') return Buffer.alloc(0)
    this.bareCr++
    this.state = 'TEXT'
    return Buffer.from('\n')
  }
}
