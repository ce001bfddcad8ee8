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
import { enterAttempt, type AttemptContext, type CheckedLogin, type LoginAttempt } from './login-attempt.ts'
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
  | { readonly name: 'final'; readonly first: ClientFirst; readonly binding: Buffer; readonly nonce: string; readonly serverFirst: string; readonly secret: Extract<Secret<ScramSecret>, { secret: ScramSecret }>; readonly attempt: LoginAttempt }
  | { readonly name: 'told'; readonly step: SaslStep }
  | { readonly name: 'elsewhere'; readonly exchange: SaslExchange }

export function scramExchange(mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS', context: ScramContext): SaslExchange {
  let phase: Phase = { name: 'first' }
  let attempt: LoginAttempt | undefined
  let gone = false

  async function begin(response: Buffer): Promise<SaslStep> {
    const text = decodeText(response)
    const first = text === null ? null : parseClientFirst(text)
    if (first === null) return refused(MALFORMED)
    const account = context.accounts.nameOf(first.name)
    const secret = await context.accounts.scramSecret(first.name)
    if (secret.status === 'elsewhere') {
      if (context.elsewhere === undefined || mechanism !== 'SCRAM-SHA-256') return refused(WRONG_CREDENTIALS)
      const exchange = context.elsewhere()
      phase = { name: 'elsewhere', exchange }
      return await exchange.step(response)
    }
    const entry = await enterAttempt(context.attempts, { mechanism, facts: context.facts, account })
    if (entry.status === 'refused') return entry.step
    attempt = entry.attempt
    if (gone) {
      attempt.drop()
      return refused(TRY_LATER)
    }
    if (secret.status === 'unavailable') return await attempt.finish(secret)
    const bound = first.authzid !== '' && context.accounts.nameOf(first.authzid) !== account ? 'another authorization identity' : bindingOf(mechanism, first, context)
    if (typeof bound === 'string') return await attempt.finish({ status: 'mismatch', cause: bound })
    const nonce = first.nonce + context.random(NONCE_BYTES).toString('base64')
    const serverFirst = `r=${nonce},s=${secret.secret.salt.toString('base64')},i=${secret.secret.iterations}`
    phase = { name: 'final', first, binding: Buffer.concat([Buffer.from(first.gs2Header, 'utf8'), bound]), nonce, serverFirst, secret, attempt }
    return challenge(serverFirst)
  }

  async function end(at: Extract<Phase, { name: 'final' }>, response: Buffer): Promise<SaslStep> {
    const text = decodeText(response)
    const final = text === null ? null : parseClientFinal(text)
    if (final === null) {
      at.attempt.drop()
      return refused(MALFORMED)
    }
    const authMessage = `${at.first.bare},${at.serverFirst},${final.withoutProof}`
    const step = await at.attempt.finish(checkFinal(at, final, { authMessage, facts: context.facts }))
    if (step.status !== 'authenticated') return step
    phase = { name: 'told', step }
    return challenge(`v=${serverSignature(at.secret.secret, authMessage).toString('base64')}`)
  }

  return {
    async step(response) {
      switch (phase.name) {
        case 'first': return response === null ? challenge('') : await begin(response)
        case 'final': return await end(phase, response ?? Buffer.alloc(0))
        case 'told': return response === null || response.length === 0 ? phase.step : refused(MALFORMED)
        case 'elsewhere': return await phase.exchange.step(response)
      }
    },
    abort() {
      gone = true
      attempt?.drop()
      if (phase.name === 'elsewhere') phase.exchange.abort()
    },
  }
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
