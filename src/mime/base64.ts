/**
 * Base64 of mail (RFC 2045 §6.8), read as mail programs read it: what is not of
 * the alphabet is passed over, padding in the middle ends a group and reading
 * goes on behind it (several encoded texts one after the other), and a group
 * without padding at the end gives what bytes it has. `broken` where anything
 * but blanks, line ends and padding at the end had to be passed over.
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

const FOREIGN_CHARACTER = /[^A-Za-z0-9+/\r\n\t =]/
const PADDING_AT_END = /^={1,2}[\r\n\t ]{0,256}$/

export function decodeBase64(encoded: Buffer): Decoded {
  const text = encoded.toString('latin1')
  const padding = text.indexOf('=')
  const clean = padding < 0 || PADDING_AT_END.test(text.slice(padding))
  if (clean && !FOREIGN_CHARACTER.test(text)) {
    const bytes = Buffer.from(text, 'base64')
    return { bytes, broken: false }
  }
  return decodeLeniently(encoded)
}

function decodeLeniently(encoded: Buffer): Decoded {
  const out = Buffer.allocUnsafeSlow(Math.ceil(encoded.length * 3 / 4) + 3)
  let length = 0
  let held = 0
  let count = 0
  let broken = false
  for (let at = 0; at < encoded.length; at++) {
    const code = CODES[encoded[at] ?? 0] ?? FOREIGN
    if (code < SKIP) {
      held = (held << 6) | code
      if (++count < 4) continue
      out[length++] = held >> 16
      out[length++] = held >> 8
      out[length++] = held
    } else if (code === PAD) {
      length = flush(out, length, { held, count })
    } else {
      if (code === FOREIGN) broken = true
      continue
    }
    held = 0
    count = 0
  }
  length = flush(out, length, { held, count })
  return { bytes: out.subarray(0, length), broken }
}

/** The bytes of a group that is not whole. */
function flush(out: Buffer, at: number, group: { readonly held: number, readonly count: number }): number {
  const { held, count } = group
  if (count === 2) out[at++] = held >> 4
  if (count === 3) {
    out[at++] = held >> 10
    out[at++] = held >> 2
  }
  return at
}
