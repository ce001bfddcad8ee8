/**
 * The front door: connect → hello → mail → rcpt → message, for one session.
 *
 * The session is transparent: what is offered is what the next hop can do, MAIL
 * and each RCPT go to it as they come, and its replies come back. A message is
 * spooled while it comes in and goes to the hop once it is whole; the hop's
 * final reply is the client's. Nothing here answers 250 to a message by itself.
 */
import type { Routes } from './delivery/routes.ts'
import type { SpoolSettings } from './message/spool.ts'
import type { DecisionIds } from './observe/decision-id.ts'
import type { Log } from './observe/log.ts'
import type { EnvelopePath } from './smtp/envelope.ts'
import { extensionsBehind } from './smtp/extensions.ts'
import type { Reply } from './smtp/reply.ts'
import * as replies from './smtp/reply-catalogue.ts'
import type { MessageSink, SessionFacts, SessionHandler } from './smtp/session-handler.ts'
import { MailTransaction } from './transaction.ts'

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
}

export interface FrontDoorContext {
  readonly log: Log
  readonly newId: DecisionIds
  /** monotonic, milliseconds */
  readonly now: () => number
  /** time of day */
  readonly date: () => Date
}

export class FrontDoor implements SessionHandler {
  /** read at each transaction, so that a reload reaches running sessions */
  private readonly current: () => FrontDoorSettings
  private readonly context: FrontDoorContext
  private readonly session: SessionFacts
  private transaction: MailTransaction | null = null

  constructor(current: () => FrontDoorSettings, context: FrontDoorContext, session: SessionFacts) {
    this.current = current
    this.context = context
    this.session = session
  }

  connect(): Reply {
    const { listener, hostname, protocol, mayUse } = this.current()
    if (mayUse(this.session.address)) return replies.greeting(hostname, protocol)
    this.context.log.info({ listener, client: this.session.address }, 'client may not use this listener')
    return replies.NOT_FOR_YOU
  }

  async hello(): Promise<ReadonlyMap<string, string>> {
    return extensionsBehind(await Promise.all(this.current().routes.hops.map((hop) => hop.capabilities())))
  }

  async mail(sender: EnvelopePath): Promise<Reply> {
    // A reload may have changed who may use the listener since the client was greeted.
    if (!this.current().mayUse(this.session.address)) return replies.NOT_FOR_YOU
    const transaction = new MailTransaction(sender, { settings: this.current(), context: this.context, session: this.session })
    this.transaction = transaction
    return transaction.mail()
  }

  async rcpt(recipient: EnvelopePath): Promise<Reply> {
    if (this.transaction === null) return replies.MAIL_FIRST
    return this.transaction.rcpt(recipient)
  }

  message(): MessageSink {
    const transaction = this.transaction
    if (transaction === null) throw new Error('a message needs a transaction')
    // From here on the message's own end is the transaction's end.
    this.transaction = null
    return transaction.message()
  }

  reset(): void {
    this.transaction?.end(null)
    this.transaction = null
  }
}

