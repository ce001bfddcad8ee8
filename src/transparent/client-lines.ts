/**
 * The client's bytes that nobody has read yet, cut into command lines. CR LF or
 * a bare LF ends a line (RFC 5321 §2.3.8 wants the first; what is passed on gets
 * it). No I/O; bounded by the longest line and what is fed at once.
 */
const LF = 0x0a
const CR = 0x0d
const NOTHING = Buffer.alloc(0)

export type ClientLine =
  | { readonly status: 'line'; /** binary, without its end */ readonly text: string }
  /** it is skipped up to its end */
  | { readonly status: 'too-long' }

const TOO_LONG: ClientLine = { status: 'too-long' }

export class ClientLines {
  private input: Buffer = NOTHING
  private readonly maxLineBytes: number
  /** what is to be thrown away before the next line: octets, or all up to a line end */
  private skipping = 0

  constructor(maxLineBytes: number) {
    this.maxLineBytes = maxLineBytes
  }

  get length(): number {
    return this.input.length
  }

  feed(piece: Buffer): void {
    this.input = this.input.length === 0 ? piece : Buffer.concat([this.input, piece])
  }

  next(): ClientLine | undefined {
    if (!this.skip()) return undefined
    const lf = this.input.indexOf(LF)
    if (lf < 0 ? this.input.length > this.maxLineBytes : lf > this.maxLineBytes) {
      this.skipping = Infinity
      return TOO_LONG
    }
    if (lf < 0) return undefined
    const text = this.input.toString('latin1', 0, this.input[lf - 1] === CR ? lf - 1 : lf)
    this.input = this.input.subarray(lf + 1)
    return { status: 'line', text }
  }

  /** The next octets are no commands. */
  skipOctets(octets: number): void {
    this.skipping = octets
  }

  /** False where all that is there was thrown away, and more is to be. */
  private skip(): boolean {
    if (this.skipping === 0) return true
    const lf = this.skipping === Infinity ? this.input.indexOf(LF) : -1
    const octets = this.skipping === Infinity && lf >= 0 ? lf + 1 : Math.min(this.skipping, this.input.length)
    this.input = this.input.subarray(octets)
    this.skipping = lf >= 0 ? 0 : this.skipping - octets
    return this.skipping === 0
  }

  /** Gives all bytes to `reader`, which says how many it used. */
  read(reader: (bytes: Buffer) => number): void {
    this.input = this.input.subarray(reader(this.input))
  }

  clear(): void {
    this.input = NOTHING
  }
}
