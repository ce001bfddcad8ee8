/**
 * What all exchanges have in common: a bound on what the client sends, one step
 * at a time and none behind the end, and no rejection, whatever happens inside.
 */
import type { Log } from '../observe/log.ts'
import type { SaslExchange, SaslStep } from '../smtp/authentication.ts'
import type { Reply } from '../smtp/reply.ts'
import { MALFORMED, TOO_LONG, TRY_LATER } from './replies.ts'

/** RFC 4954 §4 wants 12288 characters of base64 to be taken. */
export const MAX_RESPONSE_BYTES = 9216
const MAX_STEPS = 10

export function bounded(inner: SaslExchange, log: Log): SaslExchange {
  let steps = 0
  let state: 'idle' | 'busy' | 'over' = 'idle'
  const end = (reply: Reply): SaslStep => {
    if (state !== 'over') inner.abort()
    state = 'over'
    return refused(reply)
  }
  return {
    async step(response) {
      if (state !== 'idle' || ++steps > MAX_STEPS) return end(MALFORMED)
      if (response !== null && response.length > MAX_RESPONSE_BYTES) return end(TOO_LONG)
      state = 'busy'
      try {
        const step = await inner.step(response)
        // Whatever came of it, nobody is there to hear it any more.
        if ((state as string) === 'over') return refused(TRY_LATER)
        state = step.status === 'challenge' ? 'idle' : 'over'
        return step
      } catch (error) {
        log.error({ cause: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'an exchange of AUTH failed')
        return end(TRY_LATER)
      }
    },
    abort() {
      if (state === 'over') return
      state = 'over'
      inner.abort()
    },
  }
}

export function refused(reply: Reply): SaslStep {
  return { status: 'refused', reply }
}

export function challenge(text: string): SaslStep {
  return { status: 'challenge', data: Buffer.from(text, 'utf8') }
}

/** UTF-8 without NUL (RFC 4616 §2), or null. */
export function decodeText(bytes: Buffer): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return text.includes('\0') ? null : text
  } catch {
    return null
  }
}
