/**
 * One AUTH command from its initial response to its final reply (RFC 4954 §4):
 * base64 both ways, `*`, and what the exchange behind it says. No I/O; the
 * session gives it lines and sends what comes back.
 *
 * A step ends as a challenge, as success, or refused; after the last two the
 * dialogue is over. What the exchange throws is a bug and passes through.
 */
import type { Authentication, SaslExchange, SaslStep } from './authentication.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import type { Reply } from './reply.ts'
import * as replies from './reply-catalogue.ts'
import type { Line } from './session-input.ts'

export type AuthOutcome =
  | { readonly status: 'challenge'; readonly reply: Reply }
  | { readonly status: 'authenticated'; readonly authentication: Authentication; readonly reply: Reply }
  | { readonly status: 'refused'; readonly reply: Reply }

/** RFC 4954 §4: a response line with its CR LF */
export const MAX_RESPONSE_BYTES = 12_288
/** No mechanism needs so many; an exchange that never ends is one of ours gone wrong. */
const MAX_STEPS = 20

export class AuthDialogue {
  private readonly exchange: SaslExchange
  private steps = 0
  private over = false

  constructor(exchange: SaslExchange) {
    this.exchange = exchange
  }

  /** @param initial as it stood behind the mechanism; null where nothing did */
  async begin(initial: string | null): Promise<AuthOutcome> {
    if (initial === null) return this.step(null)
    // RFC 4954 §4: an empty initial response is written as one equals sign.
    return initial === '=' ? this.step(Buffer.alloc(0)) : this.decoded(initial)
  }

  /** @param line the client's answer to a challenge */
  async respond(line: Line): Promise<AuthOutcome> {
    if (line.status === 'bare') return this.stopped(replies.LINE_END)
    if (line.status === 'too-long') return this.stopped(replies.RESPONSE_TOO_LONG)
    return line.text === '*' ? this.stopped(replies.AUTH_CANCELLED) : this.decoded(line.text)
  }

  /** The dialogue ends without a result. Idempotent. */
  abort(): void {
    if (this.over) return
    this.over = true
    this.exchange.abort()
  }

  private decoded(text: string): Promise<AuthOutcome> | AuthOutcome {
    const response = decodeBase64(text)
    return response === undefined ? this.stopped(replies.BAD_BASE64) : this.step(response)
  }

  private stopped(reply: Reply): AuthOutcome {
    this.abort()
    return { status: 'refused', reply }
  }

  private async step(response: Buffer | null): Promise<AuthOutcome> {
    if (++this.steps > MAX_STEPS) throw new Error('a SASL exchange does not end')
    const step = await this.exchange.step(response)
    if (step.status === 'challenge') return { status: 'challenge', reply: { status: 334, text: encodeBase64(step.data) } }
    this.over = true
    return ended(step)
  }
}

function ended(step: Exclude<SaslStep, { status: 'challenge' }>): AuthOutcome {
  if (step.status === 'authenticated') return { status: 'authenticated', authentication: step.authentication, reply: replies.AUTHENTICATED }
  // RFC 5321 §4.2.1: only 2xx would be taken for success.
  if (step.reply.status < 400) throw new Error(`a refused AUTH is answered with ${step.reply.status}`)
  return { status: 'refused', reply: step.reply }
}
