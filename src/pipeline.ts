/**
 * The front door: connect → hello → mail → rcpt → message, for one session.
 *
 * The session is transparent: what is offered is what the next hop can do, MAIL
 * and each RCPT go to it as they come, and its replies come back. A message is
 * spooled while it comes in, is judged once it is whole, and goes to the hop;
 * the hop's final reply is the client's. Nothing here answers 250 to a message
 * by itself.
 */
import type { FrontDoorContext, FrontDoorSettings } from './front-door.ts'
import { ClientJudgement } from './inbound/client-judgement.ts'
import { decisionRecord, summaryOf } from './inbound/decision-record.ts'
import type { SaslExchange } from './smtp/authentication.ts'
import type { EnvelopePath } from './smtp/envelope.ts'
import { extensionsBehind } from './smtp/extensions.ts'
import { describeReply, type Reply } from './smtp/reply.ts'
import * as replies from './smtp/reply-catalogue.ts'
import type { MessageSink, SessionFacts, SessionHandler } from './smtp/session-handler.ts'
import type { SessionTls } from './submission/facts.ts'
import { MailTransaction } from './transaction.ts'

export class FrontDoor implements SessionHandler {
  /** read at each transaction, so that a reload reaches running sessions */
  private readonly current: () => FrontDoorSettings
  private readonly context: FrontDoorContext
  private readonly session: SessionFacts
  private transaction: MailTransaction | null = null
  /** null: nothing is checked of this client */
  private client: ClientJudgement | null = null
  private over = false

  constructor(current: () => FrontDoorSettings, context: FrontDoorContext, session: SessionFacts) {
    this.current = current
    this.context = context
    this.session = session
  }

  connect(): Reply | Promise<Reply> {
    const { listener, hostname, protocol, mayUse, inbound } = this.current()
    const { address } = this.session
    this.forgetClient()
    if (!mayUse(address)) {
      this.context.log.info({ listener, client: address }, 'client may not use this listener')
      return replies.NOT_FOR_YOU
    }
    if (inbound === undefined || inbound.settings.exempt(address)) return replies.greeting(hostname, protocol)
    return this.judgeClient(new ClientJudgement(this.session, () => this.current().inbound ?? inbound))
  }

  /** Who is calling, and may they? Told before the greeting, where nothing can excuse it later. */
  private async judgeClient(client: ClientJudgement): Promise<Reply> {
    this.client = client
    const startedMs = this.context.now()
    const { verdict, refusal } = await client.greet()
    if (this.over) this.forgetClient()
    const { listener, hostname, protocol } = this.current()
    if (refusal === undefined) return replies.greeting(hostname, protocol)
    const id = this.context.newId()
    const reply = { ...refusal, text: `${String(refusal.text)} (${id})` }
    const facts = { id, listener, client: this.session.address, verdict: verdict.action, reply: describeReply(reply), ms: Math.round((this.context.now() - startedMs) * 10) / 10 }
    const state = { outcomes: client.outcomes, traces: client.traces, known: client.known, verdict, input: client.input, policy: client.inbound.settings.policy, shadow: client.shadow(), refusals: [] }
    this.context.log.info({ ...facts, tests: summaryOf(state).tests }, 'client refused')
    this.context.remember({ id, at: this.context.date().getTime(), action: verdict.action, record: { ...decisionRecord(facts, state) } })
    return reply
  }

  private forgetClient(): void {
    this.client?.end()
    this.client = null
  }

  async hello(): Promise<ReadonlyMap<string, string>> {
    return extensionsBehind(await Promise.all(this.current().routes.hops.map((hop) => hop.capabilities())))
  }

  mechanisms(): readonly string[] {
    return this.current().authenticator?.mechanisms(sessionTls(this.session)) ?? []
  }

  authenticate(mechanism: string): SaslExchange | undefined {
    const { address, localAddress } = this.session
    return this.current().authenticator?.begin(mechanism, { address, localAddress, tls: sessionTls(this.session) })
  }

  async mail(sender: EnvelopePath): Promise<Reply> {
    // A reload may have changed who may use the listener since the client was greeted.
    if (!this.current().mayUse(this.session.address)) return replies.NOT_FOR_YOU
    const transaction = new MailTransaction(sender, { settings: this.current(), context: this.context, session: this.session, client: this.client })
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

  closed(): void {
    this.over = true
    this.forgetClient()
  }
}

/** What an authenticator is told of the connection. */
function sessionTls({ tls }: SessionFacts): SessionTls | undefined {
  if (tls === undefined) return undefined
  const { clientCertificate: given } = tls
  return {
    channelBinding: (type) => tls.channelBinding(type),
    certificate: given === undefined ? undefined : { authorized: given.authorized, fingerprint: given.fingerprint256, addresses: given.emails },
  }
}
