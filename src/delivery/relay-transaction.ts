/**
 * One mail transaction with an SMTP or LMTP hop (RFC 5321 §3.3, RFC 2033).
 *
 * The hop's replies pass as they came, where they make sense. What makes none
 * in its place, a lost connection and a slow hop become a 451 of ours, with the
 * cause in the log, and the connection is closed. A 421 of the hop is about its
 * connection with us, not ours with the client: it goes on as 451 (RFC 5321
 * §3.8). Nothing here rejects.
 */
import type { HopTimeoutSettings, RelaySettings } from '../config/settings.ts'
import type { OutgoingMessage } from '../message/message.ts'
import type { Log } from '../observe/log.ts'
import { mailCommand, rcptCommand, type ClientCommand } from '../smtp/client-commands.ts'
import { Loss, type Answer } from '../smtp/client-connection.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'
import { describeReply, type Reply } from '../smtp/reply.ts'
import * as replies from '../smtp/reply-catalogue-hop.ts'
import type { ClientFacts, Transaction } from './next-hop.ts'
import type { Choice } from './pool.ts'
import { describeAnswer, isAboutUs, isClosing, isUsedUp, lostReply, repeat, takesNoMail } from './relay-answers.ts'
import { describeAddress, type RelayConnection } from './relay-connect.ts'
import { newSearch, type Connections, type Search } from './relay-hosts.ts'
import { sendMessage, type Sent } from './relay-data.ts'
import { introduce, tellsAddress } from './relay-xclient.ts'
import { forwardAndMail } from './relay-xforward.ts'

export interface RelayContext {
  readonly settings: RelaySettings
  readonly hostname: string
  readonly log: Log
  /** to the hosts that take this sender's mail, with its login */
  readonly connections: (sender: EnvelopePath) => Connections
}

/** What only frees a connection for the next must not hold it for long. */
const RESET_MS = 20_000

const MAIL_OK = [250]
/** RFC 5321 §4.3.2; 251 is taken and forwarded */
const RCPT_OK = [250, 251]
const FINAL_OK = [250]

export class RelayTransaction implements Transaction {
  #context: RelayContext
  #client: ClientFacts
  #timeouts: HopTimeoutSettings
  /** new: nothing sent; mail: MAIL on its way; open: recipients and data may follow; ended: no connection any more */
  #state: 'new' | 'mail' | 'open' | 'ended' = 'new'
  #connections: Connections | undefined
  #connection: RelayConnection | undefined
  #sender: EnvelopePath | undefined
  readonly #accepted: EnvelopePath[] = []
  /** the hop has left once already, and the envelope was said again */
  #replayed = false
  /** what a call gets after the end */
  #epitaph: Reply = replies.OUT_OF_ORDER

  constructor(context: RelayContext, client: ClientFacts) {
    this.#context = context
    this.#client = client
    this.#timeouts = context.settings.timeouts
  }

  /** Known from MAIL on: it depends on the sender. */
  get #pool(): Connections {
    if (this.#connections === undefined) throw new Error('no connection before MAIL')
    return this.#connections
  }

  async mail(sender: EnvelopePath): Promise<Reply> {
    if (this.#state !== 'new') return this.#outOfOrder('MAIL')
    this.#state = 'mail'
    this.#sender = sender
    this.#connections = this.#context.connections(sender)
    return this.#mail('any', sender)
  }

  async rcpt(recipient: EnvelopePath): Promise<Reply> {
    if (this.#state !== 'open') return this.#outOfOrder('RCPT')
    const engaged = this.#engage()
    const connection = engaged instanceof Promise ? await engaged : engaged
    if (!connection) return this.#giveIn()
    const command = rcptCommand(recipient, connection.capabilities)
    if (command.status !== 'line') return this.#unsaid('RCPT', command)
    const answer = await connection.channel.command(command.line, this.#timeouts.rcptMs)
    const reply = this.#passed('RCPT', answer, RCPT_OK)
    if (reply.status < 300) this.#accepted.push(recipient)
    this.#rest()
    return reply
  }

  async data(message: OutgoingMessage): Promise<readonly Reply[]> {
    const count = this.#context.settings.kind === 'lmtp' ? Math.max(1, this.#accepted.length) : 1
    if (this.#state !== 'open' || this.#accepted.length === 0) {
      const refusal = this.#outOfOrder('DATA')
      this.abort()
      return repeat(refusal, count)
    }
    const engaged = this.#engage()
    let connection = engaged instanceof Promise ? await engaged : engaged
    if (connection && message.binary && !connection.capabilities.has('CHUNKING')) {
      const refusal = this.#unsaid('BDAT', { status: 'unsupported', keyword: 'CHUNKING' })
      this.abort()
      return repeat(refusal, count)
    }
    if (!connection) return repeat(this.#giveIn(), count)
    const sent = await this.#sendOn(connection, message, count)
    // The client may have taken minutes over its message, longer than the hop
    // waits. It was not sent any of it, and so it is asked again, once.
    if (sent.status !== 'not-asked' || !isClosing(sent.answer) || this.#replayed) return this.#answered(sent, count)
    connection = await this.#replay('next hop closed while the client was sending; the transaction is begun again')
    if (!connection || (message.binary && !connection.capabilities.has('CHUNKING'))) return repeat(this.#giveIn(), count)
    return this.#answered(await this.#sendOn(connection, message, count), count)
  }

  #sendOn({ channel, capabilities }: RelayConnection, message: OutgoingMessage, replies: number): Promise<Sent> {
    const form = capabilities.has('CHUNKING') && (message.chunked || message.binary) ? 'bdat' : 'data'
    return sendMessage(channel, { message, form, replies, timeouts: this.#timeouts })
  }

  /**
   * The connection, ready for the next command: the one at hand, or a new one
   * where that was given up for another transaction, or where the hop has left.
   * At once where nothing is to be waited for: nobody can abort in between.
   */
  #engage(): RelayConnection | Promise<RelayConnection | undefined> {
    const connection = this.#connection
    if (!connection) return this.#replay(undefined)
    this.#pool.resume(connection)
    const { loss } = connection.channel
    if (!loss || !isClosing(loss) || this.#replayed) return connection
    return this.#replay('next hop closed while the client was silent; the transaction is begun again')
  }

  #rest(): void {
    const connection = this.#connection
    if (connection) this.#pool.rest(connection, () => this.#suspend(connection))
  }

  /** Others wait for a connection, and our client takes its time. */
  #suspend(connection: RelayConnection): void {
    if (this.#state !== 'open' || this.#connection !== connection) return
    this.#connection = undefined
    this.#context.log.debug(this.#facts('idle'), 'a transaction whose client is silent gives its connection up for another')
    void this.#reset(connection)
  }

  /** What could not be taken up again is for the client to send again. */
  #giveIn(): Reply {
    this.abort()
    return replies.HOP_LOST
  }

  /**
   * The envelope as it was accepted, on a new connection; undefined, with the
   * cause in the log, where the hop does not accept all of it again.
   * @param lost why, where the hop ended the connection: that is borne once
   */
  async #replay(lost: string | undefined): Promise<RelayConnection | undefined> {
    const sender = this.#sender
    if (!sender || this.#state === 'ended') return undefined
    if (lost !== undefined) {
      this.#replayed = true
      this.#context.log.info(this.#facts('DATA'), lost)
    }
    if (this.#connection) this.#forget(this.#connection)
    this.#state = 'mail'
    const mail = await this.#mail(lost === undefined ? 'any' : 'fresh', sender)
    if (mail.status >= 300) this.#notAgain('MAIL', mail)
    for (const recipient of this.#accepted) {
      const connection = this.#connection
      if (!connection) return undefined
      this.#pool.resume(connection)
      const command = rcptCommand(recipient, connection.capabilities)
      const answer = command.status === 'line' ? await connection.channel.command(command.line, this.#timeouts.rcptMs) : this.#unsaid('RCPT', command)
      const reply = this.#passed('RCPT', answer, RCPT_OK)
      if (reply.status < 300) continue
      // What ended the connection has been logged.
      if (this.#connection) this.#notAgain('RCPT', reply)
      return undefined
    }
    const connection = this.#connection
    if (connection) this.#pool.resume(connection)
    return connection
  }

  #notAgain(stage: string, reply: Reply): void {
    this.#context.log.warn({ ...this.#facts(stage), detail: describeReply(reply) }, 'next hop does not accept again what it had accepted')
  }

  abort(): void {
    const opened = this.#state === 'open'
    const connection = this.#end(replies.HOP_LOST)
    if (!connection) return
    if (opened) void this.#reset(connection)
    else this.#discard(connection, 'transaction aborted during MAIL')
  }

  /**
   * MAIL, on one host after the other. A connection from the pool may have been
   * closed by the host while nobody looked: that is no answer to this MAIL, and
   * a new one is tried, once for each host.
   */
  async #mail(first: Choice, sender: EnvelopePath): Promise<Reply> {
    const search = newSearch()
    let got: Reply | Choice = first
    while (typeof got === 'string') got = await this.#mailOn(got, sender, search)
    return got
  }

  /** One attempt at MAIL; a choice where another is to be made. */
  async #mailOn(choice: Choice, sender: EnvelopePath, search: Search): Promise<Reply | Choice> {
    const { settings, hostname } = this.#context
    const connection = await this.#pool.acquire(choice, search)
    if ('refusal' in connection) {
      this.#end(connection.refusal)
      return connection.refusal
    }
    if (this.#state === 'ended') {
      this.#pool.release(connection)
      return this.#epitaph
    }
    this.#connection = connection
    const pooled = connection.idleSince !== undefined
    if (settings.xclient) {
      if (!tellsAddress(connection)) return this.#cannotIntroduce(connection)
      connection.personal = true
      const introduced = await introduce(connection, this.#client, { hostname, protocol: settings.kind, timeoutMs: this.#timeouts.greetingMs })
      if (this.#isOver()) return this.#epitaph
      if (introduced.status !== 'known') return this.#notIntroduced(connection, introduced.status, introduced.answer)
    }
    const command = mailCommand(sender, connection.capabilities, connection.authenticated)
    if (command.status !== 'line') {
      const refusal = this.#unsaid('MAIL', command)
      if (this.#end(refusal)) this.#pool.release(connection)
      return refusal
    }
    const { first, answer } = await forwardAndMail(connection, command.line, {
      client: settings.xforward ? (this.#client.origin ?? this.#client) : undefined,
      timeoutMs: this.#timeouts.mailMs,
      onRefused: (refusal) => this.#context.log.warn({ ...this.#facts('XFORWARD'), reply: describeReply(refusal) }, 'next hop refused XFORWARD'),
    })
    if (this.#isOver()) return this.#epitaph
    if (pooled && (isClosing(first) || isUsedUp(answer))) return this.#elsewhere(connection, 'fresh')
    if (!takesNoMail(answer)) this.#pool.worked(connection)
    else if (this.#pool.failed(connection, search)) {
      this.#context.log.warn({ ...this.#facts('MAIL'), detail: describeAnswer(answer) }, 'next hop lets us in and takes no mail; its next host is asked')
      return this.#elsewhere(connection, 'any')
    }
    const reply = this.#passed('MAIL', answer, MAIL_OK)
    if (reply.status < 300) {
      this.#state = 'open'
      this.#rest()
    } else if (this.#end(reply)) void this.#reset(connection)
    return reply
  }

  /** Nothing but MAIL was said on this connection, so it can be said on another. */
  #elsewhere(connection: RelayConnection, choice: Choice): Choice {
    this.#forget(connection)
    return choice
  }

  /** It would take the client for us, and maybe let it do what only we may. */
  #cannotIntroduce(connection: RelayConnection): Reply {
    this.#context.log.warn(this.#facts('XCLIENT'), 'next hop does not offer us XCLIENT with ADDR: allow it there (Postfix: smtpd_authorized_xclient_hosts), or leave xclient out')
    if (this.#end(replies.HOP_REFUSES)) this.#pool.release(connection)
    return replies.HOP_REFUSES
  }

  #notIntroduced(connection: RelayConnection, status: 'not-allowed' | 'refused', answer: Answer): Reply | Choice {
    if (connection.idleSince !== undefined && isClosing(answer)) return this.#elsewhere(connection, 'fresh')
    if (status === 'refused' || answer instanceof Loss) {
      const reply = this.#passed('XCLIENT', answer, [])
      if (this.#end(reply)) this.#pool.release(connection)
      return reply
    }
    this.#context.log.warn({ ...this.#facts('XCLIENT'), reply: describeReply(answer) }, 'next hop offers XCLIENT and does not allow it to us')
    if (this.#end(replies.HOP_REFUSES)) this.#pool.release(connection)
    return replies.HOP_REFUSES
  }

  /** After the data: every answer as the client gets it, and the connection to the pool. */
  #answered(sent: Sent, count: number): readonly Reply[] {
    switch (sent.status) {
      case 'unsendable': {
        this.#context.log.error({ ...this.#facts('message'), detail: sent.detail }, 'message cannot be sent to the next hop')
        const connection = this.#end(replies.MESSAGE_NOT_SENT)
        if (connection) this.#discard(connection, 'message cannot be sent')
        return repeat(replies.MESSAGE_NOT_SENT, count)
      }
      case 'not-asked': {
        const reply = this.#passed('DATA', sent.answer, [])
        this.abort()
        return repeat(reply, count)
      }
      case 'answered':
      case 'answered-early': {
        const positive = sent.status === 'answered' ? FINAL_OK : []
        const final = sent.answers.map((answer) => this.#passed('message', answer, positive))
        if (this.#connection && final.some(({ status }) => status < 300)) this.#connection.refusals = 0
        const connection = this.#end(replies.OUT_OF_ORDER)
        if (connection) this.#pool.release(connection)
        return final
      }
    }
  }

  /** The hop's answer as the client gets it. What is no answer ends the transaction and its connection. */
  #passed(stage: string, answer: Answer, positive: readonly number[]): Reply {
    if (answer instanceof Loss) {
      const reply = lostReply(answer)
      this.#fail(reply, { ...this.#facts(stage), cause: answer.cause, detail: answer.detail })
      return reply
    }
    if (answer.status === 421) {
      const reply: Reply = { status: 451, text: answer.text }
      this.#fail(reply, { ...this.#facts(stage), cause: 'closed', detail: describeReply(answer) })
      return reply
    }
    if (isAboutUs(stage, answer)) {
      this.#fail(replies.HOP_REFUSES, { ...this.#facts(stage), cause: 'refuses us', detail: describeReply(answer) })
      return replies.HOP_REFUSES
    }
    if (this.#connection && answer.status >= 400) this.#connection.refusals++
    if (answer.status >= 400 || positive.includes(answer.status)) return answer
    this.#fail(replies.HOP_NONSENSE, { ...this.#facts(stage), cause: 'nonsense', detail: describeReply(answer) })
    return replies.HOP_NONSENSE
  }

  /** Ends the transaction for a fault of the hop, once, and says so in the log. */
  #fail(reply: Reply, facts: Readonly<Record<string, unknown>>): void {
    const connection = this.#end(reply)
    if (!connection) return
    this.#context.log.warn(facts, 'transaction with the next hop failed')
    this.#discard(connection, 'transaction failed')
  }

  /** A command that is not sent; the transaction stays as it is. */
  #unsaid(stage: string, command: Exclude<ClientCommand, { status: 'line' }>): Reply {
    if (command.status === 'unsupported') {
      this.#context.log.info({ ...this.#facts(stage), keyword: command.keyword }, 'next hop does not offer what the transaction asks for')
      return replies.HOP_LACKS_FEATURE
    }
    this.#context.log.error(this.#facts(stage), 'line end inside a command to the next hop, not sent')
    return replies.MESSAGE_NOT_SENT
  }

  #outOfOrder(stage: string): Reply {
    if (this.#epitaph === replies.OUT_OF_ORDER) this.#context.log.error(this.#facts(stage), 'call out of order')
    return this.#epitaph
  }

  /** Takes the connection out of the transaction and ends it; undefined if it has none (any more). */
  #end(epitaph: Reply): RelayConnection | undefined {
    const connection = this.#connection
    if (this.#state === 'ended') return undefined
    this.#state = 'ended'
    this.#epitaph = epitaph
    this.#connection = undefined
    return connection
  }

  /** Dead, or used up: back to where a new connection can be tried. */
  #forget(connection: RelayConnection): void {
    this.#connection = undefined
    this.#discard(connection, 'not used any more')
  }

  /** It may have been aborted while something was awaited. */
  #isOver(): boolean {
    return this.#state === 'ended'
  }

  #discard(connection: RelayConnection, why: string): void {
    connection.channel.drop(why)
    this.#pool.release(connection)
  }

  /** Ends an open transaction at the hop (RFC 5321 §4.1.1.5), and only then lets another use the connection. */
  async #reset(connection: RelayConnection): Promise<void> {
    const { channel } = connection
    this.#pool.resume(connection)
    if (!channel.quiet) {
      this.#discard(connection, 'aborted while a reply was awaited')
      return
    }
    if (!connection.personal) {
      const answer = await channel.command('RSET\r\n', RESET_MS)
      if (answer instanceof Loss || answer.status !== 250) channel.drop('RSET was not accepted')
    }
    this.#pool.release(connection)
  }

  #facts(stage: string): Record<string, unknown> {
    const { name, address } = this.#context.settings
    return { id: this.#client.ident, hop: name, peer: this.#connection?.peer ?? describeAddress(address), stage }
  }
}
