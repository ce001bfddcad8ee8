/** Text as the bytes that SpamAssassin's rules look at, a byte a character. Pure. */

/** In UTF-8. */
export function toBytes(text: string): string {
  return /[^\x00-\x7f]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text
}

/** Without CR before LF: rules are written for mail as it lies in a mailbox. */
export function withoutCr(bytes: string): string {
  return bytes.includes('\r') ? bytes.replace(/\r\n/g, '\n') : bytes
}
