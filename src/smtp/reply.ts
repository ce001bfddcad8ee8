/**
 * An SMTP reply (RFC 5321 §4.2, enhanced codes RFC 2034 and RFC 3463).
 *
 * Our own replies carry subject and detail; the class of the enhanced code is
 * derived from the status, so `450 5.7.25` cannot be written. A reply of the
 * next hop carries neither: its enhanced code, if it has one, stands in its
 * text and is passed on as it came.
 *
 * Text is a "binary" string: one character a byte, so that bytes pass unchanged.
 */
export interface Reply {
  /** 200 to 559 */
  readonly status: number
  /** second part of the enhanced code */
  readonly subject?: number
  /** third part of the enhanced code */
  readonly detail?: number
  /** one line, or several */
  readonly text: string | readonly string[]
}

/** The class of a reply: its first digit (RFC 5321 §4.2.1). */
export type ReplyClass = 2 | 3 | 4 | 5

export function replyClass(reply: Reply): ReplyClass {
  if (reply.status < 300) return 2
  if (reply.status < 400) return 3
  return reply.status < 500 ? 4 : 5
}

export function isPositive(reply: Reply): boolean {
  return reply.status >= 200 && reply.status < 300
}

/** The reply as it stands on the wire, each line ended by CRLF. */
export function formatReply(reply: Reply): string {
  const code = enhancedCode(reply)
  const prefix = code === '' ? '' : code + ' '
  if (typeof reply.text === 'string') return `${reply.status} ${prefix}${reply.text}\r\n`
  const last = reply.text.length - 1
  if (last < 0) return `${reply.status}\r\n`
  let wire = ''
  for (let i = 0; i <= last; i++) wire += `${reply.status}${i === last ? ' ' : '-'}${prefix}${reply.text[i] ?? ''}\r\n`
  return wire
}

/** A hop may say a hundred long lines; the log takes so many characters of them. */
const MAX_DESCRIBED = 500

/** One line for a log: `451 4.4.1 text / more text`. */
export function describeReply(reply: Reply): string {
  const code = enhancedCode(reply)
  const whole = typeof reply.text === 'string' ? reply.text : reply.text.join(' / ')
  const text = whole.length > MAX_DESCRIBED ? `${whole.slice(0, MAX_DESCRIBED)}…` : whole
  return code === '' ? `${reply.status} ${text}` : `${reply.status} ${code} ${text}`
}

/** The reply with each line changed. */
export function withText(reply: Reply, change: (line: string) => string): Reply {
  return { ...reply, text: typeof reply.text === 'string' ? change(reply.text) : reply.text.map(change) }
}

function enhancedCode(reply: Reply): string {
  if (reply.subject === undefined || reply.detail === undefined) return ''
  return `${replyClass(reply)}.${reply.subject}.${reply.detail}`
}
