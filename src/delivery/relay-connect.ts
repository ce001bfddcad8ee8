/**
 * Opens connections to one host of a next hop up to the point where MAIL may be
 * sent: TCP or unix socket, TLS as configured (RFC 3207, RFC 8314 §3), greeting,
 * EHLO, and AUTH where there is a login. Of a name's addresses the next is tried
 * where one does not lead that far (RFC 5321 §5.1).
 *
 * `open` never rejects. What goes wrong is logged here, with hop and cause,
 * and becomes a 4xx for the client: a hop that cannot be reached is never a
 * reason for a 5xx.
 */
import { readFile } from 'node:fs/promises'
import { isIP, type Socket } from 'node:net'
import { createSecureContext, getCACertificates, type ConnectionOptions, type SecureContext } from 'node:tls'
import type { HopLogin, HopTlsSettings, RelaySettings, SocketAddress } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import type { Capabilities } from '../smtp/capabilities.ts'
import { greet, type Hello } from '../smtp/client.ts'
import { ClientConnection, Loss } from '../smtp/client-connection.ts'
import { describeReply, type Reply } from '../smtp/reply.ts'
import * as replies from '../smtp/reply-catalogue-hop.ts'
import { HopTrouble } from './hop-trouble.ts'
import { lostReply } from './relay-answers.ts'
import type { Clock } from './relay-clock.ts'
import { RelayLogin } from './relay-login.ts'
import { NO_OTHER_ADDRESS } from './relay-socket.ts'

/** A connection that is ready for MAIL. */
export interface RelayConnection {
  readonly channel: ClientConnection
  /** for the log */
  readonly peer: string
  /** we have logged in */
  readonly authenticated: boolean
  capabilities: Capabilities
  readonly bornAt: number
  /** when it was last given back; undefined where it never was */
  idleSince: number | undefined
  /** since when its transaction has nothing to say; undefined: a command is under way, or it is in no transaction */
  restingSince: number | undefined
  /** makes the resting transaction release it; the transaction takes another when it goes on */
  giveUp: (() => void) | undefined
  /** refusals since the last message that the hop took: hops count them, and slow down or close */
  refusals: number
  /** The hop was told by XCLIENT who the client is: it must not serve another. */
  personal: boolean
}

export interface Refusal {
  readonly refusal: Reply
  /** what another host may do better: this one cannot be used, or does not let us log in. Absent: it is our own want of room */
  readonly fault?: 'host' | 'login'
}

/** A host, and who we are to it. */
export interface HostSettings {
  readonly address: SocketAddress
  readonly login: HopLogin | undefined
  /** there is another, so this one has no minutes to show that it can be used */
  readonly replaceable: boolean
}

export interface ConnectContext {
  readonly hostname: string
  readonly log: Log
  readonly clock: Clock
  /** @param avoid addresses of the host that have been tried */
  readonly connect: (address: SocketAddress, avoid: ReadonlySet<string>) => Socket
}

type Tls = 'none' | 'starttls' | 'starttls-if-offered' | 'implicit'

interface Attempt {
  readonly tls: Tls
  readonly avoid: ReadonlySet<string>
  readonly watch: (channel: ClientConnection) => void
}

const REPLACEABLE_MS = 30_000
/** Of a name with many addresses no more are tried for one connection. */
const MAX_ADDRESSES = 8

export class Connector {
  #settings: RelaySettings
  #address: SocketAddress
  #context: ConnectContext
  /** for each reply, and the TLS handshake, before MAIL */
  #patienceMs: number
  #login: RelayLogin | undefined
  #secureContext: SecureContext | undefined
  /** So that a hop whose TLS is broken is not in the log with each connection. */
  #warnedOfTls = false
  readonly #trouble: HopTrouble

  constructor(settings: RelaySettings, { address, login, replaceable }: HostSettings, context: ConnectContext) {
    this.#settings = settings
    this.#address = address
    this.#context = context
    this.#patienceMs = replaceable ? Math.min(settings.timeouts.greetingMs, REPLACEABLE_MS) : settings.timeouts.greetingMs
    const place = { hop: settings.name, peer: describeAddress(address) }
    const telling = { log: context.log, now: () => context.clock.now() }
    this.#login = login && new RelayLogin(login, place, telling)
    this.#trouble = new HopTrouble(place, telling)
  }

  /** Reads the password and the authorities anew. */
  async reload(): Promise<void> {
    this.#secureContext = undefined
    await this.#login?.reload()
  }

  /** @param watch is given each connection at once, to bound its waits */
  open(watch: (channel: ClientConnection) => void): Promise<RelayConnection | Refusal> {
    return this.#login ? this.#login.guarded(() => this.#open(watch)) : this.#open(watch)
  }

  async #open(watch: (channel: ClientConnection) => void): Promise<RelayConnection | Refusal> {
    const { mode, ca } = this.#settings.tls
    if (this.#login && (this.#login.pausing || !(await this.#login.prepare()))) return { refusal: replies.HOP_LOGIN_FAILED, fault: 'login' }
    try {
      // Before the connection, so that nothing waits between the reply to STARTTLS and the handshake.
      if (mode !== 'off') this.#secureContext ??= await makeSecureContext(mode === 'opportunistic' ? undefined : ca)
    } catch (error) {
      return this.#refuse(replies.HOP_TLS_FAILED, 'TLS', `cannot use ${ca ?? 'the system authorities'}: ${String(error)}`)
    }
    return this.#search(mode === 'off' ? 'none' : mode === 'required' ? 'starttls' : mode === 'implicit' ? 'implicit' : 'starttls-if-offered', watch)
  }

  /** One address of the host after the other, until one leads to a connection that can be used. */
  async #search(tls: Tls, watch: (channel: ClientConnection) => void): Promise<RelayConnection | Refusal> {
    const avoid = new Set<string>()
    let last: Refusal | undefined
    for (;;) {
      let channel: ClientConnection | undefined
      const got = await this.#attempt({
        tls, avoid,
        watch: (made) => {
          watch(made)
          channel = made
        },
      })
      if (!('refusal' in got)) return got
      if (got.fault === undefined) return last ?? got
      last = got
      const another = this.#address.kind === 'tcp' && isIP(this.#address.host) === 0 && got.fault === 'host'
      const tried = channel?.remoteAddress
      if (!another || tried === undefined || avoid.has(tried) || avoid.size + 1 >= MAX_ADDRESSES) return got
      avoid.add(tried)
    }
  }

  async #attempt({ tls, avoid, watch }: Attempt): Promise<RelayConnection | Refusal> {
    const [settings, context] = [this.#settings, this.#context]
    let socket: Socket
    try {
      socket = context.connect(this.#address, avoid)
    } catch (error) {
      // Node throws at once for what is no address at all, such as a path that is too long.
      return this.#refuse(replies.HOP_UNREACHABLE, 'connect', String(error))
    }
    const channel = new ClientConnection(socket, () => context.clock.now())
    watch(channel)
    // Awaited from the beginning: a hop may be faster than our next turn.
    const greeting = channel.expect(this.#patienceMs)
    const unreachable = await channel.connected(settings.timeouts.connectMs)
    if (unreachable?.detail === NO_OTHER_ADDRESS) return { refusal: replies.HOP_UNREACHABLE }
    if (unreachable) return this.#refuse(replies.HOP_UNREACHABLE, 'connect', unreachable)
    if (tls === 'implicit') {
      const failed = await this.#secure(channel)
      if (failed) return this.#refuse(replies.HOP_TLS_FAILED, 'TLS', failed)
    }
    const hello = await greet(channel, greeting, {
      protocol: settings.kind,
      hostname: context.hostname,
      timeoutMs: this.#patienceMs,
      starttls: tls === 'starttls' ? 'always' : tls === 'starttls-if-offered' ? 'if-offered' : 'never',
      secure: () => this.#secure(channel),
    })
    // Lost here: something unasked stood behind the reply to EHLO.
    const { loss } = channel
    if (hello.status === 'ready') return loss ? this.#refuse(lostReply(loss), 'EHLO', loss) : this.#identify(channel, hello.capabilities)
    channel.drop(`not usable: ${hello.status}`)
    if (hello.status === 'tls-failed' && tls === 'starttls-if-offered') {
      this.#warnOfTls(hello.detail)
      return this.#attempt({ tls: 'none', avoid, watch })
    }
    return this.#failed(hello)
  }

  async #identify(channel: ClientConnection, offered: Capabilities): Promise<RelayConnection | Refusal> {
    if (!this.#login) return this.#ready(channel, offered)
    const outcome = await this.#login.perform(channel, offered, { local: this.#address.kind === 'unix', timeoutMs: this.#patienceMs })
    // Lost here: something unasked stood behind the last reply.
    if (outcome.status === 'in') return channel.loss ? this.#refuse(lostReply(channel.loss), 'AUTH', channel.loss) : this.#ready(channel, offered)
    channel.drop('not logged in')
    return { refusal: replies.HOP_LOGIN_FAILED, fault: 'login' }
  }

  #ready(channel: ClientConnection, offered: Capabilities): RelayConnection {
    if (channel.encrypted) this.#warnedOfTls = false
    this.#trouble.over()
    return { channel, peer: describeAddress(this.#address), authenticated: this.#login !== undefined, capabilities: usable(offered, channel.verified), bornAt: this.#context.clock.now(), idleSince: undefined, restingSince: undefined, giveUp: undefined, refusals: 0, personal: false }
  }

  #secure(channel: ClientConnection): Promise<Loss | undefined> {
    const { tls } = this.#settings
    return channel.secure({ ...tlsOptions(this.#address, tls), ...(this.#secureContext ? { secureContext: this.#secureContext } : {}) }, this.#patienceMs)
  }

  #failed(hello: Exclude<Hello, { status: 'ready' }>): Refusal {
    switch (hello.status) {
      case 'refused': return this.#refuse(replies.HOP_REFUSES, hello.stage, describeReply(hello.reply))
      case 'nonsense': return this.#refuse(replies.HOP_NONSENSE, hello.stage, describeReply(hello.reply))
      case 'lost': return this.#refuse(hello.stage === 'STARTTLS' ? replies.HOP_TLS_FAILED : lostReply(hello.loss), hello.stage, hello.loss)
      case 'tls-not-offered': return this.#refuse(replies.HOP_WITHOUT_TLS, 'EHLO', 'STARTTLS is required and not offered')
      case 'tls-failed': return this.#refuse(replies.HOP_TLS_FAILED, 'STARTTLS', hello.detail)
    }
  }

  #refuse(refusal: Reply, stage: string, why: Loss | string): Refusal {
    const cause = why instanceof Loss ? { cause: why.cause, detail: why.detail } : { detail: why }
    this.#trouble.met({ stage, ...cause })
    return { refusal, fault: 'host' }
  }

  #warnOfTls(detail: string): void {
    if (this.#warnedOfTls) return
    this.#warnedOfTls = true
    this.#context.log.warn({ hop: this.#settings.name, peer: describeAddress(this.#address), detail }, 'TLS with the next hop failed, going on in clear')
  }
}

/** What may be used of what was offered: REQUIRETLS only where we can tell who offers it (RFC 8689 §4.2.1). */
export function usable(offered: Capabilities, verified: boolean): Capabilities {
  if (verified || !offered.has('REQUIRETLS')) return offered
  const without = new Map(offered)
  without.delete('REQUIRETLS')
  return without
}

export function describeAddress(address: SocketAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** @param ca PEM file; undefined: the system's authorities, or Node's own where the system has none (a bare container) */
async function makeSecureContext(ca: string | undefined): Promise<SecureContext> {
  if (ca !== undefined) return createSecureContext({ minVersion: 'TLSv1.2', ca: await readFile(ca) })
  const system = getCACertificates('system')
  return createSecureContext({ minVersion: 'TLSv1.2', ...(system.length === 0 ? {} : { ca: system }) })
}

function tlsOptions(address: SocketAddress, tls: HopTlsSettings): ConnectionOptions {
  const name = tls.name ?? (address.kind === 'tcp' ? address.host : 'localhost')
  return {
    // `host` is what the certificate is checked against where there is no SNI: RFC 6066 §3 allows no address literal there.
    host: name,
    ...(isIP(name) ? {} : { servername: name }),
    rejectUnauthorized: tls.mode !== 'opportunistic' && tls.verify,
  }
}
