/**
 * Logs in to a next hop (RFC 4954), and does not wear out our own account: what
 * the hop has refused is not tried again before a pause that grows, and what it
 * has not accepted yet is tried by one connection at a time, however many
 * clients send mail meanwhile. A hop elsewhere is logged in to under TLS with a
 * certificate that was verified, by every mechanism: SCRAM shows nobody the
 * password, but the mail that follows would be in clear. What is wrong is said in
 * the log, with what to do about it; the password never is. Nothing rejects.
 */
import { BlockList } from 'node:net'
import type { HopLogin } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import type { Capabilities } from '../smtp/capabilities.ts'
import type { ClientConnection } from '../smtp/client-connection.ts'
import { logIn, type LoginOutcome } from '../smtp/client-login.ts'
import type { ClientMechanism } from '../smtp/client-mechanisms.ts'
import { describeReply } from '../smtp/reply.ts'
import { BackOff } from './back-off.ts'
import { readPasswordFile } from './password-file.ts'
import type { Refusal, RelayConnection } from './relay-connect.ts'

/** For the log: which login of which hop. */
export interface LoginPlace {
  readonly hop: string
  readonly peer: string
}

export type LoggedIn =
  | { readonly status: 'in' }
  /** the connection cannot be used; the cause is in the log */
  | { readonly status: 'failed' }

/** Our own settings, or the hop's word that the password is wrong: each try is a guess in the hop's eyes. */
const REFUSED = { firstMs: 60_000, mostMs: 30 * 60_000 } as const
/** The hop has trouble of its own, or has had enough of us for a while; or a file is being written. */
const PUT_OFF = { firstMs: 5000, mostMs: 5 * 60_000 } as const

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

export class RelayLogin {
  readonly #login: HopLogin
  readonly #place: LoginPlace
  readonly #log: Log
  readonly #refused: BackOff
  readonly #putOff: BackOff
  #password: string | undefined
  /** the mechanism to begin with: the hop has accepted it, or refused it last after a stronger one */
  #mechanism: ClientMechanism | undefined
  /** the hop has accepted this password */
  #accepted = false
  #trial: Promise<RelayConnection | Refusal> | undefined

  constructor(login: HopLogin, place: LoginPlace, { log, now }: { readonly log: Log; readonly now: () => number }) {
    this.#login = login
    this.#place = place
    this.#log = log
    this.#refused = new BackOff(now, REFUSED)
    this.#putOff = new BackOff(now, PUT_OFF)
  }

  /** Not to be tried now. */
  get pausing(): boolean {
    return this.#refused.resting || this.#putOff.resting
  }

  /**
   * Opens a connection by `open`. Until the hop has let us in once, whoever else
   * wants one waits for the outcome, and shares it where that is a refusal.
   */
  async guarded(open: () => Promise<RelayConnection | Refusal>): Promise<RelayConnection | Refusal> {
    if (this.#accepted) return open()
    if (this.#trial !== undefined) {
      const got = await this.#trial
      return 'refusal' in got ? got : open()
    }
    this.#trial = open()
    try {
      return await this.#trial
    } finally {
      this.#trial = undefined
    }
  }

  /** Has the password at hand; false where it cannot be had, and no connection need be made. */
  async prepare(): Promise<boolean> {
    if (this.#password !== undefined) return true
    const read = await readPasswordFile(this.#login.passwordFile)
    if (read.status === 'ok') {
      this.#password = read.password
      return true
    }
    const pausedMs = this.#putOff.failed()
    this.#log.error({ ...this.#facts(), file: this.#login.passwordFile, detail: read.problem, pausedMs }, 'password of a next hop cannot be used: mail to it waits with its senders until the file is mended')
    return false
  }

  /** Reads the password anew, and tries it at once where that is asked for: somebody has mended something. */
  async reload(): Promise<void> {
    this.#refused.clear()
    this.#putOff.clear()
    this.#forget()
    this.#mechanism = undefined
    await this.prepare()
  }

  /** @param local the hop is on this machine, behind a unix socket */
  async perform(channel: ClientConnection, offered: Capabilities, { local, timeoutMs }: { readonly local: boolean; readonly timeoutMs: number }): Promise<LoggedIn> {
    const password = this.#password
    if (password === undefined) return { status: 'failed' }
    if (!channel.verified && !local && !isLoopback(channel.remoteAddress)) return this.#exposed()
    const outcome = await logIn(channel, offered, {
      login: { user: this.#login.user, password }, confidential: true, timeoutMs, preferred: this.#mechanism,
      // Without verification somebody else may be the other end of this TLS; SCRAM alone tells as much.
      channelBinding: channel.verified ? channel.channelBinding : undefined,
    })
    if (outcome.status !== 'in') return this.#failed(outcome)
    this.#mechanism = outcome.mechanism
    this.#accepted = true
    this.#refused.clear()
    this.#putOff.clear()
    return { status: 'in' }
  }

  #exposed(): LoggedIn {
    const advice = 'a hop elsewhere is logged in to only under TLS with a certificate that was verified: set tls to required or implicit, and tls_ca where the certificate is of an authority of its own'
    this.#log.error({ ...this.#facts(), advice, pausedMs: this.#refused.failed() }, 'others could read what goes to the next hop, so it is not logged in to; mail waits with its senders')
    this.#forget()
    return { status: 'failed' }
  }

  #failed(outcome: Exclude<LoginOutcome, { status: 'in' }>): LoggedIn {
    const facts = this.#facts()
    switch (outcome.status) {
      case 'refused':
        this.#mechanism = outcome.mechanism
        this.#log.error({ ...facts, mechanism: outcome.mechanism, reply: describeReply(outcome.reply), pausedMs: this.#refused.failed() }, 'next hop refuses our login: correct user and password_file, then reload; mail waits with its senders')
        break
      case 'no-mechanism':
        this.#log.error({ ...facts, offered: outcome.offered, advice: 'enable one there', pausedMs: this.#refused.failed() }, 'next hop offers no way to log in that may be used here; mail waits with its senders')
        break
      case 'put-off':
        this.#log.warn({ ...facts, mechanism: outcome.mechanism, reply: describeReply(outcome.reply), pausedMs: this.#putOff.failed() }, 'next hop puts our login off')
        break
      case 'faulty':
        this.#log.error({ ...facts, mechanism: outcome.mechanism, detail: outcome.detail, pausedMs: this.#refused.failed() }, 'next hop does not keep to the rules of the login')
        break
      case 'lost':
        this.#log.warn({ ...facts, cause: outcome.loss.cause, detail: outcome.loss.detail, pausedMs: this.#putOff.failed() }, 'connection to the next hop was lost at the login')
    }
    this.#forget()
    return { status: 'failed' }
  }

  /** What may change meanwhile is read again before the next try. */
  #forget(): void {
    this.#password = undefined
    this.#accepted = false
  }

  #facts(): Record<string, unknown> {
    return { ...this.#place, stage: 'AUTH', user: this.#login.user }
  }
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && LOOPBACK.check(address, address.includes(':') ? 'ipv6' : 'ipv4')
}
