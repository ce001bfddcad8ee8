/**
 * The bytes of a message that were written and not taken yet. A piece that
 * comes when all before it is taken is not copied; otherwise it is put behind
 * what is left, in storage that grows by doubling, so that pieces of one byte
 * cost no more than their bytes. Bytes that were handed out are never written
 * over.
 */
export class Window {
  /** everything up to the last byte written; taken are those before `at` */
  bytes: Buffer = EMPTY
  at = 0
  /** offset of `bytes[0]` in all that was written */
  offset = 0
  private storage: Buffer | null = null

  push(piece: Buffer): void {
    const left = this.bytes.length - this.at
    if (left === 0) {
      this.offset += this.bytes.length
      this.bytes = piece
      this.at = 0
      this.storage = null
      return
    }
    if (this.storage === null || this.bytes.length + piece.length > this.storage.length) this.grow(left, piece.length)
    const { storage } = this
    if (storage === null) return
    const used = this.bytes.length
    piece.copy(storage, used)
    this.bytes = storage.subarray(0, used + piece.length)
  }

  private grow(left: number, more: number): void {
    // A short rest before a long piece will be gone with it.
    const size = left * 4 < more ? left + more : Math.max(4096, 2 * (left + more))
    const grown = Buffer.allocUnsafeSlow(size)
    this.bytes.copy(grown, 0, this.at)
    this.storage = grown
    this.bytes = grown.subarray(0, left)
    this.offset += this.at
    this.at = 0
  }
}

const EMPTY = Buffer.alloc(0)
