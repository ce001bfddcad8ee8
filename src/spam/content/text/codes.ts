/**
 * The characters of a text as an array of numbers: a loop over one costs a third
 * of what one over the string does. Bytes where the text is Latin-1, 16-bit units
 * otherwise. Valid until the next call for the same purpose.
 */

export type Codes = Uint8Array | Uint16Array

/** What stays between two messages; longer texts have an array of their own. */
const KEPT_BYTES = 1_048_576
const FIRST_BYTES = 65_536

export function isAscii(text: string): boolean {
  return Buffer.byteLength(text, 'utf8') === text.length
}

export class CodeArray {
  private kept: Buffer | undefined

  /** `narrow`: no character has a code above 255. */
  of(text: string, narrow: boolean): Codes {
    const bytes = narrow ? text.length : text.length * 2
    const room = this.room(bytes)
    if (narrow) {
      room.write(text, 0, bytes, 'latin1')
      return new Uint8Array(room.buffer, room.byteOffset, bytes)
    }
    room.write(text, 0, bytes, 'utf16le')
    return new Uint16Array(room.buffer, room.byteOffset, text.length)
  }

  private room(bytes: number): Buffer {
    if (bytes > KEPT_BYTES) return Buffer.allocUnsafeSlow(bytes)
    if (this.kept === undefined || this.kept.length < bytes) this.kept = Buffer.allocUnsafeSlow(Math.max(bytes, FIRST_BYTES))
    return this.kept
  }
}
