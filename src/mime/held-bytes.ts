/**
 * Bytes of a part, put together out of pieces. The first piece is not copied;
 * what comes behind it goes into storage that grows by doubling.
 */
export class HeldBytes {
  length = 0
  private bytes: Buffer = EMPTY
  private owned = false

  append(piece: Buffer): void {
    if (piece.length === 0) return
    if (this.length === 0) this.bytes = piece
    else {
      if (!this.owned || this.length + piece.length > this.bytes.length) this.grow(piece.length)
      piece.copy(this.bytes, this.length)
    }
    this.length += piece.length
  }

  /** All of them, where they lie. */
  take(): Buffer {
    return this.length === this.bytes.length ? this.bytes : this.bytes.subarray(0, this.length)
  }

  clear(): void {
    this.length = 0
    this.bytes = EMPTY
    this.owned = false
  }

  private grow(more: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(1024, 2 * (this.length + more)))
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
    this.owned = true
  }
}

/** `bytes`, which may lie in the memory of `held`: a small share of it is copied, so that it does not keep all. */
export function ownBytes(bytes: Buffer, held: Buffer): Buffer {
  return bytes.buffer === held.buffer && bytes.length * 2 < held.buffer.byteLength ? Buffer.from(bytes) : bytes
}

const EMPTY = Buffer.alloc(0)
