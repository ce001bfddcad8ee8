/**
 * One try to log in, from the moment at which it is known who tries: the guard
 * is asked, the answer waits as long as it says, the certificate is looked at
 * where a second factor is wanted, and what came of it goes to the log (never
 * a password). Each ends in the step that the session is given.
 */
import type { SaslStep } from '../smtp/authentication.ts'
import type { Log } from '../observe/log.ts'
import type { SessionFacts } from './facts.ts'
import type { Guard, GuardedAttempt } from './guard.ts'
import { CERTIFICATE_NEEDED, LOCKED, TRY_LATER, WRONG_CREDENTIALS } from './replies.ts'

export interface AttemptContext {
  readonly listener: string
  readonly guard: Guard
  readonly log: Log
  /** ends early, without rejecting, where the signal says so */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  /** undefined: no second factor. The users that the client's certificate stands for. */
  readonly secondFactor: ((facts: SessionFacts) => Promise<ReadonlySet<string>>) | undefined
}

export interface LoginTry {
  readonly mechanism: string
  readonly facts: SessionFacts
  /** as it was given, in lower case; undefined where the mechanism does not tell us */
  readonly account: string | undefined
}

export type AttemptEntry =
  | { readonly status: 'open'; readonly attempt: LoginAttempt }
  | { readonly status: 'refused'; readonly step: SaslStep }

export type CheckedLogin =
  | { readonly status: 'match'; readonly account: string }
  | { readonly status: 'mismatch'; readonly cause: string }
  | { readonly status: 'unavailable'; readonly cause: string }

export async function enterAttempt(context: AttemptContext, login: LoginTry): Promise<AttemptEntry> {
  const facts = { listener: context.listener, client: login.facts.address, account: login.account, mechanism: login.mechanism }
  const certified = await context.secondFactor?.(login.facts)
  if (certified?.size === 0) {
    context.log.info({ ...facts, cause: 'no certificate of a user' }, 'login refused')
    return { status: 'refused', step: { status: 'refused', reply: CERTIFICATE_NEEDED } }
  }
  const entry = context.guard.enter({ address: login.facts.address, account: login.account })
  if (entry.status === 'locked') {
    context.log.info({ ...facts, cause: `locked: ${entry.scope}` }, 'login refused')
    return { status: 'refused', step: { status: 'refused', reply: LOCKED } }
  }
  return { status: 'open', attempt: new LoginAttempt(context, { ...login, certified }, entry.attempt) }
}

export class LoginAttempt {
  readonly #context: AttemptContext
  readonly #login: LoginTry & { readonly certified: ReadonlySet<string> | undefined }
  readonly #guarded: GuardedAttempt
  readonly #left = new AbortController()

  constructor(context: AttemptContext, login: LoginTry & { readonly certified: ReadonlySet<string> | undefined }, guarded: GuardedAttempt) {
    this.#context = context
    this.#login = login
    this.#guarded = guarded
  }

  async finish(checked: CheckedLogin): Promise<SaslStep> {
    switch (checked.status) {
      case 'match': return await this.#passed(checked.account)
      case 'mismatch': return await this.#failed(checked.cause)
      case 'unavailable':
        this.#guarded.dropped()
        this.#context.log.warn({ ...this.#facts(), cause: checked.cause }, 'login could not be checked')
        return { status: 'refused', reply: TRY_LATER }
    }
  }

  /** The client has gone, or has thought better of it. */
  drop(): void {
    this.#guarded.dropped()
    this.#left.abort()
  }

  async #passed(account: string): Promise<SaslStep> {
    const { certified, mechanism } = this.#login
    if (certified?.has(account) === false) return await this.#failed(`the certificate is not one of ${account}`)
    await this.#wait()
    // Nobody is there any more who could make use of it.
    if (this.#left.signal.aborted) return { status: 'refused', reply: TRY_LATER }
    this.#guarded.succeeded(account)
    this.#context.log.info({ ...this.#facts(), account }, 'login')
    return { status: 'authenticated', authentication: { login: account, mechanism } }
  }

  async #failed(cause: string): Promise<SaslStep> {
    // Counted before it waits: who does not wait for the answer has failed all the same.
    const locked = this.#guarded.failed()
    this.#context.log.info({ ...this.#facts(), cause }, 'login failed')
    if (locked.length > 0) this.#context.log.warn({ ...this.#facts(), locked }, 'too many failed logins: locked for a while')
    await this.#wait()
    return { status: 'refused', reply: WRONG_CREDENTIALS }
  }

  async #wait(): Promise<void> {
    if (this.#guarded.delayMs > 0) await this.#context.wait(this.#guarded.delayMs, this.#left.signal)
  }

  #facts(): Readonly<Record<string, unknown>> {
    const { account, mechanism, facts } = this.#login
    return { listener: this.#context.listener, client: facts.address, account, mechanism }
  }
}
