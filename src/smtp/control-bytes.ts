/**
 * Finds the next byte of a piece of text that can matter to line ends: CR, LF,
 * NUL and the other control characters up to CR (0x00 to 0x0d). Four bytes at
 * a time, because every byte of every message passes here twice.
 */

/** No byte of a word is below 0x0e exactly where this subtraction borrows nowhere. */
const BELOW = 0x0e0e0e0e
const HIGH_BITS = 0x80808080
const FIRST_HARMLESS = 0x0e

export class ControlBytes {
  private readonly bytes: Buffer
  private readonly words: Int32Array
  /** of `bytes` in `words` */
  private readonly offset: number

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.offset = bytes.byteOffset & 3
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset - this.offset, (bytes.length + this.offset) >> 2)
  }

  /** Index of the first such byte at or behind `start`; the length where there is none. */
  next(start: number): number {
    const { bytes, words, offset } = this
    const end = bytes.length
    let at = start
    for (; at < end && ((at + offset) & 3) !== 0; at++) if ((bytes[at] as number) < FIRST_HARMLESS) return at
    if (at >= end) return end
    let word = (at + offset) >> 2
    for (; word < words.length; word++) {
      const value = words[word] as number
      if (((value - BELOW) & ~value & HIGH_BITS) !== 0) break
    }
    for (at = (word << 2) - offset; at < end; at++) if ((bytes[at] as number) < FIRST_HARMLESS) return at
    return end
  }
}
