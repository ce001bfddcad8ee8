/** Text as the bytes that SpamAssassin's rules look at, a byte a character. Pure. */

/** In UTF-8. */
export function toBytes(text: string): string {
  return /[^\x00-\x7f]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text
}

/** Without CR before LF: rules are written for mail as it lies in a mailbox. */
export function withoutCr(bytes: string): string {
  return bytes.includes('\r') ? bytes.replace(/\r\n/g, '\n') : bytes
}

/** Blanks as rules about bytes know them: the byte A0 is a part of many letters in UTF-8. */
export function withoutEdges(bytes: string): string {
  let [from, to] = [0, bytes.length]
  while (from < to && isBlank(bytes.charCodeAt(from))) from++
  while (to > from && isBlank(bytes.charCodeAt(to - 1))) to--
  return bytes.slice(from, to)
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 9 && code <= 13)
}
