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
 * wants TLS or a password of us (530, 538), or does not have or expect the
 * command (502, 503). Passed on, they would return the client's mail for our
 * own settings.
 */
export function isAboutUs(stage: string, { status }: Reply): boolean {
  return (stage === 'MAIL' || stage === 'RCPT' || stage === 'DATA') && [502, 503, 530, 538].includes(status)
}
