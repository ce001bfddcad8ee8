/**
 * The two sockets of one transparent session: opens the relay's as soon as the
 * client's is there, and carries bytes between them and the session. All
 * protocol is in `TransparentSession`.
 */
import { createConnection, type Socket } from 'node:net'
import type { Log } from '../observe/log.ts'
import type { ListenAddress } from '../smtp/listen.ts'
import type { MakePassingMessage } from './passing-message.ts'
import type { MessageEnd, TransparentOptions, TransparentPorts } from './session-ports.ts'
import { TransparentSession } from './session.ts'

export interface PeerFacts {
  /** undefined on a unix socket */
  readonly address: string | undefined
  readonly port: number | undefined
}

/** What a listener's connections have in common; a reload gives new connections a new one. */
export interface TransparentProfile {
  readonly listener: string
  readonly relay: ListenAddress
  readonly newlines: TransparentOptions['newlines']
  readonly maxMessageBytes: number
  readonly maxLineBytes: number
  readonly timeouts: TransparentOptions['timeouts'] & { readonly connectMs: number }
  /** may this client use the listener? */
  readonly mayUse: (address: string | undefined) => boolean
  readonly makeMessage: (peer: PeerFacts) => MakePassingMessage
  readonly onMessage?: (end: MessageEnd, peer: PeerFacts) => void
  /** is told each line of the client's, and each of the replies; of messages nothing, of AUTH nothing but its name */
  readonly trace?: (side: 'client' | 'relay', text: string) => void
}

export interface TransparentConnectionContext {
  readonly profile: TransparentProfile
  readonly now: () => number
  readonly log: Log
  readonly onClose: () => void
}

/** What is left unsent after the last reply gets this long. */
const LINGER_MS = 10_000

export class TransparentConnection implements TransparentPorts {
  readonly peer: PeerFacts
  private readonly client: Socket
  private readonly relay: Socket
  private readonly context: TransparentConnectionContext
  private readonly session: TransparentSession
  private connected = false
  /** of the relay's connect, or of the last bytes; 0: the session keeps its own */
  private deadlineMs: number

  constructor(client: Socket, peer: PeerFacts, context: TransparentConnectionContext) {
    const { profile, now, log } = context
    this.client = client
    this.peer = peer
    this.context = context
    this.deadlineMs = now() + profile.timeouts.connectMs
    const to = profile.relay
    this.relay = createConnection(to.kind === 'unix' ? { path: to.path } : { host: to.host, port: to.port, noDelay: true })
    client.setNoDelay(true)
    this.session = new TransparentSession(this, {
      newlines: profile.newlines, maxMessageBytes: profile.maxMessageBytes, maxLineBytes: profile.maxLineBytes, timeouts: profile.timeouts,
      makeMessage: profile.makeMessage(peer),
      now,
      ...(profile.trace === undefined ? {} : { trace: profile.trace }),
      onEnd: (end) => profile.onMessage?.(end, peer),
      onError: (error) => log.error({ listener: profile.listener, client: peer.address, cause: error instanceof Error ? error.message : String(error) }, 'session failed'),
    })
    this.listenToClient()
    this.listenToRelay()
  }

  tick(): void {
    if (this.deadlineMs === 0) this.session.tick()
    else if (this.context.now() < this.deadlineMs) return
    else if (this.session.isClosed()) this.client.destroy()
    else this.relay.destroy(new Error('no connection in time'))
  }

  stop(): void {
    this.session.stop()
  }

  abort(): void {
    this.session.abort()
    this.client.destroySoon()
  }

  /* --- the sockets --- */

  private listenToClient(): void {
    const { client, session } = this
    client.on('data', (piece) => session.fromClient(piece))
    client.on('drain', () => session.clientDrained())
    client.on('end', () => session.clientEnded())
    client.on('error', (error) => this.failed('client', error))
    client.on('close', () => {
      session.clientLost()
      this.relay.destroy()
      this.context.onClose()
    })
  }

  private listenToRelay(): void {
    const { relay, session } = this
    relay.on('connect', () => {
      this.connected = true
      if (!session.isClosed()) this.deadlineMs = 0
    })
    relay.on('data', (piece) => session.fromRelay(piece))
    relay.on('drain', () => session.relayDrained())
    relay.on('error', (error) => this.failed('relay', error))
    relay.on('close', () => session.relayLost(!this.connected))
  }

  private failed(side: 'client' | 'relay', error: Error): void {
    const { log, profile } = this.context
    const facts = { listener: profile.listener, client: this.peer.address, cause: error.message }
    // 'close' follows and tells the session.
    if (side === 'relay' && !this.connected) log.error({ ...facts, relay: describe(profile.relay) }, 'next hop is down')
    else log.debug(facts, `${side} connection failed`)
  }

  /* --- TransparentPorts --- */

  toClient(text: string): boolean {
    return writeGathered(this.client, Buffer.from(text, 'latin1'))
  }

  toRelay(bytes: Buffer | string): boolean {
    return writeGathered(this.relay, typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  readClient(wanted: boolean): void {
    flow(this.client, wanted)
  }

  readRelay(wanted: boolean): void {
    flow(this.relay, wanted)
  }

  endClient(): void {
    this.deadlineMs = this.context.now() + LINGER_MS
    this.client.end()
    // Unread data would turn the close into a reset, and the last reply might not arrive.
    this.client.resume()
  }

  endRelay(): void {
    this.relay.end()
    this.relay.resume()
  }

  dropRelay(): void {
    this.relay.destroy()
  }
}

/** What is written in one turn leaves in one packet. */
function writeGathered(socket: Socket, bytes: Buffer): boolean {
  if (!socket.writable) return true
  if (socket.writableCorked === 0) {
    socket.cork()
    process.nextTick(() => socket.uncork())
  }
  return socket.write(bytes)
}

function flow(socket: Socket, wanted: boolean): void {
  if (wanted === !socket.isPaused()) return
  if (wanted) socket.resume()
  else socket.pause()
}

function describe(address: ListenAddress): string {
  return address.kind === 'unix' ? address.path : `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}
