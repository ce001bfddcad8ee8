/**
 * Logins that Dovecot decides: a password that we have (PLAIN, LOGIN), and
 * exchanges that pass through step by step, of which we read no more than who
 * logs in (SCRAM, CRAM-MD5, XOAUTH2, OAUTHBEARER). Of other mechanisms the name
 * is not known here: there failures count by address and network alone. A temporary failure of Dovecot's is `unavailable` (454 4.7.0).
 */
import type { SaslExchange, SaslStep } from '../smtp/authentication.ts'
import { foldLocalPart } from '../delivery/address-file.ts'
import type { DovecotAnswer, DovecotClient, DovecotExchange } from './dovecot-client.ts'
import type { DovecotFields } from './dovecot-wire.ts'
import { challenge, decodeText, refused } from './exchange.ts'
import type { SessionFacts } from './facts.ts'
import { enterAttempt, enterDialogue, type AttemptContext, type CheckedLogin, type LoginAttempt, type LoginTry } from './login-attempt.ts'
import { MALFORMED } from './replies.ts'
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

interface PassContext {
  readonly client: DovecotClient
  readonly facts: SessionFacts
  readonly attempts: AttemptContext
}

/** An exchange whose every step is Dovecot's, though not before the guard knows who it is, as far as we can read that. */
export function passThrough(mechanism: string, context: PassContext): SaslExchange {
  return new PassThrough(mechanism, context)
}

class PassThrough implements SaslExchange {
  readonly #mechanism: string
  readonly #context: PassContext
  #attempt: LoginAttempt | undefined
  #endDialogue: (() => void) | undefined
  #exchange: DovecotExchange | undefined
  #account: string | undefined
  #invited = false
  #gone = false

  constructor(mechanism: string, context: PassContext) {
    this.#mechanism = mechanism
    this.#context = context
  }

  async step(response: Buffer | null): Promise<SaslStep> {
    if (response === null && !this.#invited && this.#exchange === undefined && isClientFirst(this.#mechanism)) {
      // Dovecot would say no more, and whoever it is comes only with the answer.
      this.#invited = true
      return challenge('')
    }
    this.#account ??= claimed(this.#mechanism, response)
    const refusal = await this.#enter()
    if (refusal !== undefined) return refusal
    const answer = this.#attempt === undefined ? await this.#ask(response) : await this.#attempt.hold(() => this.#ask(response))
    if (answer.status === 'challenge') return answer
    return await this.#decide((attempt) => attempt.finish(checked(answer, this.#account)))
  }

  abort(): void {
    this.#gone = true
    this.#exchange?.cancel()
    this.#endDialogue?.()
    this.#attempt?.drop()
  }

  /** As a dialogue where a name comes before its proof, else as an attempt; CRAM-MD5 begins with a challenge that costs and says nothing. */
  async #enter(): Promise<SaslStep | undefined> {
    if (this.#attempt !== undefined) return undefined
    if (this.#exchange === undefined && this.#mechanism === 'CRAM-MD5') return undefined
    if (this.#exchange !== undefined || !this.#mechanism.startsWith('SCRAM-')) return await this.#decide(() => undefined)
    if (this.#account === undefined) return refused(MALFORMED)
    const entry = await enterDialogue(this.#context.attempts, this.#login())
    if (entry.status === 'refused') return entry.step
    if (this.#gone) entry.end()
    else this.#endDialogue = entry.end
    return undefined
  }

  async #decide<T>(then: (attempt: LoginAttempt) => T | Promise<T>): Promise<T | SaslStep> {
    this.#endDialogue?.()
    if (this.#attempt === undefined) {
      const entry = await enterAttempt(this.#context.attempts, this.#login())
      if (entry.status === 'refused') {
        this.#exchange?.cancel()
        return entry.step
      }
      this.#attempt = entry.attempt
      if (this.#gone) this.#attempt.drop()
    }
    return await then(this.#attempt)
  }

  #login(): LoginTry {
    return { mechanism: this.#mechanism, facts: this.#context.facts, account: this.#account }
  }

  async #ask(response: Buffer | null): Promise<DovecotAnswer> {
    if (this.#exchange !== undefined) return await this.#exchange.answer(response ?? Buffer.alloc(0))
    const begun = await this.#context.client.begin({ mechanism: this.#mechanism, fields: fieldsOf(this.#context.facts), response })
    this.#exchange = begun.exchange
    if (this.#gone) begun.exchange.cancel()
    return begun.first
  }
}

function isClientFirst(mechanism: string): boolean {
  return mechanism.startsWith('SCRAM-') || mechanism === 'XOAUTH2' || mechanism === 'OAUTHBEARER'
}

/** Whom the response names, as far as the mechanism is one that we can read. */
function claimed(mechanism: string, response: Buffer | null): string | undefined {
  const text = response === null ? null : decodeText(response)
  if (text === null) return undefined
  const name = nameIn(mechanism, text)
  return name === undefined || name === '' ? undefined : foldLocalPart(name)
}

function nameIn(mechanism: string, text: string): string | undefined {
  if (mechanism.startsWith('SCRAM-')) return parseClientFirst(text)?.name
  switch (mechanism) {
    case 'CRAM-MD5': return /^(.+) [0-9a-f]{32}$/is.exec(text)?.[1]
    case 'XOAUTH2': return /^user=([^\x01]*)\x01/i.exec(text)?.[1]
    // RFC 7628 §3.1: the header of RFC 5801 §4, in which `,` and `=` are written `=2C` and `=3D`
    case 'OAUTHBEARER': return /^[^,\x01]*,a=([^,\x01]*),/.exec(text)?.[1]?.replaceAll(/=2C/gi, ',').replaceAll(/=3D/gi, '=')
    default: return undefined
  }
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
