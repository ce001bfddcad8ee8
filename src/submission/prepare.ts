/**
 * Passwords as they are compared: OpaqueString of RFC 8265 §4.2, by which a
 * password is the same whichever keyboard it was typed on, and SASLprep (RFC
 * 4013), which RFC 7677 has for SCRAM: its clients hash the password themselves.
 *
 * No I/O. What is prepared for a comparison is never refused; `passwordProblem`
 * says of a new password what neither profile allows. The bidirectional rule
 * and code points that Unicode has not assigned are not looked at.
 */

/** RFC 3454 table B.1, but for U+200B, which RFC 4013 §2.1 makes a space */
const MAPPED_TO_NOTHING = /[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/gu
/** table C.1.2 */
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu

const MAX_PASSWORD_BYTES = 1024

export function opaqueString(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC')
}

export function saslPrep(password: string): string {
  return password.replace(SPACES, ' ').replace(MAPPED_TO_NOTHING, '').normalize('NFKC')
}

/** The forms in which a password may have been hashed: as RFC 8265 has it, and as it came, as Dovecot does. */
export function passwordForms(password: string): readonly string[] {
  const prepared = opaqueString(password)
  return prepared === password ? [password] : [prepared, password]
}

/** Why it can be nobody's password; undefined where it can. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'it is empty'
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return `it has more than ${MAX_PASSWORD_BYTES} bytes`
  if (/\p{Cc}/u.test(password)) return 'it has control characters'
  return /[\p{Cs}\p{Noncharacter_Code_Point}]/u.test(password) ? 'it has code points that are no characters' : undefined
}
