/**
 * What mail that goes out stands on in one worker: the keys, and for listeners
 * that users log in to who they are, what they may send as and how much.
 * Opened at the start, ticked every second, changed by a reload, closed at the
 * end.
 *
 * `open` and `reload` throw where a file cannot be used, with every problem;
 * after a reload that throws, all is as it was.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { SubmissionSettings } from '../config/settings.ts'
import { describeSigningProblem, type SigningProblem } from '../signing/problem.ts'
import type { Signing } from '../signing/signing.ts'
import { SigningKeys } from '../signing/signing-keys.ts'
import type { SigningSettings } from '../signing/settings.ts'
import type { Authenticator } from '../submission/facts.ts'
import { createPasswordWork } from '../submission/password-work.ts'
import { loadServerSecret } from '../submission/server-secret.ts'
import { ListenerUsers, type UsersContext } from './listener-users.ts'
import type { OutgoingContext } from './outgoing-context.ts'
import type { Outbound } from './outbound.ts'

export interface OutgoingSettings {
  readonly hostname: string
  /** directory */
  readonly state: string
  readonly signing: SigningSettings
  readonly listeners: readonly OutgoingListener[]
}

export interface OutgoingListener {
  readonly name: string
  /** of listeners that users log in to; others trust their clients by their address */
  readonly submission: SubmissionSettings | undefined
}

export class OutgoingServices {
  private readonly signing: SigningKeys
  private readonly context: UsersContext
  private users: ReadonlyMap<string, ListenerUsers> = new Map()

  private constructor(signing: SigningKeys, context: UsersContext) {
    this.signing = signing
    this.context = context
  }

  static async open(settings: OutgoingSettings, context: OutgoingContext): Promise<OutgoingServices> {
    const load = SigningKeys.load(settings.signing, context)
    if (load.status === 'refused') throw unusable(load.problems)
    const work = createPasswordWork({ onTrouble: (cause) => context.log.error({ cause }, 'a password could not be checked') })
    const services = new OutgoingServices(load.signing, { ...context, work, secret: loadServerSecret(settings.state), hostname: settings.hostname })
    services.users = await services.usersOf(settings)
    // Until it is known that a record is there, mail would wait for nothing.
    if (settings.signing.requirePublished) await within(load.signing.firstCheck(), FIRST_CHECK_MS)
    return services
  }

  async reload(settings: OutgoingSettings): Promise<void> {
    const users = await this.usersOf(settings)
    const problems = this.signing.reload(settings.signing)
    const [kept, gone] = problems.length > 0 ? [this.users, users] : [users, this.users]
    for (const [name, one] of gone) if (kept.get(name) !== one) one.close()
    if (problems.length > 0) throw unusable(problems)
    this.users = users
  }

  /** Those whose settings have not changed go on with what they remember; all look at their files. */
  private async usersOf({ listeners }: OutgoingSettings): Promise<ReadonlyMap<string, ListenerUsers>> {
    const users = new Map<string, ListenerUsers>()
    for (const { name, submission } of listeners) {
      if (submission === undefined) continue
      const old = this.users.get(name)
      const one = old !== undefined && isDeepStrictEqual(old.settings, submission) ? old : new ListenerUsers(name, submission, this.context)
      await one.load()
      users.set(name, one)
    }
    return users
  }

  /** What a listener's mail is given; undefined where it leaves as it came. What it refers to is looked up at each use. */
  outbound({ name, submission }: OutgoingListener, { hostname, signing }: OutgoingSettings): Outbound | undefined {
    if (submission === undefined && !signs(signing)) return undefined
    return {
      listener: name, hostname, signing: this.signing, onError: signing.onError, newToken: () => randomUUID(),
      users: submission === undefined ? undefined : {
        ready: () => this.of(name).ready(),
        isGone: (login) => this.of(name).isGone(login),
        maySendAs: (login, address) => this.of(name).maySendAs(login, address),
        limits: { count: (what, login) => this.of(name).limits.count(what, login) },
      },
    }
  }

  /** What a transparent listener's mail is given. */
  passing({ signing: { onError } }: OutgoingSettings): { readonly signing: Signing; readonly onError: 'tempfail' | 'unsigned' } {
    return { signing: this.signing, onError }
  }

  authenticator(listener: string): Authenticator {
    return { mechanisms: (tls) => this.of(listener).authenticator.mechanisms(tls), begin: (mechanism, facts) => this.of(listener).authenticator.begin(mechanism, facts) }
  }

  private of(listener: string): ListenerUsers {
    const found = this.users.get(listener)
    if (found === undefined) throw new Error(`nobody logs in to listener ${listener}`)
    return found
  }

  /** To be called once a second. */
  tick(): void {
    this.signing.tick()
    for (const one of this.users.values()) one.tick()
  }

  async close(): Promise<void> {
    this.signing.close()
    for (const one of this.users.values()) one.close()
    await this.context.work.close()
  }
}

const FIRST_CHECK_MS = 5000

/** Waits for `work`, but not for ever. */
async function within(work: Promise<void>, waitMs: number): Promise<void> {
  const timer = new AbortController()
  await Promise.race([work, delay(waitMs, undefined, { signal: timer.signal }).catch(() => undefined)])
  timer.abort()
}

function signs({ keys, directory, tables }: SigningSettings): boolean {
  return keys.length > 0 || directory !== undefined || tables !== undefined
}

function unusable(problems: readonly SigningProblem[]): Error {
  return new Error(`signing: ${problems.map(describeSigningProblem).join('\n')}`)
}
