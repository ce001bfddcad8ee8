/**
 * Takes the text of a message out of DATA without changing a byte of it (RFC
 * 5321 §4.5.2): off come the dots that are stuffed behind a true CR LF, and the
 * end, which is CR LF "." CR LF and nothing else. A bare CR, a bare LF and a NUL
 * stay where they stand and are counted.
 *
 * No I/O. Memory: that of the piece. What comes back may be a part of it.
 */
import { ControlBytes } from '../smtp/control-bytes.ts'

const LF = 0x0a
const CR = 0x0d
const DOT = 0x2e
const NUL = 0x00
const ONE_CR = Buffer.from('\r')

/** As in DataDecoder; AFTER_CR stands behind a CR that is given out, the dots and the CR behind a dot are held back. */
type State = 'LINE_START' | 'TEXT' | 'AFTER_CR' | 'AFTER_DOT' | 'AFTER_DOT_CR'

export class DataText {
  /** bytes of the last piece that were used; less than its length only where the end was found */
  consumed = 0
  ended = false
  bareCr = 0
  bareLf = 0
  nul = 0
  private state: State = 'LINE_START'

  /** Every line end is CR LF, and there is no NUL. */
  get clean(): boolean {
    return this.bareCr === 0 && this.bareLf === 0 && this.nul === 0
  }

  decode(piece: Buffer): Buffer {
    const parts: Buffer[] = []
    const controls = new ControlBytes(piece)
    let from = 0
    let at = 0
    const give = (to: number): void => {
      if (to > from) parts.push(piece.subarray(from, to))
    }
    while (at < piece.length) {
      if (this.state === 'TEXT') at = controls.next(at)
      if (at === piece.length) break
      const before = this.state
      const used = this.step(piece[at] as number)
      if (before === 'AFTER_DOT_CR' && !this.ended) parts.push(ONE_CR)
      if (used && (this.state === 'AFTER_DOT' || this.state === 'AFTER_DOT_CR' || this.ended)) {
        give(at)
        from = at + 1
      }
      if (used) at++
      if (this.ended) break
    }
    this.consumed = at
    give(at)
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  }

  /** Takes one byte; false where it is to be looked at again in the state that is now. */
  private step(c: number): boolean {
    switch (this.state) {
      case 'LINE_START':
        this.state = c === DOT ? 'AFTER_DOT' : 'TEXT'
        return c === DOT
      case 'AFTER_DOT':
        this.state = c === CR ? 'AFTER_DOT_CR' : 'TEXT'
        return c === CR
      case 'AFTER_DOT_CR':
        this.ended = c === LF
        // The CR was held back, and is text now.
        if (!this.ended) this.state = 'AFTER_CR'
        return this.ended
      case 'AFTER_CR':
        if (c !== LF) this.bareCr++
        this.state = c === LF ? 'LINE_START' : 'TEXT'
        return c === LF
      case 'TEXT':
        if (c === LF) this.bareLf++
        else if (c === NUL) this.nul++
        else if (c === CR) this.state = 'AFTER_CR'
        return true
    }
  }
}

/**
 * The same bytes as those see them who take a bare LF for a line end, which the
 * next server will: LF becomes CR LF. For signing and verifying, never for the wire.
 */
export class LineView {
  private afterCr = false

  feed(piece: Buffer): Buffer {
    const first = this.firstBare(piece)
    const afterCr = this.afterCr
    if (piece.length > 0) this.afterCr = piece[piece.length - 1] === CR
    if (first < 0) return piece
    // One allocation and one pass, however many there are: a piece may be nothing but LFs.
    const made = Buffer.allocUnsafe(first + 2 * (piece.length - first))
    let to = piece.copy(made, 0, 0, first)
    let before = first === 0 ? (afterCr ? CR : LF) : (piece[first - 1] as number)
    for (let at = first; at < piece.length; at++) {
      const c = piece[at] as number
      if (c === LF && before !== CR) made[to++] = CR
      made[to++] = c
      before = c
    }
    return made.subarray(0, to)
  }

  private firstBare(piece: Buffer): number {
    let lf = piece.indexOf(LF)
    while (lf >= 0 && (lf === 0 ? this.afterCr : piece[lf - 1] === CR)) lf = piece.indexOf(LF, lf + 1)
    return lf
  }
}
