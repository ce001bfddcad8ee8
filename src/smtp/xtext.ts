/**
 * xtext (RFC 3461 §4): printable ASCII without `+` and `=`; every other byte is
 * `+` and two upper-case hexadecimal digits. Used by ENVID, ORCPT, AUTH=,
 * XFORWARD and XCLIENT.
 *
 * Works on "binary" strings (one character a byte). A character beyond a byte
 * is taken as UTF-8, so a Unicode string may be encoded too. `decodeXtext`
 * returns undefined for a `+` without two digits.
 */

const PLAIN = /^[!-*,-<>-~]*$/

export function encodeXtext(value: string): string {
  // Nearly every name and address is plain: no work for them.
  if (PLAIN.test(value)) return value
  const bytes = /[^\u0000-\u00ff]/.test(value) ? Buffer.from(value, 'utf8') : Buffer.from(value, 'latin1')
  let encoded = ''
  for (const byte of bytes) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x2b && byte !== 0x3d
    encoded += plain ? String.fromCharCode(byte) : '+' + byte.toString(16).toUpperCase().padStart(2, '0')
  }
  return encoded
}

/**
 * The bytes as a binary string. Peers write lower-case digits and leave `=` as
 * it is; only what could mean two things is refused.
 */
export function decodeXtext(text: string): string | undefined {
  if (!text.includes('+')) return text
  if (/\+(?![0-9A-Fa-f]{2})/.test(text)) return undefined
  return text.replace(/\+([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}
