/**
 * Base64 of mail (RFC 2045 §6.8), read as mail programs read it: what is not of
 * the alphabet is passed over, padding in the middle ends a group and reading
 * goes on behind it (several encoded texts one after the other), and a group
 * without padding at the end gives what bytes it has. `broken` where anything
 * but blanks, line ends and padding had to be passed over. Prose behind the
 * padding, which mailing lists put there, is left out.
 *
 * Not the runtime's own decoder: that one takes the alphabet of URLs as well,
 * stops at padding, and does not tell what it passed over.
 */
export interface Decoded {
  readonly bytes: Buffer
  readonly broken: boolean
}

const SKIP = 0x40
const PAD = 0x41
const FOREIGN = 0x42
const CODES = new Uint8Array(256).fill(FOREIGN)
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
for (let i = 0; i < ALPHABET.length; i++) CODES[ALPHABET.charCodeAt(i)] = i
for (const blank of [0x09, 0x0a, 0x0d, 0x20]) CODES[blank] = SKIP
CODES[0x3d] = PAD

export function decodeBase64(encoded: Buffer): Decoded {
  const out = Buffer.allocUnsafe(Math.ceil(encoded.length / 4) * 3 + 3)
  const size = encoded.length
  let length = 0
  let held = 0
  let count = 0
  let broken = false
  /** behind the first padding, of what is read and of what is made of it */
  let padded: { readonly at: number, readonly length: number } | null = null
  for (let at = 0; at < size;) {
    // Whole groups, of which nearly everything consists.
    if (count === 0) {
      while (at + 3 < size) {
        const a = CODES[encoded[at] as number] as number
        const b = CODES[encoded[at + 1] as number] as number
        const c = CODES[encoded[at + 2] as number] as number
        const d = CODES[encoded[at + 3] as number] as number
        if ((a | b | c | d) >= SKIP) break
        out[length] = a << 2 | b >> 4
        out[length + 1] = b << 4 | c >> 2
        out[length + 2] = c << 6 | d
        length += 3
        at += 4
      }
      if (at >= size) break
    }
    const code = CODES[encoded[at++] as number] as number
    if (code === FOREIGN) broken = true
    else if (code < SKIP) {
      held = held << 6 | code
      count++
    }
    if (count === 4 || code === PAD) {
      length = flush(out, length, { held, count })
      held = 0
      count = 0
    }
    if (code === PAD) padded ??= { at, length }
  }
  length = flush(out, length, { held, count })
  if (broken && padded !== null && isProse(encoded, padded.at)) length = padded.length
  return { bytes: out.subarray(0, length), broken }
}

/** Text has blanks and punctuation; encoded content has next to none. */
function isProse(encoded: Buffer, from: number): boolean {
  let foreign = 0
  for (let at = from; at < encoded.length; at++) {
    const byte = encoded[at] as number
    if (byte === 0x20 || byte === 0x09 || CODES[byte] === FOREIGN) foreign++
  }
  return foreign * 16 > encoded.length - from
}

/** The bytes of a group, which may lack characters at its end. */
function flush(out: Buffer, at: number, group: { readonly held: number, readonly count: number }): number {
  const { held, count } = group
  if (count < 2) return at
  const bits = held << 6 * (4 - count)
  for (let i = 0; i < count - 1; i++) out[at + i] = bits >> 16 - 8 * i
  return at + count - 1
}
