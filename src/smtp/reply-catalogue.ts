/**
 * Every reply that our SMTP and LMTP server gives by itself, each with the RFC
 * section that asks for it. Replies of a next hop are not here: they pass as
 * they come. Texts say what the sender can do about it.
 */
import type { Reply } from './reply.ts'

function reply(status: number, code: readonly [subject: number, detail: number], text: string): Reply {
  return { status, subject: code[0], detail: code[1], text }
}

/* --- the session --- */

/** RFC 5321 §3.1, §4.2 */
export function greeting(hostname: string, protocol: 'smtp' | 'lmtp'): Reply {
  return { status: 220, text: `${hostname} ${protocol === 'lmtp' ? 'LMTP' : 'ESMTP'} Postern` }
}
/** RFC 5321 §4.1.1.10 */
export const BYE = reply(221, [0, 0], 'Bye')
/** RFC 5321 §4.1.1.9, §4.1.1.5 */
export const OK = reply(250, [0, 0], 'OK')
/** RFC 3207 §4 */
export const READY_FOR_TLS = reply(220, [0, 0], 'Ready to start TLS')
/** RFC 3207 §4: the server requires TLS */
export const TLS_REQUIRED = reply(530, [7, 0], 'Issue STARTTLS first')
/** RFC 5321 §4.1.1.8 */
export const HELP = help('HELO EHLO', 'RFC 5321')
export const LMTP_HELP = help('LHLO', 'RFC 2033')
function help(hello: string, rfc: string): Reply {
  return { status: 214, subject: 0, detail: 0, text: [`Commands: ${hello} MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT, and those of the extensions offered`, `See ${rfc}`] }
}
/** RFC 5321 §3.5.3, §7.3: neither confirmed nor denied */
export const CANNOT_VERIFY = reply(252, [5, 2], 'Cannot verify the user, but will take the message and try')
/** RFC 5321 §3.5.2 */
export const NO_EXPANSION = reply(502, [5, 1], 'Lists are not expanded here')

/* --- what ends a session (RFC 5321 §3.8, §4.2.2) --- */

export const CLOSING_DOWN = reply(421, [3, 2], 'Server is shutting down, try again soon')
export const IDLE_TOO_LONG = reply(421, [4, 2], 'No command for too long, closing')
export const SESSION_TOO_LONG = reply(421, [4, 2], 'Session lasts too long, connect again')
export const TOO_MANY_ERRORS = reply(421, [7, 0], 'Too many errors, closing')
export const TOO_MUCH_JUNK = reply(421, [7, 0], 'Too many commands without a message, closing')
export const TOO_MANY_UNKNOWN = reply(421, [5, 1], 'Too many unknown commands, closing')
export const TOO_MANY_SESSIONS = reply(421, [3, 2], 'Too many sessions at the moment, try again later')
export const TOO_MANY_FROM_NETWORK = reply(421, [7, 0], 'Too many sessions from your network, try again later')
/** RFC 5321 §3.1: the client may not use this listener */
export const NOT_FOR_YOU = reply(554, [7, 1], 'This service is not for your address')
/** RFC 5321 §4.2.4: an error of ours, the client keeps the message */
export const INTERNAL = reply(451, [3, 0], 'Internal error, try again later')

/* --- commands (RFC 5321 §4.2.4, §4.3.2) --- */

export const LINE_TOO_LONG = reply(500, [5, 2], 'Command line too long')
/** RFC 5321 §2.3.8 */
export const LINE_END = reply(500, [5, 2], 'Command lines end with CR LF')
export const BAD_CHARACTER = reply(500, [5, 2], 'Control characters in a command')
export const UNKNOWN_COMMAND = reply(500, [5, 1], 'Unknown command')
export const NOT_LMTP = reply(500, [5, 1], 'This is LMTP: say LHLO')
export const NO_PARAMETERS = reply(501, [5, 4], 'This command takes no parameters')
export const HELLO_FIRST = reply(503, [5, 1], 'Say EHLO or HELO first')
export const MAIL_FIRST = reply(503, [5, 1], 'MAIL first')
export const ALREADY_MAIL = reply(503, [5, 1], 'A transaction is open already: RSET ends it')
export const ALREADY_TLS = reply(503, [5, 1], 'TLS is active already')
export const NO_RECIPIENT = reply(503, [5, 1], 'RCPT first')
export const NO_VALID_RECIPIENT = reply(554, [5, 1], 'No valid recipients')
/** RFC 3030 §2 */
export const BDAT_UNDER_WAY = reply(503, [5, 1], 'BDAT under way: go on with BDAT, or RSET')
export const BDAT_FAILED = reply(503, [5, 1], 'An earlier chunk failed: RSET first')
export const BDAT_SYNTAX = reply(501, [5, 4], 'BDAT takes a length and LAST; closing, what follows cannot be told apart')
/** RFC 3030 §3: BINARYMIME needs BDAT */
export const BINARY_NEEDS_BDAT = reply(503, [5, 1], 'BODY=BINARYMIME takes BDAT, not DATA')
export const START_INPUT: Reply = { status: 354, text: 'End data with <CR><LF>.<CR><LF>' }
export function chunkReceived(octets: number): Reply {
  return reply(250, [0, 0], `${octets} octets received`)
}
export function syntax(of: string): Reply {
  return reply(501, [5, 4], `Syntax: ${of}`)
}
/** RFC 5321 §4.1.1.11 */
export function parameterNotKnown(keyword: string): Reply {
  return reply(555, [5, 4], `Parameter ${keyword} is not offered`)
}
export function parameterTwice(keyword: string): Reply {
  return reply(501, [5, 4], `Parameter ${keyword} is given twice`)
}
export function parameterValue(keyword: string, allowed: string): Reply {
  return reply(501, [5, 4], `Parameter ${keyword} takes ${allowed}`)
}

/* --- AUTH (RFC 4954 §4, §6) --- */

export const AUTHENTICATED = reply(235, [7, 0], 'Authentication succeeded')
export const AUTH_REQUIRED = reply(530, [7, 0], 'Authentication required')
export const AUTH_NEEDS_EHLO = reply(503, [5, 1], 'Say EHLO first')
export const ALREADY_AUTHENTICATED = reply(503, [5, 1], 'Authenticated already')
export const MECHANISM_NOT_KNOWN = reply(504, [5, 4], 'This mechanism is not offered')
export const MECHANISM_NEEDS_TLS = reply(538, [7, 11], 'This needs encryption: issue STARTTLS first')
export const AUTH_CANCELLED = reply(501, [7, 0], 'Authentication cancelled')
export const BAD_BASE64 = reply(501, [5, 2], 'Not base64')
export const RESPONSE_TOO_LONG = reply(500, [5, 6], 'Authentication line too long')

/* --- the envelope --- */

/** The sender is asked of the next hop with the first recipient (RFC 5321 §3.3). */
export const SENDER_OK = reply(250, [1, 0], 'Sender OK')
/** RFC 3463 §3.2: X.1.7 bad sender's, X.1.3 bad destination mailbox address syntax */
export function badAddress(of: 'MAIL' | 'RCPT', why: string): Reply {
  return reply(501, [1, of === 'MAIL' ? 7 : 3], why)
}
/** RFC 6531 §3.5: X.6.7 */
export function needsSmtputf8(of: 'MAIL' | 'RCPT'): Reply {
  return reply(of === 'MAIL' ? 550 : 553, [6, 7], 'A non-ASCII address needs SMTPUTF8')
}
/** RFC 1870 §6 */
export function tooBig(maxBytes: number): Reply {
  return reply(552, [3, 4], `Message is larger than ${maxBytes} bytes`)
}
/** RFC 5321 §4.5.3.1.10 */
export const TOO_MANY_RECIPIENTS = reply(452, [5, 3], 'Too many recipients, send the rest in another transaction')
/** the rest belongs to another next hop; the client sends them again */
export const OTHER_HOP = reply(451, [5, 3], 'This recipient needs a transaction of its own, send it again')
/** what lets one recipient have the message does not for the other, and there is one final reply */
export const OTHER_VERDICT = reply(451, [5, 3], 'This recipient has rules of its own, send it again')
/** RFC 5321 §3.6.2, RFC 3463 §3.8 */
export const RELAYING_DENIED = reply(550, [7, 1], 'Relaying denied')
/** routing characters in a local part: a next hop might follow them */
export const ROUTED_ADDRESS = reply(550, [7, 1], 'Relaying denied: no %, ! or @ in the local part')

/* --- the message --- */

/** bare CR or LF, or NUL, where the configuration says refuse (RFC 5321 §2.3.8, X.6.11: no code of RFC 3463 fits, Exchange says this one) */
export const BARE_NEWLINE = reply(550, [6, 11], 'Bare CR, bare LF or NUL in the message: lines end with CR LF')
/** RFC 5321 §6.3 */
export const LOOP = reply(554, [4, 6], 'Too many Received fields: the message loops')
/** RFC 5322 sets no bound; what nobody looks at can hide fields that pretend to be ours */
export const HEADER_TOO_LONG = reply(554, [6, 0], 'The header section is too long: at most 1 MiB and 10000 fields')
/** RFC 3463 X.3.1: no room for the temporary file */
export const NO_ROOM = reply(452, [3, 1], 'No room for the message at the moment')
/** it is durably in the quarantine */
export const KEPT = reply(250, [0, 0], 'Message taken')
/** RFC 3463 X.3.0 */
export const NOT_KEPT = reply(451, [3, 0], 'The message could not be stored, try again later')

/* --- XCLIENT and XFORWARD (Postfix XCLIENT_README, XFORWARD_README) --- */

export const NOT_TRUSTED = reply(550, [7, 0], 'Not for your address')
export function attributeSyntax(of: string): Reply {
  return reply(501, [5, 4], `Bad attribute: ${of}`)
}
