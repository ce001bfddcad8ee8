/**
 * The replies that we give in place of a next hop that gave none, or none that
 * makes sense. All are temporary: the client keeps its message and tries again
 * (RFC 5321 §4.2.1). What went wrong in detail is in the log, not in the text.
 */
import type { Reply } from './reply.ts'

function temporary(subject: number, detail: number, text: string): Reply {
  return { status: 451, subject, detail, text }
}

/** No connection: refused, unreachable, unknown name, time-out (RFC 3463 §3.5, X.4.1: no answer from host) */
export const HOP_UNREACHABLE = temporary(4, 1, 'Next hop cannot be reached, try again later')
/** The hop answered our greeting or EHLO with a refusal (RFC 5321 §3.1; RFC 3463 §3.4, X.3.2) */
export const HOP_REFUSES = temporary(3, 2, 'Next hop does not accept connections at the moment, try again later')
/** Every connection to the hop is in use, or we are about to stop (RFC 3463 §3.4, X.3.2) */
export const HOP_BUSY = temporary(3, 2, 'Too many connections to the next hop, try again later')
export const HOP_CLOSING = temporary(3, 2, 'Server is shutting down, try again soon')
/** The hop closed the connection (RFC 5321 §3.8, §4.2.4.2; RFC 3463 §3.5, X.4.2: bad connection) */
export const HOP_LOST = temporary(4, 2, 'Connection to the next hop was lost, try again later')
/** The hop took too long (RFC 5321 §4.5.3.2) */
export const HOP_SLOW = temporary(4, 2, 'Next hop did not answer in time, try again later')
/** The hop answered what may not stand in that place (RFC 5321 §4.3.2; RFC 3463 §3.6, X.5.0) */
export const HOP_NONSENSE = temporary(5, 0, 'Next hop gave a reply that makes no sense here, try again later')
/** The client used an extension that this hop does not have (RFC 3463 §3.4, X.3.3); it is never downgraded in silence */
export const HOP_LACKS_FEATURE = temporary(3, 3, 'Next hop does not support what this transaction asks for, try again later')
/** TLS is required and not offered (RFC 3207 §4; RFC 3463 §3.8, X.7.4) */
export const HOP_WITHOUT_TLS = temporary(7, 4, 'Next hop does not offer the required TLS, try again later')
/** TLS is required and failed: handshake or certificate (RFC 3207 §4.1; RFC 3463 §3.8, X.7.5) */
export const HOP_TLS_FAILED = temporary(7, 5, 'TLS with the next hop failed, try again later')
/** The hop does not accept our login, or we have none that may be used with it (RFC 4954 §6; RFC 3463 §3.8, X.7.0): our own fault, or the hop's */
export const HOP_LOGIN_FAILED = temporary(7, 0, 'Next hop does not let this gateway log in at the moment, try again later')
/** The message cannot be read, or must not be sent as it is: our own fault (RFC 5321 §4.2.4, X.3.0) */
export const MESSAGE_NOT_SENT = temporary(3, 0, 'Local error while sending the message, try again later')
/** A call out of its order (RFC 5321 §4.1.4): our own fault */
export const OUT_OF_ORDER = temporary(3, 0, 'Local error, try again later')
