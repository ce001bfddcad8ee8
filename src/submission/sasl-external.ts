/**
 * EXTERNAL (RFC 4422 appendix A): the client's certificate in place of a
 * password. Without an authorization identity the certificate must stand for
 * one user; with one it must stand for that user among others.
 */
import type { SaslExchange, SaslStep } from '../smtp/authentication.ts'
import type { Accounts } from './accounts.ts'
import { challenge, decodeText, refused } from './exchange.ts'
import type { SessionFacts } from './facts.ts'
import { enterAttempt, type AttemptContext, type CheckedLogin, type LoginAttempt } from './login-attempt.ts'
import { MALFORMED } from './replies.ts'

export interface ExternalContext {
  readonly accounts: Accounts
  readonly attempts: AttemptContext
  readonly facts: SessionFacts
  /** whom the certificate stands for */
  readonly certified: () => Promise<ReadonlySet<string>>
}

export function externalExchange({ accounts, attempts, facts, certified }: ExternalContext): SaslExchange {
  let attempt: LoginAttempt | undefined
  let gone = false

  async function check(asked: string): Promise<SaslStep> {
    const users = await certified()
    const named = asked === '' ? undefined : accounts.nameOf(asked)
    const entry = await enterAttempt(attempts, { mechanism: 'EXTERNAL', facts, account: named ?? [...users][0] })
    if (entry.status === 'refused') return entry.step
    attempt = entry.attempt
    if (gone) attempt.drop()
    return await attempt.check(() => checkUsers(users, named))
  }

  async function checkUsers(users: ReadonlySet<string>, named: string | undefined): Promise<CheckedLogin> {
    if (named !== undefined) return users.has(named) ? await accounts.checkNamed(named, facts) : { status: 'mismatch', cause: 'the certificate does not stand for this user' }
    const [only] = users
    if (only === undefined) return { status: 'mismatch', cause: 'the certificate stands for no user' }
    return users.size === 1 ? await accounts.checkNamed(only, facts) : { status: 'mismatch', cause: 'the certificate stands for several users, and none was named' }
  }

  return {
    async step(response) {
      if (response === null) return challenge('')
      const text = decodeText(response)
      return text === null ? refused(MALFORMED) : await check(text)
    },
    abort() {
      gone = true
      attempt?.drop()
    },
  }
}
