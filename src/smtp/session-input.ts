/**
 * The bytes that a session has received and not yet used, and lines cut from
 * them (RFC 5321 §2.3.8: a line ends with CR LF and nothing else).
 */
const LF = 0x0a
const CR = 0x0d
const EMPTY = Buffer.alloc(0)

export type Line =
  /** without its CR LF, binary */
  | { readonly status: 'line'; readonly text: string }
  /** ended by a bare LF */
  | { readonly status: 'bare' }
  /** longer than allowed; `whole`: its end was there, and it is gone */
  | { readonly status: 'too-long'; readonly whole: boolean }

export class SessionInput {
  private bytes: Buffer = EMPTY
  private position = 0

  /** how much waits */
  get waiting(): number {
    return this.bytes.length - this.position
  }

  append(piece: Buffer): void {
    this.bytes = this.waiting === 0 ? piece : Buffer.concat([this.bytes.subarray(this.position), piece])
    this.position = 0
  }

  clear(): void {
    this.bytes = EMPTY
    this.position = 0
  }

  /** Lets go of a buffer of which everything was used. */
  tidy(): void {
    if (this.waiting === 0) this.clear()
  }

  /** What waits, but no more than `most`; it stays until `advance`. */
  peek(most = Infinity): Buffer {
    return this.bytes.subarray(this.position, Math.min(this.bytes.length, this.position + most))
  }

  advance(octets: number): void {
    this.position += octets
  }

  /** Takes a line, its end included in `maxBytes`; undefined where none is complete yet. */
  takeLine(maxBytes: number): Line | undefined {
    const end = this.bytes.indexOf(LF, this.position)
    const length = (end < 0 ? this.bytes.length : end + 1) - this.position
    if (length > maxBytes) {
      if (end >= 0) this.position = end + 1
      return { status: 'too-long', whole: end >= 0 }
    }
    if (end < 0) return undefined
    const start = this.position
    this.position = end + 1
    if (end === start || this.bytes[end - 1] !== CR) return { status: 'bare' }
    return { status: 'line', text: this.bytes.toString('latin1', start, end - 1) }
  }

  /** Drops what belongs to a line that is too long; true once its end was seen. */
  skipLine(): boolean {
    const end = this.bytes.indexOf(LF, this.position)
    this.position = end < 0 ? this.bytes.length : end + 1
    return end >= 0
  }
}
