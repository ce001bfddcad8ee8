/**
 * UTF-7 (RFC 2152), which mail programs still read and the runtime does not.
 * ASCII stands for itself; `+` begins base64 of UTF-16BE, which ends at the
 * first character that is none of base64, a `-` there being left out.
 * What is none is U+FFFD.
 */
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUES = new Int8Array(256).fill(-1)
for (let i = 0; i < BASE64.length; i++) VALUES[BASE64.charCodeAt(i)] = i

const PLUS = 0x2b
const MINUS = 0x2d
const BROKEN = 0xfffd

export function decodeUtf7(bytes: Buffer): string {
  return new Utf7Decoder(bytes).decode().toWellFormed()
}

class Utf7Decoder {
  private readonly bytes: Buffer
  /** no byte becomes more than one */
  private readonly units: Uint16Array
  private length = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.units = new Uint16Array(bytes.length)
  }

  decode(): string {
    const { bytes, units } = this
    for (let at = 0; at < bytes.length;) {
      const byte = bytes[at] as number
      if (byte !== PLUS) {
        units[this.length++] = byte < 0x80 ? byte : BROKEN
        at++
        continue
      }
      let stop = at + 1
      while (stop < bytes.length && (VALUES[bytes[stop] as number] as number) >= 0) stop++
      const minus = bytes[stop] === MINUS
      if (stop === at + 1) units[this.length++] = minus ? PLUS : BROKEN
      else this.shifted(at + 1, stop)
      at = minus ? stop + 1 : stop
    }
    return Buffer.from(units.buffer, 0, this.length * 2).toString('utf16le')
  }

  private shifted(from: number, to: number): void {
    const { bytes, units } = this
    let bits = 0
    let held = 0
    for (let at = from; at < to; at++) {
      held = ((held << 6) | (VALUES[bytes[at] as number] as number)) & 0x3fffff
      bits += 6
      if (bits < 16) continue
      bits -= 16
      units[this.length++] = (held >> bits) & 0xffff
    }
    // At most five bits of zero are left over.
    if (bits >= 6 || (held & ((1 << bits) - 1)) !== 0) units[this.length++] = BROKEN
  }
}
