/**
 * Cuts a message for mailauth: the header section in one piece, then the body
 * in pieces that end with a whole line. No I/O; fed bytes as they come.
 *
 * mailauth takes a message in pieces of any size, but what it does with them
 * grows faster than they do: folded fields are joined in the square of their
 * lines, an unfinished line is copied and scanned again with each piece. So
 * what no honest message has is refused here, with the reason: a header section
 * over 1 MiB or 10,000 lines, a CR or LF in it that is no line end (its reader
 * and a mail client could disagree on where a field ends), a line of the body
 * over 1 MiB. What is held in memory is one such line or the header section.
 */

export const MAX_HEADER_BYTES = 1 << 20
export const MAX_HEADER_LINES = 10_000
export const MAX_BODY_LINE_BYTES = 1 << 20

export type FeedStep =
  | { readonly status: 'pieces'; readonly pieces: readonly Buffer[] }
  | { readonly status: 'refused'; readonly cause: string }

const CR = 0x0d
const LF = 0x0a

export class MessageFeed {
  #inHeader = true
  #held: Buffer[] = []
  #heldBytes = 0
  /** of the header: octets in the line so far, lines so far, whether a CR came last */
  #column = 0
  #lines = 0
  #afterCr = false

  push(chunk: Buffer): FeedStep {
    if (!this.#inHeader) return this.#pushBody(chunk)
    const end = this.#headerEnd(chunk)
    if (typeof end === 'string') return { status: 'refused', cause: end }
    if (end < 0) {
      this.#hold(chunk)
      return { status: 'pieces', pieces: [] }
    }
    this.#inHeader = false
    this.#hold(chunk.subarray(0, end))
    const header = this.#release()
    const rest = this.#pushBody(chunk.subarray(end))
    return rest.status === 'refused' ? rest : { status: 'pieces', pieces: [...header, ...rest.pieces] }
  }

  /** What is left when the message has ended. */
  end(): FeedStep {
    if (this.#inHeader && this.#afterCr) return { status: 'refused', cause: BARE }
    return { status: 'pieces', pieces: this.#release() }
  }

  /** Index behind the empty line that ends the header section, -1 where it is not in this chunk, or why the section is refused. */
  #headerEnd(chunk: Buffer): number | string {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]
      if (this.#afterCr !== (byte === LF)) return BARE
      if (byte === LF) {
        this.#afterCr = false
        if (this.#column === 0) return at + 1
        this.#column = 0
        if (++this.#lines > MAX_HEADER_LINES) return `the header section has more than ${MAX_HEADER_LINES} lines`
      } else if (byte === CR) {
        this.#afterCr = true
      } else {
        this.#column++
      }
      if (this.#heldBytes + at >= MAX_HEADER_BYTES) return `the header section is larger than ${MAX_HEADER_BYTES} bytes`
    }
    return -1
  }

  #pushBody(chunk: Buffer): FeedStep {
    const lastLf = chunk.lastIndexOf(LF)
    if (lastLf < 0) {
      this.#hold(chunk)
      return this.#heldBytes > MAX_BODY_LINE_BYTES ? { status: 'refused', cause: `a line of the body is longer than ${MAX_BODY_LINE_BYTES} bytes` } : { status: 'pieces', pieces: [] }
    }
    const pieces: Buffer[] = []
    let start = 0
    if (this.#heldBytes > 0) {
      // The line that is held ends here; the rest of the chunk goes on as it lies.
      start = chunk.indexOf(LF) + 1
      this.#hold(chunk.subarray(0, start))
      pieces.push(...this.#release())
    }
    if (lastLf + 1 > start) pieces.push(chunk.subarray(start, lastLf + 1))
    this.#hold(chunk.subarray(lastLf + 1))
    return { status: 'pieces', pieces }
  }

  #hold(piece: Buffer): void {
    if (piece.length === 0) return
    this.#held.push(piece)
    this.#heldBytes += piece.length
  }

  #release(): Buffer[] {
    const pieces = this.#held.length > 1 ? [Buffer.concat(this.#held)] : this.#held
    this.#held = []
    this.#heldBytes = 0
    return pieces
  }
}

const BARE = 'the header section has a CR or LF that is not a line end'
