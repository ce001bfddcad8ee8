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

  /** All of them; a piece that is a small share of the memory it lies in is copied, so that it does not keep that. */
  take(): Buffer {
    const all = this.bytes.subarray(0, this.length)
    return all.length * 2 < all.buffer.byteLength ? Buffer.from(all) : all
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

const EMPTY = Buffer.alloc(0)
