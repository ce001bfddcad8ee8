/** What a hop's answer says beside its words: that it has left, that it wants a new connection, that it means us. */
import { Loss, type Answer } from '../smtp/client-connection.ts'
import type { Reply } from '../smtp/reply.ts'
import * as replies from '../smtp/reply-catalogue-hop.ts'

/** Whether the hop ended the connection by itself, which it may at any time, and may say so by 421 (RFC 5321 §3.8). */
export function isClosing(answer: Answer): boolean {
  if (!(answer instanceof Loss)) return answer.status === 421
  return answer.cause === 'closed' || answer.cause === 'error' || (answer.cause === 'unsolicited' && /^421\b/.test(answer.detail))
}

/** What the client is told of a connection that ended. */
export function lostReply(loss: Loss): Reply {
  switch (loss.cause) {
    case 'timeout': return replies.HOP_SLOW
    case 'malformed':
    case 'unsolicited': return replies.HOP_NONSENSE
    case 'unreachable': return replies.HOP_UNREACHABLE
    case 'tls': return replies.HOP_TLS_FAILED
    case 'closed':
    case 'error':
    case 'dropped': return replies.HOP_LOST
  }
}

/**
 * A hop that takes only so many messages on one connection says so with a 4xx
 * to MAIL (OpenSMTPD: 452). What a used connection is refused for now, a new
 * one is asked again; its answer is then the hop's.
 */
export function isUsedUp(answer: Answer): boolean {
  return !(answer instanceof Loss) && answer.status >= 400 && answer.status < 500
}

/**
 * Codes that say how the hop stands to us, not to the client or its message: it
 * wants TLS or a password of us, or another one (530, 534, 535, 538; RFC 4954
 * §6, RFC 5248), or does not have or expect the command (502, 503). Passed on,
 * they would return the client's mail for our own settings.
 */
const ABOUT_US: readonly number[] = [502, 503, 530, 534, 535, 538]
/** The same said by the enhanced code under another (RFC 4954 §6 and its registry, RFC 5248: X.7.8 to X.7.13). */
const ABOUT_OUR_LOGIN = /^5\.7\.(?:8|9|1[0-3])\b/

export function isAboutUs(stage: string, { status, text }: Reply): boolean {
  if (stage !== 'MAIL' && stage !== 'RCPT' && stage !== 'DATA') return false
  const first = typeof text === 'string' ? text : text[0]
  return ABOUT_US.includes(status) || (status >= 500 && ABOUT_OUR_LOGIN.test(first ?? ''))
}
