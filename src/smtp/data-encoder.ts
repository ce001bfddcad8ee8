/**
 * Makes the bytes of a message ready for the wire: for DATA with dots stuffed
 * and `.` at the end (RFC 5321 §4.5.2), for BDAT as they are (RFC 3030).
 *
 * It is also the last check: only CRLF ends a line, and no NUL goes out. A
 * bare CR, a bare LF or a NUL here is a fault of whoever gave the message;
 * `encode` and `finish` then return a `Fault` and the message must not be
 * completed on the connection. Such a byte itself is never in what they return.
 *
 * A chunk that needs no change is returned as it is, without a copy.
 */

import { ControlBytes } from './control-bytes.ts'

export interface Fault {
  readonly fault: 'bare-cr' | 'bare-lf' | 'nul'
  /** of the byte, from the beginning of the message */
  readonly offset: number
}

export function isFault(result: Buffer | Fault): result is Fault {
  return 'fault' in result
}

const NOTHING = Buffer.alloc(0)
const DOT = 0x2e
const CR = 0x0d
const LF = 0x0a

export class DataEncoder {
  #stuffing: boolean
  #offset = 0
  #atLineStart = true
  /** A CR at a chunk's end waits here until its LF is seen. */
  #heldCr = false

  constructor(form: 'data' | 'bdat') {
    this.#stuffing = form === 'data'
  }

  encode(chunk: Buffer): Buffer | Fault {
    const length = chunk.length
    if (length === 0) return NOTHING
    if (this.#heldCr && chunk[0] !== LF) return { fault: 'bare-cr', offset: this.#offset - 1 }
    let dots: number[] | undefined
    let lineStart = this.#atLineStart ? 0 : -1
    let end = length
    let i = 0
    if (this.#heldCr) lineStart = i = 1
    const controls = new ControlBytes(chunk)
    while (i < length) {
      if (i === lineStart && chunk[i] === DOT) (dots ??= []).push(i)
      i = controls.next(i)
      if (i === length) break
      const byte = chunk[i]
      if (byte === CR) {
        if (i + 1 === length) end = i
        else if (chunk[i + 1] !== LF) return { fault: 'bare-cr', offset: this.#offset + i }
        lineStart = i += 2
      } else if (byte === LF || byte === 0) {
        return { fault: byte === LF ? 'bare-lf' : 'nul', offset: this.#offset + i }
      } else i++
    }
    const hadCr = this.#heldCr
    this.#heldCr = end < length
    this.#atLineStart = lineStart === length
    this.#offset += length
    if (!this.#stuffing) dots = undefined
    if (!hadCr && !dots) return end === length ? chunk : chunk.subarray(0, end)
    return rebuilt(chunk.subarray(0, end), hadCr, dots ?? [])
  }

  /** What ends the message: for DATA the final dot, behind a CRLF if the message lacks its own. */
  finish(): Buffer | Fault {
    if (this.#heldCr) return { fault: 'bare-cr', offset: this.#offset - 1 }
    if (!this.#stuffing) return NOTHING
    return Buffer.from(this.#atLineStart ? '.\r\n' : '\r\n.\r\n', 'latin1')
  }
}

/** The chunk with the CR that was held before it, and each of the dots twice. */
function rebuilt(chunk: Buffer, cr: boolean, dots: readonly number[]): Buffer {
  const out = Buffer.allocUnsafe(chunk.length + dots.length + (cr ? 1 : 0))
  let to = cr ? out.writeUInt8(CR, 0) : 0
  let from = 0
  for (const dot of dots) {
    to += chunk.copy(out, to, from, dot)
    to = out.writeUInt8(DOT, to)
    from = dot
  }
  chunk.copy(out, to, from)
  return out
}
