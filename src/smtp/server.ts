/**
 * One listening socket and its connections. Opens, counts, stops; what a
 * connection is told comes from the profile, which a reload may replace.
 */
import { createServer, type Server } from 'node:net'
import type { Log } from '../observe/log.ts'
import type { Admission } from './admission.ts'
import { Connection, type ConnectionProfile } from './connection.ts'
import { bind, type ListenAddress } from './listen.ts'

export interface ServerContext {
  readonly admission: Admission
  readonly now: () => number
  readonly log: Log
}


export class SmtpServer {
  profile: ConnectionProfile
  private readonly context: ServerContext
  private readonly server: Server
  private readonly connections = new Set<Connection>()
  private closed: Promise<void> | null = null
  /** it listens on a unix socket */
  private local = false

  constructor(profile: ConnectionProfile, context: ServerContext) {
    this.profile = profile
    this.context = context
    // allowHalfOpen: a client that has sent everything and closed its side still gets its replies.
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      // A TCP client that is gone already has no address; it must not pass for one on a unix socket.
      if (socket.remoteAddress === undefined && !this.local) return void socket.destroy()
      const { admission, now, log } = this.context
      const onClose = (connection: Connection) => this.connections.delete(connection)
      this.connections.add(new Connection(socket, { profile: this.profile, admission, now, log, onClose }))
    })
  }

  get sessions(): number {
    return this.connections.size
  }

  /** Resolves with the address that is bound; rejects where that cannot be. */
  listen(address: ListenAddress): Promise<ListenAddress> {
    this.local = address.kind === 'unix'
    return bind(this.server, address, (error) => this.context.log.error({ listener: this.profile.listener, cause: error.message }, 'listener failed'))
  }

  tick(): void {
    for (const connection of this.connections) connection.tick()
  }

  /** Ends the sessions where no message is under way, and goes on accepting. */
  endSessions(): void {
    for (const connection of this.connections) connection.stop()
  }

  /** Stops accepting; sessions end where no message is under way. Resolves when the last is gone. */
  stop(): Promise<void> {
    this.closed ??= new Promise((resolve) => this.server.close(() => resolve()))
    this.endSessions()
    return this.closed
  }

  /** Ends every session at once. */
  abort(): void {
    for (const connection of this.connections) connection.abort()
  }
}
