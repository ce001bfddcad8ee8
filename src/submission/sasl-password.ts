/**
 * PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login): the password itself
 * is sent, so the session offers them under TLS only. An authorization identity
 * other than the user's own is refused as wrong credentials: nobody acts for
 * somebody else here.
 */
import type { SaslExchange, SaslStep } from '../smtp/authentication.ts'
import type { Accounts } from './accounts.ts'
import { challenge, decodeText, refused } from './exchange.ts'
import type { SessionFacts } from './facts.ts'
import { enterAttempt, type AttemptContext, type LoginAttempt } from './login-attempt.ts'
import { MALFORMED } from './replies.ts'

export interface PasswordExchangeContext {
  readonly accounts: Accounts
  readonly attempts: AttemptContext
  readonly facts: SessionFacts
}

interface Credentials {
  readonly name: string
  readonly password: string
  readonly authzid: string
}

export function plainExchange(context: PasswordExchangeContext): SaslExchange {
  const login = createLogin('PLAIN', context)
  return {
    async step(response) {
      if (response === null) return challenge('')
      const credentials = parsePlain(response)
      return credentials === null ? refused(MALFORMED) : await login.check(credentials)
    },
    abort: () => login.abort(),
  }
}

export function loginExchange(context: PasswordExchangeContext): SaslExchange {
  const login = createLogin('LOGIN', context)
  let name: string | null = null
  return {
    async step(response) {
      if (response === null) return challenge('Username:')
      const text = decodeText(response)
      if (text === null || text === '') return refused(MALFORMED)
      if (name !== null) return await login.check({ name, password: text, authzid: '' })
      name = text
      return challenge('Password:')
    },
    abort: () => login.abort(),
  }
}

/** `[authzid] NUL authcid NUL passwd`; null where it is not that. */
export function parsePlain(response: Buffer): Credentials | null {
  const first = response.indexOf(0)
  const second = response.indexOf(0, first + 1)
  if (first < 0 || second < 0) return null
  const [authzid, name, password] = [response.subarray(0, first), response.subarray(first + 1, second), response.subarray(second + 1)].map(decodeText)
  if (typeof authzid !== 'string' || !name || !password) return null
  return { authzid, name, password }
}

function createLogin(mechanism: string, { accounts, attempts, facts }: PasswordExchangeContext): { check(credentials: Credentials): Promise<SaslStep>; abort(): void } {
  let attempt: LoginAttempt | undefined
  let gone = false
  return {
    async check({ name, password, authzid }) {
      const account = accounts.nameOf(name)
      const entry = await enterAttempt(attempts, { mechanism, facts, account })
      if (entry.status === 'refused') return entry.step
      attempt = entry.attempt
      if (gone) attempt.drop()
      const { turn } = attempt
      if (authzid !== '' && accounts.nameOf(authzid) !== account) return await attempt.finish({ status: 'mismatch', cause: 'another authorization identity' })
      return await attempt.check(() => accounts.checkPassword({ name, password }, facts, turn))
    },
    abort() {
      gone = true
      attempt?.drop()
    },
  }
}
