/**
 * One listening socket whose clients are passed through to a relay, and their
 * connections. Opens, counts, stops, as `SmtpServer` does; what a connection is
 * told comes from the profile, which a reload may replace.
 *
 * Above the bound on sessions a client waits, without a banner, until one ends;
 * above `waiting` of them, clients are refused with 421.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { plain } from '../smtp/proxy-protocol.ts'
import { NOT_FOR_YOU, TOO_MANY_SESSIONS } from '../smtp/reply-catalogue.ts'
import { formatReply, type Reply } from '../smtp/reply.ts'
import { bind, type ListenAddress } from '../smtp/listen.ts'
import type { ServerContext } from '../smtp/server.ts'
import { TransparentConnection, type PeerFacts, type TransparentProfile } from './connection.ts'

export interface TransparentServerContext extends ServerContext {
  /** clients that may wait for a session; 0: they are refused */
  readonly waiting: number
}

/** A client that is refused has one line to read. */
const REFUSED_LINGER_MS = 2000
/** A client waits no longer than clients wait for a banner (RFC 5321 §4.5.3.2.1). */
const MAX_WAIT_MS = 300_000

interface Waiting {
  readonly socket: Socket
  readonly peer: PeerFacts
  readonly untilMs: number
  readonly forget: () => void
}

export class TransparentServer {
  profile: TransparentProfile
  private readonly context: TransparentServerContext
  private readonly server: Server
  private readonly connections = new Set<TransparentConnection>()
  private readonly waiting = new Set<Waiting>()
  private readonly refused = new Map<Socket, number>()
  private closed: Promise<void> | null = null
  private local = false

  constructor(profile: TransparentProfile, context: TransparentServerContext) {
    this.profile = profile
    this.context = context
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.accept(socket))
  }

  get sessions(): number {
    return this.connections.size
  }

  /** Resolves with the address that is bound; rejects where that cannot be. */
  listen(address: ListenAddress): Promise<ListenAddress> {
    this.local = address.kind === 'unix'
    return bind(this.server, address, (error) => this.context.log.error({ listener: this.profile.listener, cause: error.message }, 'listener failed'))
  }

  /** About once a second. */
  tick(): void {
    for (const connection of this.connections) connection.tick()
    const now = this.context.now()
    for (const one of this.waiting) if (now >= one.untilMs) this.refuseWaiting(one)
    for (const [socket, untilMs] of this.refused) if (now >= untilMs) socket.destroy()
  }

  /** Ends the sessions where no message is under way, and goes on accepting. */
  endSessions(): void {
    for (const connection of this.connections) connection.stop()
  }

  /** Stops accepting; sessions end where no message is under way. Resolves when the last is gone. */
  stop(): Promise<void> {
    this.closed ??= new Promise((resolve) => this.server.close(() => resolve()))
    for (const one of this.waiting) this.refuseWaiting(one)
    this.endSessions()
    return this.closed
  }

  /** Ends every session at once. */
  abort(): void {
    for (const connection of this.connections) connection.abort()
    for (const socket of this.refused.keys()) socket.destroy()
  }

  private accept(socket: Socket): void {
    // A TCP client that is gone already has no address; it must not pass for one on a unix socket.
    if (socket.remoteAddress === undefined && !this.local) return void socket.destroy()
    const peer = { address: socket.remoteAddress === undefined ? undefined : plain(socket.remoteAddress), port: socket.remotePort }
    if (!this.profile.mayUse(peer.address)) return this.refuse(socket, NOT_FOR_YOU, peer)
    const refusal = this.context.admission.enter()
    if (refusal === undefined) return this.begin(socket, peer)
    if (this.closed === null && this.waiting.size < this.context.waiting) this.wait(socket, peer)
    else this.refuse(socket, refusal, peer)
  }

  private begin(socket: Socket, peer: PeerFacts): void {
    const { admission, now, log } = this.context
    const refusal = admission.enterNetwork(peer.address)
    if (refusal !== undefined) {
      admission.leave()
      return this.refuse(socket, refusal, peer)
    }
    const connection: TransparentConnection = new TransparentConnection(socket, peer, {
      profile: this.profile, now, log,
      onClose: () => {
        this.connections.delete(connection)
        admission.leaveNetwork(peer.address)
        admission.leave()
        this.next()
      },
    })
    this.connections.add(connection)
  }

  /* --- those above the bound --- */

  private wait(socket: Socket, peer: PeerFacts): void {
    const one: Waiting = { socket, peer, untilMs: this.context.now() + MAX_WAIT_MS, forget: () => this.waiting.delete(one) }
    this.waiting.add(one)
    // Its bytes stay in the kernel; that it is gone shows when it gets its session.
    socket.pause()
    socket.on('error', this.onWaitingError)
    socket.on('close', one.forget)
  }

  private readonly onWaitingError = (): void => undefined

  /** It waits no more. */
  private take(one: Waiting): void {
    this.waiting.delete(one)
    one.socket.off('error', this.onWaitingError).off('close', one.forget)
  }

  private next(): void {
    for (const one of this.waiting) {
      if (this.context.admission.enter() !== undefined) return
      this.take(one)
      return this.begin(one.socket, one.peer)
    }
  }

  private refuseWaiting(one: Waiting): void {
    this.take(one)
    this.refuse(one.socket, TOO_MANY_SESSIONS, one.peer)
  }

  private refuse(socket: Socket, reply: Reply, peer: PeerFacts): void {
    const text = formatReply(reply)
    this.context.log.info({ listener: this.profile.listener, client: peer.address, reply: text.trim() }, 'connection refused')
    this.refused.set(socket, this.context.now() + REFUSED_LINGER_MS)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.refused.delete(socket))
    socket.end(text, 'latin1')
    socket.resume()
  }
}
