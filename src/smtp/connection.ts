/**
 * The socket driver of one client: reads a PROXY header where the peer is
 * trusted to send one, does the TLS handshakes, feeds the session and writes
 * what it says. All protocol is in `Session`; here are only sockets.
 */
import { TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'
import type { Log } from '../observe/log.ts'
import type { Admission } from './admission.ts'
import { formatReply, type Reply } from './reply.ts'
import { plain, readProxyHeader } from './proxy-protocol.ts'
import * as replies from './reply-catalogue.ts'
import { Session } from './session.ts'
import type { SessionOptions } from './conversation.ts'
import type { SessionFacts, SessionHandler, TlsFacts } from './session-handler.ts'
import type { TlsContexts } from './tls-contexts.ts'
import { tlsFactsOf } from './tls-facts.ts'
import type { Transport } from './transport.ts'

/** What a listener's connections have in common; a reload gives new connections a new one. */
export interface ConnectionProfile {
  readonly listener: string
  readonly options: Omit<SessionOptions, 'peer' | 'trust' | 'tls'>
  readonly tls: { readonly mode: 'starttls' | 'implicit' | 'required'; readonly contexts: TlsContexts } | undefined
  readonly trust: {
    readonly proxy: (address: string | undefined) => boolean
    readonly xclient: (address: string | undefined) => boolean
    readonly xforward: (address: string | undefined) => boolean
  }
  readonly makeHandler: (facts: SessionFacts) => SessionHandler
}

export interface ConnectionContext {
  readonly profile: ConnectionProfile
  readonly admission: Admission
  readonly now: () => number
  readonly log: Log
  readonly onClose: (connection: Connection) => void
}

interface Peer {
  readonly address: string | undefined
  readonly port: number | undefined
  readonly localAddress: string | undefined
}

/** What is left unsent after the last reply gets this long. */
const LINGER_MS = 10_000
/** A client that is refused at once has one line to read. */
const REFUSED_LINGER_MS = 2000

export class Connection implements Transport {
  private socket: Socket
  private readonly context: ConnectionContext
  private peer: Peer
  private session: Session | null = null
  private header: Buffer | null = null
  /** what `admission` counts this connection as */
  private counted: 'nothing' | 'session' | 'turned-away' = 'nothing'
  private countedNetwork = false
  /** of the PROXY header, a TLS handshake, or the last bytes; 0: the session keeps its own */
  private deadlineMs: number

  constructor(socket: Socket, context: ConnectionContext) {
    this.socket = socket
    this.context = context
    this.deadlineMs = context.now() + context.profile.options.timeouts.handshakeMs
    this.peer = { address: known(socket.remoteAddress), port: socket.remotePort, localAddress: known(socket.localAddress) }
    this.listen(socket)
    const refusal = context.admission.enter()
    if (refusal === undefined) this.counted = 'session'
    if (refusal !== undefined) this.refuse(refusal)
    else if (context.profile.trust.proxy(this.peer.address)) this.header = Buffer.alloc(0)
    else this.begin(null)
  }

  tick(): void {
    if (this.session !== null && this.deadlineMs === 0) this.session.tick()
    else if (this.context.now() >= this.deadlineMs) this.socket.destroy()
  }

  /** Ends the session at the next place where no message is under way. */
  stop(): void {
    if (this.session === null) this.socket.destroy()
    else this.session.stop()
  }

  /** At once, whatever is under way. */
  abort(): void {
    if (this.session === null) this.socket.destroy()
    else this.session.close(replies.CLOSING_DOWN)
    this.socket.destroySoon()
  }

  /* --- the start --- */

  private begin(early: Buffer | null): void {
    const refusal = this.context.admission.enterNetwork(this.peer.address)
    if (refusal !== undefined) return this.refuse(refusal)
    this.countedNetwork = true
    if (this.context.profile.tls?.mode === 'implicit') this.handshake(early)
    else this.startSession(null, early)
  }

  private startSession(tls: TlsFacts | null, early: Buffer | null): void {
    const { profile, now, log } = this.context
    const address = this.peer.address
    const options: SessionOptions = {
      ...profile.options,
      peer: this.peer,
      tls: profile.tls === undefined ? 'none' : profile.tls.mode === 'required' ? 'required' : 'offered',
      trust: { xclient: profile.trust.xclient(address), xforward: profile.trust.xforward(address) },
    }
    const onError = (error: unknown) => {
      log.error({ listener: profile.listener, client: address, cause: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'session failed')
    }
    this.deadlineMs = 0
    this.session = new Session({ transport: this, options, now, onError }, profile.makeHandler)
    if (tls !== null) this.session.secured(tls)
    this.session.start()
    if (early !== null && early.length > 0) this.session.receive(early)
  }

  private readHeader(piece: Buffer): void {
    const bytes = this.header === null || this.header.length === 0 ? piece : Buffer.concat([this.header, piece])
    const result = readProxyHeader(bytes)
    switch (result.status) {
      case 'incomplete':
        this.header = bytes
        return
      case 'malformed':
        this.context.log.warn({ listener: this.context.profile.listener, peer: this.peer.address, cause: result.why }, 'no usable PROXY header from a trusted peer, closing')
        this.socket.destroy()
        return
      case 'ok':
        this.header = null
        if (result.client !== undefined) this.peer = { address: plain(result.client.address), port: result.client.port, localAddress: undefined }
        this.begin(bytes.subarray(result.length))
    }
  }

  private refuse(reply: Reply): void {
    // Where TLS comes first nothing can be said.
    if (this.context.profile.tls?.mode !== 'implicit') this.socket.write(formatReply(reply), 'latin1')
    this.context.log.info({ listener: this.context.profile.listener, client: this.peer.address, reply: formatReply(reply).trim() }, 'connection refused')
    this.uncount()
    if (!this.context.admission.turnAway()) return void this.socket.destroy()
    this.counted = 'turned-away'
    this.end()
    this.deadlineMs = this.context.now() + REFUSED_LINGER_MS
  }

  private uncount(): void {
    const { admission } = this.context
    if (this.countedNetwork) admission.leaveNetwork(this.peer.address)
    this.countedNetwork = false
    if (this.counted === 'session') admission.leave()
    else if (this.counted === 'turned-away') admission.turnedAwayLeft()
    this.counted = 'nothing'
  }

  /* --- the socket --- */

  private listen(socket: Socket): void {
    socket.setNoDelay(true)
    socket.on('data', this.onData)
    socket.on('drain', this.onDrain)
    socket.on('end', this.onEnd)
    socket.on('error', this.onSocketError)
    socket.on('close', this.onClose)
  }

  private readonly onData = (piece: Buffer): void => {
    if (this.session !== null) this.session.receive(piece)
    else if (this.header !== null) this.readHeader(piece)
  }

  private readonly onDrain = (): void => {
    this.session?.drained()
  }

  private readonly onEnd = (): void => {
    if (this.session === null) this.socket.destroy()
    else this.session.inputEnded()
  }

  private readonly onSocketError = (error: Error): void => {
    // 'close' follows and ends the session; the cause is of use only to who looks for it.
    this.context.log.debug({ listener: this.context.profile.listener, client: this.peer.address, cause: error.message }, 'client connection failed')
    this.socket.destroy()
  }

  private readonly onClose = (): void => {
    this.session?.lost()
    this.uncount()
    this.context.onClose(this)
  }

  /** @param early the beginning of the client's hello, where it came in one packet with the PROXY header */
  private handshake(early: Buffer | null): void {
    const tls = this.context.profile.tls
    if (tls === undefined) throw new Error('a TLS handshake needs certificates')
    const clear = this.socket
    this.deadlineMs = this.context.now() + this.context.profile.options.timeouts.handshakeMs
    clear.off('data', this.onData).off('drain', this.onDrain).off('end', this.onEnd).off('close', this.onClose)
    if (early !== null && early.length > 0) {
      // A stream that flows would give it to nobody.
      clear.pause()
      clear.unshift(early)
    }
    const secure = new TLSSocket(clear, {
      isServer: true,
      // What a certificate is worth, and whether there has to be one, is the handler's matter.
      requestCert: tls.contexts.clientCertificates !== undefined,
      rejectUnauthorized: false,
      secureContext: tls.contexts.default,
      SNICallback: (servername, done) => done(null, tls.contexts.select(servername)),
    })
    this.socket = secure
    this.listen(secure)
    // Until the handshake is over, errors are told by this event only.
    secure.on('_tlsError', this.onSocketError)
    secure.once('secure', () => this.secured(secure))
  }

  private secured(secure: TLSSocket): void {
    const tls = tlsFactsOf(secure, { authorities: this.context.profile.tls?.contexts.clientCertificates?.ca !== undefined })
    if (this.session === null) this.startSession(tls, null)
    else {
      this.deadlineMs = 0
      this.session.secured(tls)
    }
  }

  /* --- Transport --- */

  write(text: string): boolean {
    return this.socket.writable ? this.socket.write(text, 'latin1') : true
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  startTls(): void {
    this.handshake(null)
  }

  end(): void {
    this.deadlineMs = this.context.now() + LINGER_MS
    this.socket.end()
    // Input is of no use any more, but reading it lets the last reply arrive: unread data would turn the close into a reset.
    this.socket.resume()
  }
}

/** A unix socket has none. */
function known(address: string | undefined): string | undefined {
  return address === undefined ? undefined : plain(address)
}
