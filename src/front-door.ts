/** What a front door and its transactions are given: the slice of a listener, which a reload replaces, and what its worker does for them. */
import type { Routes } from './delivery/routes.ts'
import type { Inbound } from './inbound/inbound.ts'
import type { OutgoingMessage } from './message/message.ts'
import type { SpoolSettings } from './message/spool.ts'
import type { DecisionIds } from './observe/decision-id.ts'
import type { Log } from './observe/log.ts'
import type { Outbound } from './outbound/outbound.ts'
import type { SentMessage } from './reputation/correspondents.ts'
import type { QuarantineFacts } from './state/quarantine-entry.ts'
import type { StoredDecision } from './state/decisions.ts'
import type { Authenticator } from './submission/facts.ts'

export interface FrontDoorSettings {
  readonly listener: string
  readonly hostname: string
  readonly protocol: 'smtp' | 'lmtp'
  /** may a client with this address (undefined: unix socket) use the listener? */
  readonly mayUse: (address: string | undefined) => boolean
  readonly routes: Routes
  readonly addReceived: boolean
  /** Received fields above which a message loops */
  readonly maxReceived: number
  readonly spool: SpoolSettings
  /** undefined: nothing is checked of anybody */
  readonly inbound: Inbound | undefined
  /** undefined: what comes is neither signed nor anybody's by name */
  readonly outbound: Outbound | undefined
  /** of users; undefined: nobody logs in */
  readonly authenticator: Authenticator | undefined
  /** Received does not tell where the client is */
  readonly hideClient: boolean
}

export interface FrontDoorContext {
  readonly log: Log
  /** Keeps a message durably instead of sending it on. Does not reject: `failed` has its cause in the log. */
  readonly quarantine: (facts: QuarantineFacts, message: OutgoingMessage) => Promise<'kept' | 'no-room' | 'failed'>
  /** for `postern why`; never waits for the disk */
  readonly remember: (decision: StoredDecision) => void
  /** A user who has logged in has written to somebody, and the hop has taken it. */
  readonly corresponded: (message: SentMessage) => void
  readonly newId: DecisionIds
  /** monotonic, milliseconds */
  readonly now: () => number
  /** time of day */
  readonly date: () => Date
}
