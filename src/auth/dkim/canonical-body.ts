/**
 * Canonicalisation of a message body (RFC 6376 §3.4.3, §3.4.4), in pieces of
 * any size. What comes out goes to a sink at once and in order; how the body
 * was cut makes no difference. No I/O, nothing throws.
 *
 * Held are two numbers and two flags, never bytes: white space of which it is
 * not known yet whether it ends a line, and line ends of which it is not known
 * yet whether they end the body. So a body of nothing but spaces or line ends
 * takes no memory either. A CR or an LF that stands alone is a byte like any
 * other.
 */
import type { Canonicalization } from './signing-order.ts'

export interface BodySink {
  /** @param bytes may be written over as soon as this returns */
  write(bytes: Uint8Array): void
}

export interface BodyCanonicalizer {
  write(piece: Uint8Array): void
  /** the body is whole; nothing may be written after this */
  end(): void
}

export function bodyCanonicalizer(canonicalization: Canonicalization, sink: BodySink): BodyCanonicalizer {
  const lines = new TrailingLines(sink, canonicalization === 'simple')
  return canonicalization === 'simple' ? lines : new RelaxedSpace(lines)
}

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20

const LINE_ENDS = Buffer.from('\r\n'.repeat(2048))
const LONE_CR = LINE_ENDS.subarray(0, 1)

/** Line ends at the end of the body become one. That is all of `simple`, and the last step of `relaxed`. */
class TrailingLines implements BodyCanonicalizer {
  readonly #sink: BodySink
  /** an empty body is one line end (`simple`) or nothing (`relaxed`) */
  readonly #emptyIsLine: boolean
  /** line ends that wait for something to follow them */
  #lines = 0
  /** a CR that waits behind those for its LF */
  #cr = false
  #content = false

  constructor(sink: BodySink, emptyIsLine: boolean) {
    this.#sink = sink
    this.#emptyIsLine = emptyIsLine
  }

  write(piece: Uint8Array): void {
    if (piece.length === 0) return
    let start = 0
    if (this.#cr) {
      this.#cr = false
      if (piece[0] === LF) {
        this.#lines++
        start = 1
      } else {
        this.#release()
        this.#sink.write(LONE_CR)
      }
    }
    let end = piece.length
    const cr = end > start && piece[end - 1] === CR
    if (cr) end--
    const behind = end
    while (end - 2 >= start && piece[end - 1] === LF && piece[end - 2] === CR) end -= 2
    if (end > start) {
      this.#release()
      this.#sink.write(start === 0 && end === piece.length ? piece : piece.subarray(start, end))
    }
    this.#lines += (behind - end) / 2
    this.#cr = cr
  }

  end(): void {
    if (this.#cr) {
      this.#release()
      this.#sink.write(LONE_CR)
    }
    if (this.#content || this.#emptyIsLine) this.#sink.write(LINE_ENDS.subarray(0, 2))
  }

  /** Something follows: the line ends before it count. */
  #release(): void {
    this.#content = true
    for (let bytes = this.#lines * 2; bytes > 0; bytes -= LINE_ENDS.length) this.#sink.write(bytes < LINE_ENDS.length ? LINE_ENDS.subarray(0, bytes) : LINE_ENDS)
    this.#lines = 0
  }
}

/** A block without white space goes on as it is; attachments consist of these. */
const BLOCK_BYTES = 16 * 1024
/** Where all reduce what they are given: it is empty again whenever `write` has returned. */
const scratch = new Uint8Array(BLOCK_BYTES + 2)

/** White space at the end of a line is left out, any other becomes one space. */
class RelaxedSpace implements BodyCanonicalizer {
  readonly #lines: TrailingLines
  /** what waits: nothing, white space, or white space and a CR behind it */
  #held: 0 | 1 | 2 = 0

  constructor(lines: TrailingLines) {
    this.#lines = lines
  }

  write(piece: Uint8Array): void {
    for (let at = 0; at < piece.length; at += BLOCK_BYTES) this.#block(piece.length <= BLOCK_BYTES ? piece : piece.subarray(at, at + BLOCK_BYTES))
  }

  end(): void {
    // White space at the very end ends a line; before a CR that stands alone it does not.
    if (this.#held === 2) this.#lines.write(SPACE_CR)
    this.#lines.end()
  }

  #block(block: Uint8Array): void {
    if (this.#held === 0 && block.indexOf(SPACE) < 0 && block.indexOf(TAB) < 0) {
      this.#lines.write(block)
      return
    }
    if (this.#held > 0) scratch.set(SPACE_CR)
    const length = reduce(block, this.#held)
    const last = length > 0 ? scratch[length - 1] : 0
    this.#held = last === SPACE ? 1 : last === CR && length > 1 && scratch[length - 2] === SPACE ? 2 : 0
    this.#lines.write(scratch.subarray(0, length - this.#held))
  }
}

const SPACE_CR = Buffer.from(' \r')

/** The block behind the `held` bytes of the scratch that are there already; returns how many there are then. */
function reduce(block: Uint8Array, held: number): number {
  const out = scratch
  let length = held
  let last = held > 0 ? (out[held - 1] ?? 0) : 0
  for (let at = 0; at < block.length; at++) {
    const byte = block[at] ?? 0
    if (byte > SPACE) {
      out[length++] = byte
      last = byte
    } else if (byte === SPACE || byte === TAB) {
      if (last !== SPACE) out[length++] = SPACE
      last = SPACE
    } else {
      if (byte === LF && last === CR && length >= 2 && out[length - 2] === SPACE) {
        length--
        out[length - 1] = CR
      }
      out[length++] = byte
      last = byte
    }
  }
  return length
}
