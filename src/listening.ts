/**
 * One listener of the gateway at one address: its socket, and what its sessions
 * read. A reload gives it new settings while it stays open; only whether it is
 * transparent cannot change under its clients.
 */
import { networkMatcher } from './config/networks.ts'
import type { HopSettings, LimitSettings, ListenerSettings, RelaySettings, SocketAddress, TimeoutSettings } from './config/settings.ts'
import type { Log } from './observe/log.ts'
import { transparentProfile, type TransparentSettings } from './outbound/transparent-profile.ts'
import type { FrontDoorContext, FrontDoorSettings } from './front-door.ts'
import { FrontDoor } from './pipeline.ts'
import type { Admission } from './smtp/admission.ts'
import type { ConnectionProfile } from './smtp/connection.ts'
import { SmtpServer } from './smtp/server.ts'
import type { TlsContexts } from './smtp/tls-contexts.ts'
import type { TransparentProfile } from './transparent/connection.ts'
import { TransparentServer } from './transparent/server.ts'

/** A listener's slices, ready to be put in place. */
export interface Prepared {
  readonly listener: ListenerSettings
  readonly address: SocketAddress
  readonly door: FrontDoorSettings
  readonly tls: TlsContexts | undefined
  /** undefined: sessions are our own */
  readonly transparent: Pick<TransparentSettings, 'signing' | 'onError'> | undefined
}

/** Of the whole gateway. */
export interface ListeningSettings {
  readonly hostname: string
  readonly newlines: 'normalise' | 'refuse'
  readonly limits: LimitSettings
  readonly timeouts: TimeoutSettings
  readonly hops: ReadonlyMap<string, HopSettings>
}

export interface ListeningContext {
  readonly admission: Admission
  readonly log: Log
  readonly door: FrontDoorContext
}

/** What the gateway does with servers of both kinds. */
export interface OpenServer {
  readonly sessions: number
  tick(): void
  endSessions(): void
  stop(): Promise<void>
  abort(): void
}

export abstract class Listening {
  abstract readonly server: OpenServer
  listener: string
  readonly address: SocketAddress

  protected constructor(listener: string, address: SocketAddress) {
    this.listener = listener
    this.address = address
  }

  /** From now on; throws where the listener has become another kind. */
  abstract adopt(prepared: Prepared, settings: ListeningSettings): void
  /** Whether `adopt` will do. */
  abstract fits(prepared: Prepared): boolean
}

/** Rejects where the address cannot be bound. */
export async function openListening(prepared: Prepared, settings: ListeningSettings, context: ListeningContext): Promise<Listening> {
  const { admission, log, door: { now } } = context
  if (prepared.transparent !== undefined) {
    const server = new TransparentServer(passage(prepared, settings, context), { admission, waiting: 0, now, log })
    return new TransparentListening(prepared, { server, address: await server.listen(prepared.address), context })
  }
  const door = { settings: prepared.door }
  const server = new SmtpServer(profile(prepared, settings, { door, context }), { admission, now, log })
  return new SmtpListening(prepared, { server, address: await server.listen(prepared.address), context, door })
}

interface Opened<S> {
  readonly server: S
  readonly address: SocketAddress
  readonly context: ListeningContext
}

interface Door {
  /** what its sessions read at each transaction */
  settings: FrontDoorSettings
}

class SmtpListening extends Listening {
  readonly server: SmtpServer
  private readonly context: ListeningContext
  private readonly door: Door
  private role: ListenerSettings['role']

  constructor({ listener }: Prepared, { server, address, context, door }: Opened<SmtpServer> & { readonly door: Door }) {
    super(listener.name, address)
    this.server = server
    this.context = context
    this.door = door
    this.role = listener.role
  }

  fits(prepared: Prepared): boolean {
    return prepared.transparent === undefined
  }

  adopt(prepared: Prepared, settings: ListeningSettings): void {
    const { listener, door } = prepared
    // What a session was promised at its greeting would no longer hold: its replies might not fit, or it might do more than it may.
    if (this.role !== listener.role || this.door.settings.protocol !== door.protocol) this.server.endSessions()
    this.role = listener.role
    this.listener = listener.name
    this.door.settings = door
    this.server.profile = profile(prepared, settings, { door: this.door, context: this.context })
  }
}

class TransparentListening extends Listening {
  readonly server: TransparentServer
  private readonly context: ListeningContext

  constructor({ listener }: Prepared, { server, address, context }: Opened<TransparentServer>) {
    super(listener.name, address)
    this.server = server
    this.context = context
  }

  fits(prepared: Prepared): boolean {
    return prepared.transparent !== undefined
  }

  adopt(prepared: Prepared, settings: ListeningSettings): void {
    this.listener = prepared.listener.name
    // Sessions that run keep their connection to the relay of before.
    this.server.profile = passage(prepared, settings, this.context)
  }
}

function profile({ listener, tls }: Prepared, settings: ListeningSettings, { door, context }: { readonly door: Door; readonly context: ListeningContext }): ConnectionProfile {
  const { hostname, limits, timeouts, newlines } = settings
  return {
    listener: listener.name,
    options: { hostname, protocol: listener.protocol, newlines, limits, timeouts, requireAuthentication: listener.role === 'submission' },
    tls: listener.tls === undefined || tls === undefined ? undefined : { mode: listener.tls.mode, contexts: tls },
    trust: {
      proxy: networkMatcher(listener.trust.proxy),
      xclient: networkMatcher(listener.trust.xclient),
      xforward: networkMatcher(listener.trust.xforward),
    },
    makeHandler: (facts) => new FrontDoor(() => door.settings, context.door, facts),
  }
}

function passage({ listener, door, transparent }: Prepared, settings: ListeningSettings, { log, door: context }: ListeningContext): TransparentProfile {
  const hop = settings.hops.get(listener.next)
  if (transparent === undefined || hop?.kind !== 'smtp') throw new Error(`listener ${listener.name} has no relay to be transparent to`)
  const { newId, now, date } = context
  return transparentProfile({
    ...transparent, listener: listener.name, hop: hop.name, relay: hop.address, newlines: settings.newlines, maxMessageBytes: settings.limits.messageBytes,
    timeouts: timeoutsOf(hop, settings), mayUse: door.mayUse, spool: door.spool,
  }, { log, newId, now, date, remember: (id, action, transaction) => context.remember({ id, at: date().getTime(), action, record: { transaction, checks: [], refused: [], changes: [] } }) })
}

function timeoutsOf({ timeouts: { connectMs, finalMs } }: RelaySettings, { timeouts: { commandMs, dataMs } }: ListeningSettings): TransparentProfile['timeouts'] {
  return { connectMs, relayMs: finalMs, clientMs: Math.max(commandMs, dataMs) }
}
