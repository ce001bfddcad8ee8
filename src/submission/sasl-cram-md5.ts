/**
 * CRAM-MD5 (RFC 2195): for users whose secret is kept for it, or as it is. The
 * client has nothing to say first.
 */
import { timingSafeEqual } from 'node:crypto'
import type { SaslExchange } from '../smtp/authentication.ts'
import { allowed, type Accounts } from './accounts.ts'
import { decodeText, refused } from './exchange.ts'
import type { SessionFacts } from './facts.ts'
import { enterAttempt, type AttemptContext, type LoginAttempt } from './login-attempt.ts'
import { hmacFromContexts } from './md5.ts'
import { MALFORMED } from './replies.ts'

export interface CramContext {
  readonly accounts: Accounts
  readonly attempts: AttemptContext
  readonly facts: SessionFacts
  readonly random: (bytes: number) => Buffer
  readonly hostname: string
  /** milliseconds since 1970 */
  readonly now: () => number
}

export function cramExchange({ accounts, attempts, facts, random, hostname, now }: CramContext): SaslExchange {
  let sent: Buffer | undefined
  let attempt: LoginAttempt | undefined
  let gone = false
  return {
    async step(response) {
      if (sent === undefined) {
        if (response !== null) return refused(MALFORMED)
        sent = Buffer.from(`<${random(12).toString('hex')}.${now()}@${hostname}>`)
        return { status: 'challenge', data: sent }
      }
      const parsed = response === null ? null : parseCram(response)
      if (parsed === null) return refused(MALFORMED)
      const entry = await enterAttempt(attempts, { mechanism: 'CRAM-MD5', facts, account: accounts.nameOf(parsed.name) })
      if (entry.status === 'refused') return entry.step
      attempt = entry.attempt
      if (gone) attempt.drop()
      const secret = await attempt.hold(() => accounts.cramSecret(parsed.name))
      if (secret.status === 'unavailable') return await attempt.finish(secret)
      if (secret.status === 'elsewhere') return await attempt.finish({ status: 'mismatch', cause: 'no such user in the file' })
      const matches = timingSafeEqual(hmacFromContexts(secret.secret, sent), parsed.digest)
      if (secret.status === 'decoy') return await attempt.finish({ status: 'mismatch', cause: 'no such user, or no secret of the user for CRAM-MD5' })
      return await attempt.finish(matches ? allowed(secret.account, facts) : { status: 'mismatch', cause: 'wrong password' })
    },
    abort() {
      gone = true
      attempt?.drop()
    },
  }
}

/** `name SP digest`, the digest in 32 hexadecimal digits; the name may have spaces. */
export function parseCram(response: Buffer): { readonly name: string; readonly digest: Buffer } | null {
  const match = /^(.+) ([0-9A-Fa-f]{32})$/s.exec(decodeText(response) ?? '')
  return match === null ? null : { name: match[1] ?? '', digest: Buffer.from(match[2] ?? '', 'hex') }
}
