/**
 * Quoted-printable (RFC 2045 §6.7). Blanks at the end of a line are taken out,
 * as the RFC asks for; `=` before a line end (blanks between them allowed) or
 * at the end is a soft line break. An `=` that means nothing stays, and the
 * content is broken.
 */
import type { Decoded } from './base64.ts'

const EQUALS = 0x3d
const CR = 0x0d
const LF = 0x0a
const TAB = 0x09
const HEX = new Int8Array(256).fill(-1)
for (let i = 0; i < 16; i++) {
  HEX['0123456789ABCDEF'.charCodeAt(i)] = i
  HEX['0123456789abcdef'.charCodeAt(i)] = i
}

export function decodeQuotedPrintable(encoded: Buffer): Decoded {
  const out = Buffer.allocUnsafeSlow(encoded.length)
  const size = encoded.length
  let length = 0
  /** blanks before a line end are taken out as far as to here: what stands before was escaped, or is of another line */
  let solid = 0
  let broken = false
  for (let at = 0; at < size;) {
    let byte = encoded[at] as number
    // What stands for itself, of which nearly everything consists.
    while (byte >= 0x20 && byte !== EQUALS) {
      out[length++] = byte
      if (++at === size) break
      byte = encoded[at] as number
    }
    if (at === size) break
    if (byte !== EQUALS) {
      if (byte === CR || byte === LF) while (length > solid && isBlank(out[length - 1] as number)) length--
      out[length++] = byte
      if (byte !== TAB) solid = length
      at++
      continue
    }
    const high = at + 2 < size ? HEX[encoded[at + 1] as number] as number : -1
    const low = high < 0 ? -1 : HEX[encoded[at + 2] as number] as number
    if (low >= 0) {
      out[length++] = high << 4 | low
      at += 3
    } else {
      const next = softBreakEnd(encoded, at + 1)
      if (next < 0) {
        out[length++] = EQUALS
        broken = true
        at++
      } else at = next
    }
    solid = length
  }
  return { bytes: out.subarray(0, length), broken }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === TAB
}

/** Behind the line end that stands there, maybe behind blanks; -1 where there is none. */
function softBreakEnd(encoded: Buffer, from: number): number {
  let at = from
  // More blanks than a line can have are none of a soft line break.
  while ((encoded[at] === 0x20 || encoded[at] === 0x09) && at - from < 1000) at++
  if (at >= encoded.length) return at
  if (encoded[at] === LF) return at + 1
  if (encoded[at] !== CR) return -1
  return encoded[at + 1] === LF ? at + 2 : at + 1
}
