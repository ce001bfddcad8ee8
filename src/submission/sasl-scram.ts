/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side (RFC 5802, RFC 7677),
 * with channel bindings `tls-exporter` (RFC 9266) and `tls-server-end-point`
 * (RFC 5929 §4).
 *
 * The server's last message is a challenge that the client answers with nothing
 * (RFC 4954 §4: AUTH has no room for data in its success). A client that says
 * it could bind and thinks that we cannot (`y`), where we have offered to, was
 * lied to by somebody between us: it is refused as wrong credentials (§6), as
 * is every other failure but a message that is not of the form.
 */
import { timingSafeEqual } from 'node:crypto'
import type { SaslExchange, SaslStep } from '../smtp/authentication.ts'
import { allowed, type Accounts, type Secret } from './accounts.ts'
import { challenge, decodeText, refused } from './exchange.ts'
import type { ChannelBindingType, SessionFacts } from './facts.ts'
import { placeOf } from './guard.ts'
import { enterAttempt, enterDialogue, type AttemptContext, type CheckedLogin, type LoginAttempt, type LoginTry } from './login-attempt.ts'
import type { ScramSecret } from './password-hash.ts'
import { MALFORMED, TRY_LATER, WRONG_CREDENTIALS } from './replies.ts'
import { serverSignature, storedKeyOf } from './scram-keys.ts'
import { parseClientFinal, parseClientFirst, type ClientFirst } from './scram-messages.ts'

export interface ScramContext {
  readonly accounts: Accounts
  readonly attempts: AttemptContext
  readonly facts: SessionFacts
  readonly random: (bytes: number) => Buffer
  /** -PLUS stands in the list that the client has seen */
  readonly plusOffered: boolean
  /** for users that the file does not know; undefined where nobody else knows any */
  readonly elsewhere: (() => SaslExchange) | undefined
}

const NONCE_BYTES = 18

type Phase =
  | { readonly name: 'first' }
  | { readonly name: 'final'; readonly first: ClientFirst; readonly binding: Buffer; readonly nonce: string; readonly serverFirst: string; readonly secret: Extract<Secret<ScramSecret>, { secret: ScramSecret }>; readonly account: string }
  | { readonly name: 'told'; readonly step: SaslStep }
  | { readonly name: 'elsewhere'; readonly exchange: SaslExchange }

export function scramExchange(mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS', context: ScramContext): SaslExchange {
  return new ScramExchange(mechanism, context)
}

class ScramExchange implements SaslExchange {
  readonly #mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS'
  readonly #context: ScramContext
  #phase: Phase = { name: 'first' }
  #attempt: LoginAttempt | undefined
  #endDialogue: (() => void) | undefined
  #gone = false

  constructor(mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS', context: ScramContext) {
    this.#mechanism = mechanism
    this.#context = context
  }

  async step(response: Buffer | null): Promise<SaslStep> {
    const phase = this.#phase
    switch (phase.name) {
      case 'first': return response === null ? challenge('') : await this.#begin(response)
      case 'final': return await this.#end(phase, response ?? Buffer.alloc(0))
      case 'told': return response === null || response.length === 0 ? phase.step : refused(MALFORMED)
      case 'elsewhere': return await phase.exchange.step(response)
    }
  }

  abort(): void {
    this.#gone = true
    this.#endDialogue?.()
    this.#attempt?.drop()
    if (this.#phase.name === 'elsewhere') this.#phase.exchange.abort()
  }

  async #begin(response: Buffer): Promise<SaslStep> {
    const { accounts, facts, attempts, elsewhere } = this.#context
    const text = decodeText(response)
    const first = text === null ? null : parseClientFirst(text)
    if (first === null) return refused(MALFORMED)
    const account = accounts.nameOf(first.name)
    // Before anything is derived, and before there is a proof that could be wrong.
    const entry = await enterDialogue(attempts, { mechanism: this.#mechanism, facts, account })
    if (entry.status === 'refused') return entry.step
    const secret = await accounts.scramSecret(first.name, { lane: placeOf(facts.address), wanted: () => !this.#gone && entry.locked() === undefined })
    // What is derived for it has kept its place until now, whether the client has gone or not.
    if (this.#gone || secret.status === 'unavailable' || secret.status === 'elsewhere') entry.end()
    else this.#endDialogue = entry.end
    if (this.#gone) return refused(TRY_LATER)
    switch (secret.status) {
      case 'unavailable': return unavailable(attempts, { mechanism: this.#mechanism, facts, account }, secret.cause)
      case 'elsewhere': {
        if (elsewhere === undefined || this.#mechanism !== 'SCRAM-SHA-256') return refused(WRONG_CREDENTIALS)
        const exchange = elsewhere()
        this.#phase = { name: 'elsewhere', exchange }
        return await exchange.step(response)
      }
      case 'known':
      case 'decoy': return await this.#ask(first, account, secret)
    }
  }

  async #ask(first: ClientFirst, account: string, secret: Extract<Secret<ScramSecret>, { secret: ScramSecret }>): Promise<SaslStep> {
    const { accounts, random } = this.#context
    const bound = first.authzid !== '' && accounts.nameOf(first.authzid) !== account ? 'another authorization identity' : bindingOf(this.#mechanism, first, this.#context)
    if (typeof bound === 'string') return await this.#decide(account, () => ({ status: 'mismatch', cause: bound }))
    const nonce = first.nonce + random(NONCE_BYTES).toString('base64')
    const serverFirst = `r=${nonce},s=${secret.secret.salt.toString('base64')},i=${secret.secret.iterations}`
    this.#phase = { name: 'final', first, binding: Buffer.concat([Buffer.from(first.gs2Header, 'utf8'), bound]), nonce, serverFirst, secret, account }
    return challenge(serverFirst)
  }

  async #end(at: Extract<Phase, { name: 'final' }>, response: Buffer): Promise<SaslStep> {
    const text = decodeText(response)
    const final = text === null ? null : parseClientFinal(text)
    if (final === null) {
      this.#endDialogue?.()
      return refused(MALFORMED)
    }
    const authMessage = `${at.first.bare},${at.serverFirst},${final.withoutProof}`
    const step = await this.#decide(at.account, () => checkFinal(at, final, { authMessage, facts: this.#context.facts }))
    if (step.status !== 'authenticated') return step
    this.#phase = { name: 'told', step }
    return challenge(`v=${serverSignature(at.secret.secret, authMessage).toString('base64')}`)
  }

  /** The dialogue is an attempt from now on. */
  async #decide(account: string, check: () => CheckedLogin): Promise<SaslStep> {
    this.#endDialogue?.()
    const entry = await enterAttempt(this.#context.attempts, { mechanism: this.#mechanism, facts: this.#context.facts, account })
    if (entry.status === 'refused') return entry.step
    this.#attempt = entry.attempt
    if (this.#gone) this.#attempt.drop()
    return await this.#attempt.finish(check())
  }
}

function unavailable({ log, listener }: AttemptContext, { facts, account, mechanism }: LoginTry, cause: string): SaslStep {
  log.warn({ listener, client: facts.address, account, mechanism, cause }, 'login could not be checked')
  return refused(TRY_LATER)
}

function checkFinal(
  at: Extract<Phase, { name: 'final' }>,
  final: NonNullable<ReturnType<typeof parseClientFinal>>,
  { authMessage, facts }: { readonly authMessage: string; readonly facts: SessionFacts },
): CheckedLogin {
  const { secret } = at
  // All are looked at, whatever the first of them says.
  const proven = timingSafeEqual(storedKeyOf(final.proof, secret.secret, authMessage), secret.secret.storedKey)
  const sameNonce = final.nonce === at.nonce
  const bound = final.binding.length === at.binding.length && timingSafeEqual(final.binding, at.binding)
  if (!sameNonce) return { status: 'mismatch', cause: 'another nonce' }
  if (!bound) return { status: 'mismatch', cause: 'another channel binding' }
  if (secret.status === 'decoy') return { status: 'mismatch', cause: 'no such user, or no SCRAM secret of the user' }
  return proven ? allowed(secret.account, facts) : { status: 'mismatch', cause: 'wrong password' }
}

/** The binding data; a sentence where the client's flag is not what it can be. */
function bindingOf(mechanism: string, { flag }: ClientFirst, { facts, plusOffered }: ScramContext): Buffer | string {
  const plus = mechanism.endsWith('-PLUS')
  if (flag === 'n') return plus ? 'no channel binding in a mechanism that has it' : Buffer.alloc(0)
  if (flag === 'y') return plus || plusOffered ? 'the client thinks that channel binding was not offered: somebody may be between' : Buffer.alloc(0)
  if (!plus) return 'channel binding in a mechanism that has none'
  const data = isBindingType(flag.type) ? facts.tls?.channelBinding(flag.type) : undefined
  return data ?? `channel binding ${flag.type} is not known here`
}

function isBindingType(type: string): type is ChannelBindingType {
  return type === 'tls-exporter' || type === 'tls-server-end-point'
}
