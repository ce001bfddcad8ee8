/** What a hop's answer says beside its words: that it has left, that it wants a new connection, that it means us. */
import { Loss, type Answer } from '../smtp/client-connection.ts'
import { describeReply, type Reply } from '../smtp/reply.ts'
import * as replies from '../smtp/reply-catalogue-hop.ts'

/** Whether the hop ended the connection by itself, which it may at any time, and may say so by 421 (RFC 5321 §3.8). */
export function isClosing(answer: Answer): boolean {
  if (!(answer instanceof Loss)) return answer.status === 421
  return answer.cause === 'closed' || answer.cause === 'error' || (answer.cause === 'unsolicited' && /^421\b/.test(answer.detail))
}

/** One line for a log. */
export function describeAnswer(answer: Answer): string {
  return answer instanceof Loss ? `${answer.cause}: ${answer.detail}` : describeReply(answer)
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

/** One reply for each recipient. */
export function repeat(reply: Reply, count: number): readonly Reply[] {
  return Array.from({ length: count }, () => reply)
}

/**
 * A hop that takes only so many messages on one connection says so with a 4xx
 * to MAIL (OpenSMTPD: 452), and one whose logins run out wants another. What a
 * used connection is refused for that, a new one is asked again; its answer is
 * then the hop's.
 */
export function isUsedUp(answer: Answer): boolean {
  return !(answer instanceof Loss) && ((answer.status >= 400 && answer.status < 500) || isAboutUs('MAIL', answer))
}

/** Whether the host that gives this answer to MAIL is of no use, to whomever: it is lost, leaves, makes no sense, or will not have us. */
export function takesNoMail(answer: Answer): boolean {
  if (answer instanceof Loss) return answer.cause !== 'dropped'
  return answer.status === 421 || (answer.status < 400 && answer.status !== 250) || isAboutUs('MAIL', answer)
}

/**
 * Codes that say how the hop stands to us, not to the client or its message: it
 * wants TLS or a password of us, or another one (530, 534, 535, 538; RFC 4954
 * §6, RFC 5248), or does not have or expect the command (502, 503). Passed on,
 * they would return the client's mail for our own settings.
 */
const ABOUT_US: readonly number[] = [502, 503, 530, 534, 535, 538]
/**
 * The same said by the enhanced code under another (RFC 4954 §6 and its registry,
 * RFC 5248: X.7.8 to X.7.13; X.7.57 is what Exchange says).
 */
const ABOUT_OUR_LOGIN = /^5\.7\.(?:8|9|1[0-3]|57)\b/
/** After the message, where other codes may be a word on it: 5.7.9 is what some say of their policy. */
const ABOUT_US_AT_END: readonly number[] = [530, 534, 535, 538]
const ABOUT_OUR_LOGIN_AT_END = /^5\.7\.57\b/

export function isAboutUs(stage: string, { status, text }: Reply): boolean {
  const atEnd = stage === 'message'
  if (!atEnd && stage !== 'MAIL' && stage !== 'RCPT' && stage !== 'DATA') return false
  const first = (typeof text === 'string' ? text : text[0]) ?? ''
  return (atEnd ? ABOUT_US_AT_END : ABOUT_US).includes(status) || (status >= 500 && (atEnd ? ABOUT_OUR_LOGIN_AT_END : ABOUT_OUR_LOGIN).test(first))
}
