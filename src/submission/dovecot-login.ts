/**
 * Logins that Dovecot decides: a password that we have (PLAIN, LOGIN), and
 * exchanges that pass through step by step, of which we read no more than who
 * logs in. A temporary failure of Dovecot's is `unavailable` (454 4.7.0).
 */
import type { SaslExchange, SaslStep } from '../smtp/authentication.ts'
import { foldLocalPart } from '../delivery/address-file.ts'
import type { DovecotAnswer, DovecotClient, DovecotExchange } from './dovecot-client.ts'
import type { DovecotFields } from './dovecot-wire.ts'
import { decodeText } from './exchange.ts'
import type { SessionFacts } from './facts.ts'
import { enterAttempt, type AttemptContext, type CheckedLogin, type LoginAttempt } from './login-attempt.ts'
import { parseClientFirst } from './scram-messages.ts'

export interface DovecotLogin {
  readonly client: DovecotClient
  checkPassword(name: string, password: string, facts: SessionFacts): Promise<CheckedLogin>
}

export function createDovecotLogin(client: DovecotClient): DovecotLogin {
  return {
    client,
    async checkPassword(name, password, facts) {
      const { first, exchange } = await client.begin({ mechanism: 'PLAIN', fields: fieldsOf(facts), response: Buffer.from(`\0${name}\0${password}`) })
      exchange.cancel()
      return first.status === 'challenge' ? { status: 'unavailable', cause: 'Dovecot asks on after PLAIN' } : checked(first, name)
    },
  }
}

/** An exchange whose every step is Dovecot's. */
export function passThrough(mechanism: string, { client, facts, attempts }: { readonly client: DovecotClient; readonly facts: SessionFacts; readonly attempts: AttemptContext }): SaslExchange {
  let attempt: LoginAttempt | undefined
  let exchange: DovecotExchange | undefined
  let account: string | undefined
  let aborted = false

  async function ask(response: Buffer | null): Promise<DovecotAnswer> {
    if (exchange !== undefined) return await exchange.answer(response ?? Buffer.alloc(0))
    const begun = await client.begin({ mechanism, fields: fieldsOf(facts), response })
    exchange = begun.exchange
    if (aborted) exchange.cancel()
    return begun.first
  }

  return {
    async step(response): Promise<SaslStep> {
      account ??= claimed(mechanism, response)
      if (attempt === undefined && !isBeforeName(mechanism, exchange)) {
        const entry = await enterAttempt(attempts, { mechanism, facts, account })
        if (entry.status === 'refused') return entry.step
        attempt = entry.attempt
      }
      const answer = await ask(response)
      if (answer.status === 'challenge') return answer
      if (attempt === undefined) {
        const entry = await enterAttempt(attempts, { mechanism, facts, account })
        if (entry.status === 'refused') return entry.step
        attempt = entry.attempt
      }
      return await attempt.finish(checked(answer, account))
    },
    abort() {
      aborted = true
      exchange?.cancel()
      attempt?.drop()
    },
  }
}

/** The first step of CRAM-MD5 is a challenge that costs nothing, and says nothing. */
function isBeforeName(mechanism: string, exchange: DovecotExchange | undefined): boolean {
  return mechanism === 'CRAM-MD5' && exchange === undefined
}

/** Whom the response names, as far as the mechanism is one that we can read. */
function claimed(mechanism: string, response: Buffer | null): string | undefined {
  const text = response === null ? null : decodeText(response)
  if (text === null) return undefined
  if (mechanism.startsWith('SCRAM-')) {
    const first = parseClientFirst(text)
    return first === null ? undefined : foldLocalPart(first.name)
  }
  const name = mechanism === 'CRAM-MD5' ? /^(.+) [0-9a-f]{32}$/is.exec(text)?.[1] : undefined
  return name === undefined ? undefined : foldLocalPart(name)
}

function checked(answer: Exclude<DovecotAnswer, { readonly status: 'challenge' }>, claimedName: string | undefined): CheckedLogin {
  switch (answer.status) {
    case 'ok': {
      const user = foldLocalPart(answer.fields.get('user') ?? claimedName ?? '')
      if (answer.fields.has('nologin')) return { status: 'mismatch', cause: 'the user may not log in (nologin)' }
      return user !== '' && user.length <= 320 && !/[\s\p{Cc}]/u.test(user) ? { status: 'match', account: user } : { status: 'unavailable', cause: 'Dovecot has not said which user it is' }
    }
    case 'failed': return isTemporary(answer.fields) ? { status: 'unavailable', cause: answer.fields.get('reason') ?? 'a temporary failure of Dovecot' } : { status: 'mismatch', cause: causeOf(answer.fields) }
    case 'unavailable': return { status: 'unavailable', cause: `Dovecot: ${answer.cause}` }
  }
}

function isTemporary(fields: DovecotFields): boolean {
  return fields.has('temp') || fields.get('code') === 'temp_fail'
}

function causeOf(fields: DovecotFields): string {
  const code = fields.get('code') ?? (fields.has('authz') ? 'authz_fail' : fields.has('user_disabled') ? 'user_disabled' : fields.has('pass_expired') ? 'pass_expired' : undefined)
  return code === undefined ? 'refused by Dovecot' : `refused by Dovecot: ${code.slice(0, 64)}`
}

function fieldsOf({ address, localAddress, tls }: SessionFacts): (readonly [string, string?])[] {
  const fields: (readonly [string, string?])[] = [['service', 'smtp']]
  // It is a login for one session of ours; no service of Dovecot's asks for it later.
  fields.push(['nologin'])
  if (localAddress !== undefined) fields.push(['lip', localAddress])
  if (address !== undefined) fields.push(['rip', address])
  if (tls !== undefined) fields.push(['secured'])
  return fields
}
