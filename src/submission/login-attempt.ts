/**
 * One try to log in, from the moment at which its password or proof is here: the
 * guard is asked, the answer waits as long as it says, the certificate is looked at
 * where a second factor is wanted, and what came of it goes to the log (never
 * a password). Each ends in the step that the session is given. Whose client
 * leaves before has failed, and keeps its place until the work on it has ended.
 *
 * Before the proof there is a dialogue: it asks the guard as well, since it may
 * cost something, and counts for nothing.
 */
import type { SaslStep } from '../smtp/authentication.ts'
import type { Log } from '../observe/log.ts'
import type { SessionFacts } from './facts.ts'
import { placeOf, type Guard, type GuardDialogue, type GuardedAttempt } from './guard.ts'
import type { WorkTurn } from './hash-thread.ts'
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

export type DialogueEntry = Extract<GuardDialogue, { readonly status: 'open' }> | { readonly status: 'refused'; readonly step: SaslStep }

export async function enterDialogue(context: AttemptContext, login: LoginTry): Promise<DialogueEntry> {
  if ((await context.secondFactor?.(login.facts))?.size === 0) return uncertified(context, login)
  const entry = context.guard.converse({ address: login.facts.address, account: login.account })
  return entry.status === 'locked' ? locked(context, login, entry.scope) : entry
}

export async function enterAttempt(context: AttemptContext, login: LoginTry): Promise<AttemptEntry> {
  const certified = await context.secondFactor?.(login.facts)
  if (certified?.size === 0) return uncertified(context, login)
  const entry = context.guard.enter({ address: login.facts.address, account: login.account })
  if (entry.status === 'locked') return locked(context, login, entry.scope)
  return { status: 'open', attempt: new LoginAttempt(context, { ...login, certified }, entry.attempt) }
}

type Refused = Extract<AttemptEntry, { readonly status: 'refused' }>

function uncertified(context: AttemptContext, login: LoginTry): Refused {
  context.log.info({ ...factsOf(context, login), cause: 'no certificate of a user' }, 'login refused')
  return { status: 'refused', step: { status: 'refused', reply: CERTIFICATE_NEEDED } }
}

function locked(context: AttemptContext, login: LoginTry, scope: string): Refused {
  context.log.info({ ...factsOf(context, login), cause: `locked: ${scope}` }, 'login refused')
  return { status: 'refused', step: { status: 'refused', reply: LOCKED } }
}

function factsOf({ listener }: AttemptContext, { account, mechanism, facts }: LoginTry): Readonly<Record<string, unknown>> {
  return { listener, client: facts.address, account, mechanism }
}

export class LoginAttempt {
  readonly #context: AttemptContext
  readonly #login: LoginTry & { readonly certified: ReadonlySet<string> | undefined }
  readonly #guarded: GuardedAttempt
  readonly #left = new AbortController()
  #held = 0
  #counted = false

  constructor(context: AttemptContext, login: LoginTry & { readonly certified: ReadonlySet<string> | undefined }, guarded: GuardedAttempt) {
    this.#context = context
    this.#login = login
    this.#guarded = guarded
  }

  /** Its turn where passwords are worked on: with others of its network, and only while it can still come to something. */
  get turn(): WorkTurn {
    return { lane: placeOf(this.#login.facts.address), wanted: () => !this.#left.signal.aborted && this.#guarded.locked() === undefined }
  }

  /** Work on it, for which it keeps its place whatever its client does. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.#held++
    try {
      return await work()
    } finally {
      this.#held--
      if (this.#left.signal.aborted && this.#held === 0) this.#guarded.dropped()
    }
  }

  async check(work: () => Promise<CheckedLogin>): Promise<SaslStep> {
    return await this.finish(await this.hold(work))
  }

  async finish(checked: CheckedLogin): Promise<SaslStep> {
    // Counted when its client went.
    if (this.#left.signal.aborted) return { status: 'refused', reply: TRY_LATER }
    switch (checked.status) {
      case 'match': return await this.#passed(checked.account)
      case 'mismatch': return await this.#failed(checked.cause)
      case 'unavailable': {
        const scope = this.#guarded.locked()
        this.#guarded.dropped()
        if (scope !== undefined) return locked(this.#context, this.#login, scope).step
        this.#context.log.warn({ ...this.#facts(), cause: checked.cause }, 'login could not be checked')
        return { status: 'refused', reply: TRY_LATER }
      }
    }
  }

  /** The client has gone, or has thought better of it: a failure, for its password was here. */
  drop(): void {
    if (this.#left.signal.aborted) return
    this.#left.abort()
    if (!this.#counted) this.#count(this.#guarded.abandoned(), 'the client left before the answer')
    if (this.#held === 0) this.#guarded.dropped()
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
    this.#count(this.#guarded.failed(), cause)
    await this.#wait()
    return { status: 'refused', reply: WRONG_CREDENTIALS }
  }

  #count(reached: readonly string[], cause: string): void {
    this.#counted = true
    this.#context.log.info({ ...this.#facts(), cause }, 'login failed')
    if (reached.length > 0) this.#context.log.warn({ ...this.#facts(), locked: reached }, 'too many failed logins: locked for a while')
  }

  async #wait(): Promise<void> {
    if (this.#guarded.delayMs > 0) await this.#context.wait(this.#guarded.delayMs, this.#left.signal)
  }

  #facts(): Readonly<Record<string, unknown>> {
    return factsOf(this.#context, this.#login)
  }
}
