/**
 * Opens connections to a next hop up to the point where MAIL may be sent: TCP
 * or unix socket, TLS as configured (RFC 3207, RFC 8314 §3), greeting and EHLO.
 *
 * `open` never rejects. What goes wrong is logged here, with hop and cause,
 * and becomes a 4xx for the client: a hop that cannot be reached is never a
 * reason for a 5xx.
 */
import { readFile } from 'node:fs/promises'
import { connect, isIP, type Socket } from 'node:net'
import { createSecureContext, getCACertificates, type ConnectionOptions, type SecureContext } from 'node:tls'
import type { HopTlsSettings, RelaySettings, SocketAddress } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import type { Capabilities } from '../smtp/capabilities.ts'
import { greet, type Hello } from '../smtp/client.ts'
import { ClientConnection, Loss } from '../smtp/client-connection.ts'
import { describeReply, type Reply } from '../smtp/reply.ts'
import * as replies from '../smtp/reply-catalogue-hop.ts'
import { lostReply } from './relay-answers.ts'
import type { Clock } from './relay-clock.ts'

/** A connection that is ready for MAIL. */
export interface RelayConnection {
  readonly channel: ClientConnection
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
}

export interface ConnectContext {
  readonly hostname: string
  readonly log: Log
  readonly clock: Clock
  readonly connect: (address: SocketAddress) => Socket
}

type Tls = 'none' | 'starttls' | 'starttls-if-offered' | 'implicit'

export class Connector {
  #settings: RelaySettings
  #context: ConnectContext
  #secureContext: SecureContext | undefined
  /** So that a hop whose TLS is broken is not in the log with each connection. */
  #warnedOfTls = false

  constructor(settings: RelaySettings, context: ConnectContext) {
    this.#settings = settings
    this.#context = context
  }

  /** @param watch is given each connection at once, to bound its waits */
  async open(watch: (channel: ClientConnection) => void): Promise<RelayConnection | Refusal> {
    const { mode, ca } = this.#settings.tls
    try {
      // Before the connection, so that nothing waits between the reply to STARTTLS and the handshake.
      if (mode !== 'off') this.#secureContext ??= await makeSecureContext(mode === 'opportunistic' ? undefined : ca)
    } catch (error) {
      return this.#refuse(replies.HOP_TLS_FAILED, 'TLS', `cannot use ${ca ?? 'the system authorities'}: ${String(error)}`)
    }
    if (mode !== 'opportunistic') return this.#attempt(mode === 'off' ? 'none' : mode === 'required' ? 'starttls' : 'implicit', watch)
    return this.#attempt('starttls-if-offered', watch)
  }

  async #attempt(tls: Tls, watch: (channel: ClientConnection) => void): Promise<RelayConnection | Refusal> {
    const [settings, context] = [this.#settings, this.#context]
    let socket: Socket
    try {
      socket = context.connect(settings.address)
    } catch (error) {
      // Node throws at once for what is no address at all, such as a path that is too long.
      return this.#refuse(replies.HOP_UNREACHABLE, 'connect', String(error))
    }
    const channel = new ClientConnection(socket, () => context.clock.now())
    watch(channel)
    // Awaited from the beginning: a hop may be faster than our next turn.
    const greeting = channel.expect(settings.timeouts.greetingMs)
    const unreachable = await channel.connected(settings.timeouts.connectMs)
    if (unreachable) return this.#refuse(replies.HOP_UNREACHABLE, 'connect', unreachable)
    if (tls === 'implicit') {
      const failed = await this.#secure(channel)
      if (failed) return this.#refuse(replies.HOP_TLS_FAILED, 'TLS', failed)
    }
    const hello = await greet(channel, greeting, {
      protocol: settings.kind,
      hostname: context.hostname,
      timeoutMs: settings.timeouts.greetingMs,
      starttls: tls === 'starttls' ? 'always' : tls === 'starttls-if-offered' ? 'if-offered' : 'never',
      secure: () => this.#secure(channel),
    })
    // Lost here: something unasked stood behind the reply to EHLO.
    const { loss } = channel
    if (hello.status === 'ready') return loss ? this.#refuse(lostReply(loss), 'EHLO', loss) : this.#ready(channel, hello.capabilities)
    channel.drop(`not usable: ${hello.status}`)
    if (hello.status === 'tls-failed' && tls === 'starttls-if-offered') {
      this.#warnOfTls(hello.detail)
      return this.#attempt('none', watch)
    }
    return this.#failed(hello)
  }

  #ready(channel: ClientConnection, offered: Capabilities): RelayConnection {
    if (channel.encrypted) this.#warnedOfTls = false
    return { channel, capabilities: usable(offered, channel.verified), bornAt: this.#context.clock.now(), idleSince: undefined, restingSince: undefined, giveUp: undefined, refusals: 0, personal: false }
  }

  #secure(channel: ClientConnection): Promise<Loss | undefined> {
    const { address, tls, timeouts } = this.#settings
    return channel.secure({ ...tlsOptions(address, tls), ...(this.#secureContext ? { secureContext: this.#secureContext } : {}) }, timeouts.greetingMs)
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
    this.#context.log.warn({ hop: this.#settings.name, peer: describeAddress(this.#settings.address), stage, ...cause }, 'next hop cannot be used')
    return { refusal }
  }

  #warnOfTls(detail: string): void {
    if (this.#warnedOfTls) return
    this.#warnedOfTls = true
    this.#context.log.warn({ hop: this.#settings.name, peer: describeAddress(this.#settings.address), detail }, 'TLS with the next hop failed, going on in clear')
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

/** Of several addresses of a host the next is tried after this; Node's own 250 ms is short for a far host. */
const ADDRESS_ATTEMPT_MS = 2000

export function connectTo(address: SocketAddress): Socket {
  if (address.kind === 'unix') return connect({ path: address.path })
  return connect({ host: address.host, port: address.port, autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS })
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
