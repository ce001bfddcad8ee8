/** What users who log in are told of the mail that they send (RFC 6409), and what is said of mail that cannot be signed. */
import type { Reply } from './reply.ts'

function reply(status: number, code: readonly [subject: number, detail: number], text: string): Reply {
  return { status, subject: code[0], detail: code[1], text }
}

/** the file that says it cannot be read */
export const SENDERS_UNKNOWN = reply(451, [3, 0], 'Who may send as whom is not known at the moment, try again later')
/** RFC 6409 §6.1: the reverse-path */
export function notYourSender(login: string, address: string): Reply {
  return reply(553, [7, 1], `${login} may not send as <${address}>`)
}
/** RFC 6409 §6.1: the From field */
export function notYourFrom(login: string, address: string): Reply {
  return reply(550, [7, 1], `${login} may not write in From: ${address}`)
}
/** RFC 5322 §3.6.2: whose mail it is cannot be told */
export const UNREADABLE_FROM = reply(550, [6, 0], 'From is missing, or cannot be read in one way only')
/** RFC 6409 §5.1 leaves limits to the server */
export function tooMuchOf(what: 'messages' | 'recipients', most: number, window: string): Reply {
  return reply(450, [7, 1], `Too many ${what}: at most ${most} in ${window}, try again later`)
}
/** a key is missing from the DNS, or refuses to sign */
export const NOT_SIGNED_NOW = reply(451, [7, 0], 'The message cannot be signed at the moment, try again later')
/** RFC 3463 X.6.0: receivers would read it in different ways, so that no signature could be told to cover it */
export const CANNOT_BE_SIGNED = reply(554, [6, 0], 'The header section is malformed, so that it cannot be signed')
