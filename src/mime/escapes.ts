/**
 * Bytes that are written as an escape sign and two hexadecimal digits, as in the
 * Q encoding (`=`, RFC 2047 §4.2) and in extended parameters (`%`, RFC 2231 §4).
 * A sign without two digits behind it stays what it is.
 */
const HEX = new Int8Array(256).fill(-1)
for (let i = 0; i < 16; i++) {
  HEX['0123456789ABCDEF'.charCodeAt(i)] = i
  HEX['0123456789abcdef'.charCodeAt(i)] = i
}

/** Of so many characters it costs less not to make bytes of them. */
const MAX_SHORT_CHARACTERS = 32

function shortUnescaped(text: string, sign: number): string {
  let plain = ''
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const high = code === sign ? HEX[text.charCodeAt(at + 1)] ?? -1 : -1
    const low = high < 0 ? -1 : HEX[text.charCodeAt(at + 2)] ?? -1
    plain += String.fromCharCode(low < 0 ? code : high << 4 | low)
    if (low >= 0) at += 2
  }
  return plain
}

/** Decodes where it stands, the codes of characters up to 255 as bytes. Returns how many bytes are left, at the front. */
export function unescapeInPlace(bytes: Uint8Array, sign: number): number {
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    const high = byte === sign ? HEX[bytes[at + 1] ?? 0] as number : -1
    const low = high < 0 ? -1 : HEX[bytes[at + 2] ?? 0] as number
    if (low < 0) bytes[length++] = byte
    else {
      bytes[length++] = high << 4 | low
      at += 2
    }
  }
  return length
}

/** Of text with a byte a character, as such text. */
export function unescaped(text: string, sign: number): string {
  if (!text.includes(String.fromCharCode(sign))) return text
  if (text.length <= MAX_SHORT_CHARACTERS) return shortUnescaped(text, sign)
  const bytes = Buffer.from(text, 'latin1')
  return bytes.toString('latin1', 0, unescapeInPlace(bytes, sign))
}
