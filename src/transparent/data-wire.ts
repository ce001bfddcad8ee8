/**
 * Writes a message to the relay as DATA (RFC 5321 §4.5.2): dots stuffed behind
 * true CR LF, the rest byte for byte, CR LF "." CR LF at the end.
 *
 * A bare CR, a bare LF and a NUL may be in it. Some servers take a bare one for
 * a line end, and leave NUL out; for them a line that holds a dot alone would
 * end the message, and what follows would be commands (SMTP smuggling). Such a
 * message has no safe form: stuffing the dot would change it for the servers
 * that keep to the RFC. So it is not sent: `encode` returns null before the
 * byte that would complete the false end, and the message must be broken off.
 */
import { ControlBytes } from '../smtp/control-bytes.ts'

const LF = 0x0a
const CR = 0x0d
const DOT = 0x2e
const NUL = 0x00
const NOTHING = Buffer.alloc(0)
const ONE_DOT = Buffer.from('.')
const DOT_LINE = Buffer.from('\r\n.')

export class DataWire {
  private readonly watch: LoneDotWatch | null
  /** what the last byte was: the LF of a true line end, a CR, or text */
  private last: 'line-end' | 'cr' | 'text' = 'line-end'

  /** @param clean every line end of the message is CR LF, and it has no NUL */
  constructor(clean: boolean) {
    this.watch = clean ? null : new LoneDotWatch()
  }

  encode(chunk: Buffer): Buffer | null {
    if (chunk.length === 0) return NOTHING
    if (this.watch?.sees(chunk) === true) return null
    const dots: number[] = []
    if (this.last === 'line-end' && chunk[0] === DOT) dots.push(0)
    else if (this.last === 'cr' && chunk[0] === LF && chunk[1] === DOT) dots.push(1)
    for (let at = chunk.indexOf(DOT_LINE); at >= 0; at = chunk.indexOf(DOT_LINE, at + 3)) dots.push(at + 2)
    this.last = this.endOf(chunk)
    return dots.length === 0 ? chunk : stuffed(chunk, dots)
  }

  /** The end of the message, behind a CR LF if it lacks its own. */
  finish(): Buffer {
    return Buffer.from(this.last === 'line-end' ? '.\r\n' : '\r\n.\r\n', 'latin1')
  }

  private endOf(chunk: Buffer): 'line-end' | 'cr' | 'text' {
    const last = chunk[chunk.length - 1]
    if (last === CR) return 'cr'
    const cr = chunk.length > 1 ? chunk[chunk.length - 2] === CR : this.last === 'cr'
    return last === LF && cr ? 'line-end' : 'text'
  }
}

function stuffed(chunk: Buffer, dots: readonly number[]): Buffer {
  const parts: Buffer[] = []
  let from = 0
  for (const dot of dots) {
    parts.push(chunk.subarray(from, dot), ONE_DOT)
    from = dot
  }
  parts.push(chunk.subarray(from))
  return Buffer.concat(parts)
}

/** Looks for a dot alone on what some take for a line. One behind a true CR LF is stuffed, and alone no more. */
export class LoneDotWatch {
  /** `line`: at the beginning of what some take for a line; `dot`: behind a dot that stands there */
  private state: 'text' | 'line' | 'dot' = 'line'
  /** the bytes before, NUL included, are a true CR LF or the beginning */
  private trueStart = true
  private afterCr = false

  /** True where `bytes` completes one. It is of no use behind that. */
  sees(bytes: Buffer): boolean {
    const controls = new ControlBytes(bytes)
    for (let at = 0; at < bytes.length; at++) {
      if (this.state === 'text') at = controls.next(at)
      const c = bytes[at]
      if (c === undefined) break
      if (this.takes(c)) return true
    }
    return false
  }

  private takes(c: number): boolean {
    const { trueStart } = this
    const afterCr = this.afterCr
    this.trueStart = c === LF && afterCr
    this.afterCr = c === CR
    if (c === NUL) return false
    if (c === CR || c === LF) {
      if (this.state === 'dot') return true
      this.state = 'line'
    } else this.state = c === DOT && this.state === 'line' && !trueStart ? 'dot' : 'text'
    return false
  }
}
