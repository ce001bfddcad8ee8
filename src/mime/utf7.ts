/**
 * UTF-7 (RFC 2152), which mail programs still read and the runtime does not.
 * ASCII stands for itself; `+` begins base64 of UTF-16BE, which ends at the
 * first character that is none of base64, a `-` there being left out.
 * What is none is U+FFFD.
 */
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUES = new Int8Array(256).fill(-1)
for (let i = 0; i < BASE64.length; i++) VALUES[BASE64.charCodeAt(i)] = i

export function decodeUtf7(bytes: Buffer): string {
  let text = ''
  let at = 0
  while (at < bytes.length) {
    const plus = bytes.indexOf(0x2b, at)
    const end = plus < 0 ? bytes.length : plus
    text += bytes.toString('latin1', at, end).replace(/[\x80-\xff]/g, '\ufffd')
    if (plus < 0) break
    let stop = plus + 1
    while (stop < bytes.length && (VALUES[bytes[stop] ?? 0] ?? -1) >= 0) stop++
    const minus = bytes[stop] === 0x2d
    text += stop === plus + 1 ? (minus ? '+' : '\ufffd') : shifted(bytes, plus + 1, stop)
    at = minus ? stop + 1 : stop
  }
  return text.toWellFormed()
}

function shifted(bytes: Buffer, from: number, to: number): string {
  const units: number[] = []
  let bits = 0
  let held = 0
  let text = ''
  for (let at = from; at < to; at++) {
    held = ((held << 6) | (VALUES[bytes[at] ?? 0] ?? 0)) & 0x3fffff
    bits += 6
    if (bits < 16) continue
    bits -= 16
    units.push((held >> bits) & 0xffff)
    if (units.length === 4096) text += String.fromCharCode(...units.splice(0))
  }
  // At most five bits of zero are left over.
  const broken = bits >= 6 || (held & ((1 << bits) - 1)) !== 0
  return text + String.fromCharCode(...units) + (broken ? '\ufffd' : '')
}
