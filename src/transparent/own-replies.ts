/** The few replies of a transparent session that are not the relay's, each as it goes on the wire. */

/** DKIMproxy's own words, which people's log readers know. */
export const NEXT_HOP_DOWN = '421 Internal error (Next hop is down)\r\n'
/** RFC 5321 §3.8, §4.2.4.2 */
export const NEXT_HOP_LOST = '421 4.4.2 Connection to the next hop is lost, try again later\r\n'
export const NEXT_HOP_SILENT = '421 4.4.2 The next hop does not answer, try again later\r\n'
export const NEXT_HOP_CONFUSED = '421 4.3.0 The next hop cannot be understood, try again later\r\n'
export const CLOSING_DOWN = '421 4.3.2 Server is shutting down, try again soon\r\n'
export const IDLE = '421 4.4.2 No command for too long, closing\r\n'
export const INTERNAL_CLOSING = '421 4.3.0 Internal error, try again later\r\n'
/** a message that came behind a DATA that was refused */
export const DATA_REFUSED = '421 4.5.0 DATA was refused, and what was sent behind it is no command, closing\r\n'
export const BYE = '221 2.0.0 Bye\r\n'
/** RFC 5321 §4.2.4 */
export const INTERNAL = '451 4.3.0 Internal error, try again later\r\n'
export const LINE_TOO_LONG = '500 5.5.2 Command line too long\r\n'
export const BAD_CHARACTER = '500 5.5.2 Control character in a command\r\n'
export const BDAT_SYNTAX = '421 4.5.0 BDAT takes a length and LAST; closing, what follows cannot be told apart\r\n'

export function notOffered(verb: 'STARTTLS' | 'BDAT' | 'BURL'): string {
  return `502 5.5.1 ${verb} is not offered here${verb === 'STARTTLS' ? '' : ': say DATA'}\r\n`
}

/** RFC 1870 §6 */
export function tooBig(maxBytes: number): string {
  return `552 5.3.4 Message is larger than ${maxBytes} bytes\r\n`
}

/** RFC 5321 §2.3.8 */
export const BARE_NEWLINE = '550 5.6.11 Bare CR, bare LF or NUL in the message: lines end with CR LF\r\n'
export const FALSE_END = '550 5.6.11 A dot alone between bare line ends: some servers take it for the end of the message\r\n'
