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
import { endianness } from 'node:os'
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

/** So much is looked at, and goes on as it is where there is nothing to reduce in it. */
const BLOCK_BYTES = 8 * 1024
/** Where all reduce what they are given: it is empty again whenever `write` has returned. */
const scratch = new Uint8Array(BLOCK_BYTES + 2)
const SPACE_CR = Buffer.from(' \r')

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
    if (this.#held < 2 && !(this.#held === 1 && isLow(block[0])) && isReduced(block)) {
      if (this.#held === 1) this.#lines.write(SPACE_CR.subarray(0, 1))
      this.#held = block[block.length - 1] === SPACE ? 1 : 0
      this.#lines.write(this.#held === 0 ? block : block.subarray(0, -1))
      return
    }
    if (this.#held > 0) scratch.set(SPACE_CR)
    const length = reduce(block, this.#held)
    const last = length > 0 ? scratch[length - 1] : 0
    this.#held = last === SPACE ? 1 : last === CR && length > 1 && scratch[length - 2] === SPACE ? 2 : 0
    this.#lines.write(scratch.subarray(0, length - this.#held))
  }
}

/** White space, line ends and other control characters. */
function isLow(byte: number | undefined): boolean {
  return byte !== undefined && byte <= SPACE
}

const LITTLE_ENDIAN = endianness() === 'LE'
const SEVEN_BITS = 0x7f7f7f7f
/** added to seven bits, sets the eighth of what is above a space */
const ABOVE_SPACE = 0x5f5f5f5f
const EIGHTH_BITS = 0x80808080
const NO_WORDS = new Int32Array(0)

/**
 * Whether there is nothing to reduce: no tab, no space before a space or a CR.
 * Most text is so, and most of it is told four bytes at a time: in a word
 * without two low bytes beside each other there is no such space.
 */
function isReduced(block: Uint8Array): boolean {
  if (block.indexOf(TAB) >= 0) return false
  if (block.indexOf(SPACE) < 0) return true
  const head = Math.min(-block.byteOffset & 3, block.length)
  const words = LITTLE_ENDIAN ? (block.length - head) >> 2 : 0
  const tail = head + words * 4
  if (!pairsAreReduced(block, 1, head)) return false
  // A block that ends before the first whole word has no view of words either.
  const view = words === 0 ? NO_WORDS : new Int32Array(block.buffer, block.byteOffset + head, words)
  // The byte before the first word: low, for all that is known.
  let before = 0x80
  for (let i = 0; i < words; i++) {
    const word = view[i] ?? 0
    const low = ~(((word & SEVEN_BITS) + ABOVE_SPACE) | word) & EIGHTH_BITS
    if ((low & ((low << 8) | before)) !== 0 && !pairsAreReduced(block, head + i * 4, head + i * 4 + 4)) return false
    before = low >>> 24
  }
  return pairsAreReduced(block, tail, block.length)
}

/** Of the bytes from `from` to `to`, each with the one before it. */
function pairsAreReduced(block: Uint8Array, from: number, to: number): boolean {
  for (let at = Math.max(from, 1); at < to; at++) if (block[at - 1] === SPACE && (block[at] === SPACE || block[at] === CR)) return false
  return true
}

/** The block behind the `held` bytes of the scratch that are there already; returns how many there are then. */
function reduce(block: Uint8Array, held: number): number {
  const out = scratch
  let length = held
  let last = held === 0 ? 0 : held === 1 ? SPACE : CR
  /** what stands before a CR that came last */
  let beforeCr = SPACE
  for (let at = 0; at < block.length; at++) {
    let byte = block[at] ?? 0
    if (byte <= CR) {
      if (byte === TAB) byte = SPACE
      else if (byte === CR) beforeCr = last
      else if (byte === LF && last === CR && beforeCr === SPACE) {
        length--
        out[length - 1] = CR
      }
    }
    out[length] = byte
    // Goes on but for a space behind a space; written so, no jump has to be guessed at the end of each word.
    length += (((byte ^ SPACE) | (last ^ SPACE)) + 0xff) >> 8
    last = byte
  }
  return length
}
