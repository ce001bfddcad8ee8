/** Every reply that an AUTH exchange gives (RFC 4954 §4 and §6). Which of user and password is wrong, none says. */
import type { Reply } from '../smtp/reply.ts'

function reply(status: number, code: readonly [subject: number, detail: number], text: string): Reply {
  return { status, subject: code[0], detail: code[1], text }
}

export const WRONG_CREDENTIALS = reply(535, [7, 8], 'Authentication failed: wrong user name or password')
/** whatever the password is */
export const CERTIFICATE_NEEDED = reply(535, [7, 8], 'Authentication failed: a client certificate is needed here as well')
/** RFC 4954 §4: a temporary server failure */
export const TRY_LATER = reply(454, [7, 0], 'Logins cannot be checked at the moment, try again later')
export const LOCKED = reply(454, [7, 0], 'Too many failed logins, try again later')
/** RFC 4954 §4: the response cannot be decoded, or is not of the mechanism's form */
export const MALFORMED = reply(501, [5, 2], 'The response is not of the form of this mechanism')
/** RFC 4954 §6 */
export const TOO_LONG = reply(500, [5, 6], 'The response is too long')
