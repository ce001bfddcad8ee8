/**
 * Bytes that come in pieces, kept in one buffer that grows as they come and
 * never beyond a bound: whatever the pieces, each byte is copied a few times at
 * most.
 */
export class BoundedBytes {
  readonly #most: number
  #buffer = Buffer.allocUnsafe(1024)
  #length = 0

  constructor(most: number) {
    this.#most = most
  }

  get length(): number {
    return this.#length
  }

  /** False: it would be more than is allowed, and nothing was kept. */
  push(piece: Buffer): boolean {
    const length = this.#length + piece.length
    if (length > this.#most) return false
    if (length > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, Math.min(this.#most, this.#buffer.length * 2)))
      this.#buffer.copy(grown, 0, 0, this.#length)
      this.#buffer = grown
    }
    piece.copy(this.#buffer, this.#length)
    this.#length = length
    return true
  }

  /** What is there; a view, good until the next piece. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }
}
