/**
 * Character sets of mail that switch between ASCII and two bytes a character,
 * and that the runtime does not read: HZ (RFC 1843) and ISO-2022-KR (RFC 1557).
 * They are turned into the eight-bit form of the same set (GB 2312, KS C 5601).
 */
const SHIFT_OUT = 0x0e
const SHIFT_IN = 0x0f

/** To be read as GB 18030. */
export function hzToGb(bytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(bytes.length)
  let length = 0
  let two = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === 0x7e) {
      const next = bytes[at + 1]
      at++
      if (next === 0x7b) two = true
      else if (next === 0x7d) two = false
      else if (next === 0x7e) out[length++] = 0x7e
      // A tilde at the end of a line takes the line end out.
      else if (next === 0x0d && bytes[at + 1] === 0x0a) at++
      else if (next !== 0x0a) {
        out[length++] = 0x7e
        at--
      }
    } else {
      if (byte === 0x0a) two = false
      out[length++] = two && byte >= 0x21 ? byte | 0x80 : byte
    }
  }
  return out.subarray(0, length)
}

/** To be read as EUC-KR. */
export function iso2022KrToEuc(bytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(bytes.length)
  let length = 0
  let two = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === SHIFT_OUT) two = true
    else if (byte === SHIFT_IN) two = false
    // ESC $ ) C, once in the text
    else if (byte === 0x1b && bytes[at + 1] === 0x24 && bytes[at + 2] === 0x29 && bytes[at + 3] === 0x43) at += 3
    else {
      if (byte === 0x0a) two = false
      out[length++] = two && byte >= 0x21 ? byte | 0x80 : byte
    }
  }
  return out.subarray(0, length)
}
