/** The last bytes of what is given in pieces, at most `most` of them. Each byte is moved twice at the most. */
export class EndBytes {
  /** of all that was given */
  length = 0
  private readonly most: number
  private storage = EMPTY
  private used = 0

  constructor(most: number) {
    this.most = most
  }

  append(piece: Buffer): void {
    this.length += piece.length
    const last = piece.length > this.most ? piece.subarray(piece.length - this.most) : piece
    if (this.used + last.length > this.storage.length) this.makeRoom(last.length)
    last.copy(this.storage, this.used)
    this.used += last.length
  }

  /** Those that are kept. */
  take(): Buffer {
    return this.storage.subarray(Math.max(0, this.used - this.most), this.used)
  }

  private makeRoom(more: number): void {
    const kept = this.take()
    const keep = Math.min(kept.length, this.most)
    if (this.storage.length >= 2 * this.most) {
      this.storage.copyWithin(0, this.used - keep, this.used)
      this.used = keep
      return
    }
    const grown = Buffer.allocUnsafeSlow(Math.min(2 * this.most, Math.max(1024, 2 * (keep + more))))
    kept.copy(grown)
    this.storage = grown
    this.used = keep
  }
}

const EMPTY = Buffer.alloc(0)
