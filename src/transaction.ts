/**
 * One mail transaction between the client's session and a next hop: which hop
 * it is, who was accepted, what was answered; and the message's way through
 * (RFC 5321 §3.3).
 *
 * The transaction ends exactly once, with one line in the log: by the replies
 * to the message, or by `end`.
 */
import type { ClientFacts, NextHop, Transaction } from './delivery/next-hop.ts'
import { decisionRecord, reasonsOf, summaryOf } from './inbound/decision-record.ts'
import type { ClientJudgement } from './inbound/client-judgement.ts'
import { Judgement } from './inbound/judgement.ts'
import { tagMessage } from './inbound/tags.ts'
import type { OutgoingMessage, StoredMessage } from './message/message.ts'
import { ReceivedCounter, receivedField } from './message/received.ts'
import { createSpool, type Spool } from './message/spool.ts'
import { editMessage } from './message/edit.ts'
import { correspondence } from './outbound/correspondence.ts'
import { Departure } from './outbound/departure.ts'
import { TransactionRecord } from './observe/transaction-record.ts'
import type { FrontDoorContext, FrontDoorSettings } from './front-door.ts'
import { parameter, type EnvelopePath } from './smtp/envelope.ts'
import { isPositive, type Reply } from './smtp/reply.ts'
import * as replies from './smtp/reply-catalogue.ts'
import type { MessageFacts, MessageSink, SessionFacts } from './smtp/session-handler.ts'

interface Surroundings {
  readonly settings: FrontDoorSettings
  readonly context: FrontDoorContext
  readonly session: SessionFacts
  /** null: nothing is checked of this client */
  readonly client: ClientJudgement | null
}

const NOTHING = Buffer.alloc(0)

export class MailTransaction {
  private readonly settings: FrontDoorSettings
  private readonly context: FrontDoorContext
  private readonly session: SessionFacts
  private readonly sender: EnvelopePath
  private readonly record: TransactionRecord
  private readonly recipients: EnvelopePath[] = []
  private readonly judgement: Judgement | null
  /** null: the message leaves as it comes, or does not leave us but comes in */
  private readonly departure: Departure | null
  /** null until it is known where the first recipient goes */
  private hop: NextHop | null = null
  private outgoing: Transaction | null = null
  private ended = false
  private written = false

  constructor(sender: EnvelopePath, { settings, context, session, client }: Surroundings) {
    this.settings = settings
    this.context = context
    this.session = session
    this.sender = sender
    this.record = new TransactionRecord({ listener: settings.listener, session, sender, id: context.newId(), startedMs: context.now() })
    this.judgement = client === null ? null : new Judgement(client, sender)
    this.departure = settings.outbound === undefined ? null : new Departure(settings.outbound, { login: session.authentication?.login, sender, date: context.date })
  }

  /* --- the envelope --- */

  async mail(): Promise<Reply> {
    const refusal = this.departure?.refuseSender()
    if (refusal !== undefined) {
      const reply = this.named(refusal)
      this.record.reply = reply
      return reply
    }
    const [only, another] = this.settings.routes.hops
    // Where recipients may go to different hops, MAIL waits for the first of them.
    if (only === undefined || another !== undefined) return replies.SENDER_OK
    const reply = this.named(await this.begin(only))
    if (!isPositive(reply)) this.record.reply = reply
    return reply
  }

  async rcpt(recipient: EnvelopePath): Promise<Reply> {
    const reply = this.named(await this.ask(recipient))
    if (isPositive(reply)) {
      this.recipients.push(recipient)
      this.departure?.accepted(recipient)
    } else this.record.refuse(recipient, reply)
    return reply
  }

  private async ask(recipient: EnvelopePath): Promise<Reply> {
    const mailbox = recipient.path.mailbox
    if (mailbox === null) return replies.badAddress('RCPT', 'Bad address: <> is no recipient')
    const route = this.settings.routes.route(mailbox)
    if (route.status === 'refused') return route.reply
    if (this.recipients.length > 0 && (this.hop !== route.hop || this.answersForOne(route.hop))) return replies.OTHER_HOP
    const excess = this.departure?.refuseRecipient()
    if (excess !== undefined) return excess
    const refusal = await this.judgement?.recipient(recipient, this.recipients.length === 0)
    if (refusal !== undefined) return refusal === 'apart' ? replies.OTHER_VERDICT : refusal
    // The client may have gone away meanwhile; an aborted transaction is asked nothing more.
    if (this.isOver()) return replies.INTERNAL
    if (this.hop !== route.hop) {
      this.outgoing?.abort()
      const reply = await this.begin(route.hop)
      if (!isPositive(reply)) {
        this.forgetHop()
        return reply
      }
      if (this.isOver()) return replies.INTERNAL
    }
    if (this.outgoing === null) throw new Error('a hop without a transaction')
    return this.outgoing.rcpt(recipient)
  }

  /** One final reply cannot tell of several recipients (RFC 2033 §4.2). */
  private answersForOne(hop: NextHop): boolean {
    return hop.kind === 'lmtp' && this.settings.protocol === 'smtp'
  }

  /** The client with the name that we have found for it, where nobody told us one. */
  private caller(): SessionFacts {
    const { session } = this
    const name = session.name ?? this.judgement?.client.confirmedName
    return { ...session, name }
  }

  private isOver(): boolean {
    return this.ended
  }

  private begin(hop: NextHop): Promise<Reply> {
    this.hop = hop
    this.record.hop = hop.name
    this.outgoing = hop.begin(clientFacts(this.caller(), this.record.id))
    return this.outgoing.mail(this.sender)
  }

  private forgetHop(): void {
    this.outgoing?.abort()
    this.outgoing = null
    this.hop = null
  }

  /* --- the message --- */

  message(): MessageSink {
    return new Intake(this, createSpool(this.settings.spool), this.departure)
  }

  /** Disk trouble while the message came in. */
  spoolFailed(error: unknown): void {
    const cause = error instanceof Error ? error.message : String(error)
    this.context.log.error({ id: this.record.id, directory: this.settings.spool.directory, cause }, 'no room for a message')
  }

  /** The refusal of a whole message that the hop need not see; undefined where there is none. */
  refuseMessage(received: number): Reply | undefined {
    return received > this.settings.maxReceived ? replies.LOOP : undefined
  }

  /** Ends the transaction with our own refusal, said as often as the protocol wants. */
  refuse(reply: Reply): readonly Reply[] {
    const named = this.named(reply)
    const answers = this.asExpected([named])
    this.end(named)
    return answers
  }

  /** The message is whole: policy and hop decide, and a client that goes away now does not stop them. */
  async deliver(body: StoredMessage, facts: MessageFacts): Promise<readonly Reply[]> {
    try {
      this.record.message(body.size, facts.anomalies)
      if (this.departure !== null) return await this.depart(this.departure, body, facts)
      const received = this.received()
      if (this.judgement === null) return await this.send(this.outgoingOf({ prefix: received, body }, facts))
      const judged = await this.judgement.judge(body, this.recipients, { id: this.record.id, received })
      if (judged.section.truncated !== null) return this.refuse(replies.HEADER_TOO_LONG)
      const { action, reply = replies.INTERNAL } = judged.verdict
      if (action === 'tempfail' || action === 'reject' || action === 'disconnect') return this.refuse(reply)
      const { session, judgement } = this
      const input = { session, settings: judgement.client.inbound.settings, iprev: judgement.client.known.iprev, sender: judgement.sender.address, judged }
      const outgoing = this.outgoingOf(tagMessage(body, input, received), facts)
      return action === 'quarantine' ? await this.keep(outgoing) : await this.send(outgoing)
    } catch (error) {
      // A bug: the session ends with 421, and the hop must not wait for us.
      this.end(null)
      throw error
    } finally {
      body.discard()
    }
  }

  /** What leaves is signed, once it is sure that it may. */
  private async depart(departure: Departure, body: StoredMessage, facts: MessageFacts): Promise<readonly Reply[]> {
    const outcome = await departure.finish()
    if (outcome.status === 'refused') return this.refuse(outcome.reply)
    const { section, signatures, added } = outcome
    const answers = await this.send(this.outgoingOf(editMessage(body, section, { prefix: Buffer.concat([signatures, this.received(), added]) }), facts))
    if (departure.facts.login !== undefined && answers.some(isPositive)) for (const sent of correspondence({ sender: this.sender, recipients: this.recipients, section })) this.context.corresponded(sent)
    return answers
  }

  private outgoingOf({ prefix, body }: Pick<OutgoingMessage, 'prefix' | 'body'>, { chunked, binary, anomalies }: MessageFacts): OutgoingMessage {
    this.record.message(prefix.length + body.size, anomalies)
    return { prefix, body, chunked, binary }
  }

  private async send(message: OutgoingMessage): Promise<readonly Reply[]> {
    const { outgoing, record } = this
    if (outgoing === null) throw new Error('a message needs a next hop')
    try {
      const answers = await outgoing.data(message)
      const expected = this.asExpected(answers.map((answer) => this.named(answer)))
      record.reply = expected.find((reply) => !isPositive(reply)) ?? expected[0]
      return expected
    } finally {
      this.writeRecord()
    }
  }

  /** It is on disk before anybody is told so; the hop hears nothing of it. */
  private async keep(message: OutgoingMessage): Promise<readonly Reply[]> {
    const { id } = this.record
    const { hop, judgement } = this
    if (hop === null || judgement === null) throw new Error('a message needs a next hop and a verdict')
    const { verdict } = judgement.state
    const outcome = await this.context.quarantine({
      id, at: this.context.date().getTime(), hop: hop.name, sender: this.sender, recipients: this.recipients, client: clientFacts(this.caller(), id),
      score: verdict?.score, reasons: reasonsOf(judgement.state),
    }, message)
    if (outcome !== 'kept') return this.refuse(outcome === 'no-room' ? replies.NO_ROOM : replies.NOT_KEPT)
    this.record.quarantined = true
    const reply = this.named(replies.KEPT)
    const answers = this.asExpected([{ ...reply, text: `${String(reply.text)} (${id})` }])
    this.end(reply)
    return answers
  }

  /** Ends without a message for the hop; `reply` is what the client was told, if anything. */
  end(reply: Reply | null): void {
    this.ended = true
    this.outgoing?.abort()
    if (reply !== null) this.record.reply = reply
    this.writeRecord()
  }

  private writeRecord(): void {
    if (this.written) return
    this.written = true
    const state = this.judgement?.state
    this.record.judgement = state === undefined ? undefined : summaryOf(state)
    this.record.departure = this.departure?.facts
    const facts = this.record.facts(this.recipients, this.context.now())
    this.context.log.info(facts, 'message')
    this.context.remember({ id: this.record.id, at: this.context.date().getTime(), action: String(facts['verdict']), record: { ...decisionRecord(facts, state) } })
  }

  /** One reply for SMTP, one for each recipient for LMTP (RFC 2033 §4.2). */
  private asExpected(answers: readonly Reply[]): readonly Reply[] {
    if (this.settings.protocol === 'smtp') return answers.slice(0, 1)
    const [first = replies.INTERNAL] = answers
    return this.recipients.map((_, i) => (answers.length === 1 ? first : (answers[i] ?? replies.INTERNAL)))
  }

  /** Our own refusals carry the decision ID; replies of the hop stay as they are. */
  private named(reply: Reply): Reply {
    if (isPositive(reply) || reply.subject === undefined || typeof reply.text !== 'string') return reply
    return { ...reply, text: `${reply.text} (${this.record.id})` }
  }

  private received(): Buffer {
    if (!this.settings.addReceived) return NOTHING
    const [first, second] = this.recipients
    const field = receivedField({
      session: this.caller(),
      hostname: this.settings.hostname,
      id: this.record.id,
      recipient: second === undefined ? first?.path.wire : undefined,
      smtputf8: parameter(this.sender, 'SMTPUTF8') !== undefined,
      date: this.context.date(),
      hideClient: this.settings.hideClient,
    })
    return Buffer.from(field, 'latin1')
  }
}

/** Spools a message as it comes in, and looks at its header section on the way. */
class Intake implements MessageSink {
  private readonly transaction: MailTransaction
  private readonly spool: Spool
  private readonly departure: Departure | null
  private readonly received = new ReceivedCounter()
  private failed = false

  constructor(transaction: MailTransaction, spool: Spool, departure: Departure | null) {
    this.transaction = transaction
    this.spool = spool
    this.departure = departure
  }

  write(piece: Buffer): Promise<void> | undefined {
    if (this.failed) return undefined
    this.received.feed(piece)
    this.departure?.write(piece)
    return this.spool.append(piece)?.catch(this.fail)
  }

  async end(facts: MessageFacts): Promise<readonly Reply[]> {
    const body = await this.wholeMessage()
    if (body === null) return this.transaction.refuse(replies.NO_ROOM)
    const refusal = this.transaction.refuseMessage(this.received.count)
    if (refusal === undefined) return this.transaction.deliver(body, facts)
    body.discard()
    return this.transaction.refuse(refusal)
  }

  refuse(reason: Reply): readonly Reply[] {
    this.spool.discard()
    return this.transaction.refuse(reason)
  }

  abort(): void {
    this.spool.discard()
    this.transaction.end(null)
  }

  private async wholeMessage(): Promise<StoredMessage | null> {
    if (this.failed) return null
    try {
      return await this.spool.finish()
    } catch (error) {
      this.fail(error)
      return null
    }
  }

  private readonly fail = (error: unknown): void => {
    this.failed = true
    this.spool.discard()
    this.transaction.spoolFailed(error)
  }
}

/** What a hop may be told of the client. */
function clientFacts(session: SessionFacts, ident: string): ClientFacts {
  const { address, port, name, helo, protocol, login, forwarded } = session
  const client: ClientFacts = { address, port, name, helo, protocol, login, source: address === undefined ? 'LOCAL' : 'REMOTE', ident }
  const origin = forwarded.get('ADDR')
  if (origin === undefined) return client
  const originPort = forwarded.get('PORT')
  return {
    ...client,
    origin: {
      address: origin,
      port: originPort === undefined ? undefined : Number(originPort),
      name: forwarded.get('NAME'),
      helo: forwarded.get('HELO'),
      protocol: (forwarded.get('PROTO') as ClientFacts['protocol'] | undefined) ?? 'SMTP',
      login,
      source: forwarded.get('SOURCE') === 'LOCAL' ? 'LOCAL' : 'REMOTE',
      ident,
    },
  }
}
