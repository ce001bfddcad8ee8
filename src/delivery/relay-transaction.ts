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
import { clientCommands } from '../smtp/xforward.ts'
import type { ClientFacts, Transaction } from './next-hop.ts'
import type { Choice, Pool } from './pool.ts'
import { describeAddress, isClosing, lostReply, type RelayConnection } from './relay-connect.ts'
import { sendMessage, type Sent } from './relay-data.ts'
import { introduce } from './relay-xclient.ts'

export interface RelayContext {
  readonly settings: RelaySettings
  readonly hostname: string
  readonly log: Log
  readonly pool: Pool
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
  #connection: RelayConnection | undefined
  #sender: EnvelopePath | undefined
  readonly #accepted: EnvelopePath[] = []
  /** what a call gets after the end */
  #epitaph: Reply = replies.OUT_OF_ORDER

  constructor(context: RelayContext, client: ClientFacts) {
    this.#context = context
    this.#client = client
    this.#timeouts = context.settings.timeouts
  }

  async mail(sender: EnvelopePath): Promise<Reply> {
    if (this.#state !== 'new') return this.#outOfOrder('MAIL')
    this.#state = 'mail'
    this.#sender = sender
    // A connection from the pool may have been closed by the hop while nobody
    // looked: that is no answer to this MAIL, and a new one is tried, once.
    return await this.#mailOn('any', sender) ?? await this.#mailOn('fresh', sender) ?? replies.HOP_LOST
  }

  async rcpt(recipient: EnvelopePath): Promise<Reply> {
    const connection = this.#connection
    if (this.#state !== 'open' || !connection) return this.#outOfOrder('RCPT')
    const command = rcptCommand(recipient, connection.capabilities)
    if (command.status !== 'line') return this.#unsaid('RCPT', command)
    const answer = await connection.channel.command(command.line, this.#timeouts.rcptMs)
    const reply = this.#passed('RCPT', answer, RCPT_OK)
    if (reply.status < 300) this.#accepted.push(recipient)
    return reply
  }

  async data(message: OutgoingMessage): Promise<readonly Reply[]> {
    const count = this.#context.settings.kind === 'lmtp' ? Math.max(1, this.#accepted.length) : 1
    if (this.#state !== 'open' || !this.#connection || this.#accepted.length === 0) {
      const refusal = this.#outOfOrder('DATA')
      this.abort()
      return repeat(refusal, count)
    }
    if (message.binary && !this.#connection.capabilities.has('CHUNKING')) {
      const refusal = this.#unsaid('BDAT', { status: 'unsupported', keyword: 'CHUNKING' })
      this.abort()
      return repeat(refusal, count)
    }
    const sent = await this.#sendOn(this.#connection, message, count)
    // The client may have taken minutes over its message, longer than the hop
    // waits. It was not sent any of it, and so it is asked again, once.
    if (sent.status !== 'not-asked' || !isClosing(sent.answer)) return this.#answered(sent, count)
    const fresh = await this.#replay(this.#connection, this.#sender)
    if (!fresh || (message.binary && !fresh.capabilities.has('CHUNKING'))) {
      this.abort()
      return repeat(replies.HOP_LOST, count)
    }
    return this.#answered(await this.#sendOn(fresh, message, count), count)
  }

  #sendOn({ channel, capabilities }: RelayConnection, message: OutgoingMessage, replies: number): Promise<Sent> {
    const form = capabilities.has('CHUNKING') && (message.chunked || message.binary) ? 'bdat' : 'data'
    return sendMessage(channel, { message, form, replies, timeouts: this.#timeouts })
  }

  /**
   * The envelope as it was accepted, on a new connection; undefined, with the
   * cause in the log, where the hop does not accept all of it again.
   */
  async #replay(lost: RelayConnection, sender: EnvelopePath | undefined): Promise<RelayConnection | undefined> {
    if (!sender || this.#state === 'ended') return undefined
    this.#context.log.info(this.#facts('DATA'), 'next hop closed while the client was sending; the transaction is begun again')
    this.#forget(lost)
    this.#state = 'mail'
    const mail = await this.#mailOn('fresh', sender)
    if (mail && mail.status >= 300) this.#notAgain('MAIL', mail)
    for (const recipient of this.#accepted) {
      const connection = this.#connection
      if (!connection) return undefined
      const command = rcptCommand(recipient, connection.capabilities)
      const answer = command.status === 'line' ? await connection.channel.command(command.line, this.#timeouts.rcptMs) : this.#unsaid('RCPT', command)
      const reply = this.#passed('RCPT', answer, RCPT_OK)
      if (reply.status < 300) continue
      // What ended the connection has been logged.
      if (this.#connection) this.#notAgain('RCPT', reply)
      return undefined
    }
    return this.#connection
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

  /** One attempt at MAIL; undefined where a connection from the pool turned out to be dead. */
  async #mailOn(choice: Choice, sender: EnvelopePath): Promise<Reply | undefined> {
    const { pool, settings, hostname } = this.#context
    const connection = await pool.acquire(choice)
    if ('refusal' in connection) {
      this.#end(connection.refusal)
      return connection.refusal
    }
    if (this.#state === 'ended') {
      pool.release(connection)
      return this.#epitaph
    }
    this.#connection = connection
    const pooled = connection.idleSince !== undefined
    if (settings.xclient && connection.capabilities.has('XCLIENT')) {
      connection.personal = true
      const introduced = await introduce(connection, this.#client, { hostname, protocol: settings.kind, timeoutMs: this.#timeouts.greetingMs })
      if (introduced.status !== 'known') return this.#notIntroduced(connection, introduced.status, introduced.answer)
    }
    const command = mailCommand(sender, connection.capabilities)
    if (command.status !== 'line') {
      const refusal = this.#unsaid('MAIL', command)
      if (this.#end(refusal)) pool.release(connection)
      return refusal
    }
    const { first, answer } = await this.#forwardAndMail(connection, command.line)
    if (pooled && (this.#isStale(first) || isUsedUp(answer))) {
      this.#forget(connection)
      return undefined
    }
    const reply = this.#passed('MAIL', answer, MAIL_OK)
    if (reply.status < 300) this.#state = 'open'
    else if (this.#end(reply)) void this.#reset(connection)
    return reply
  }

  /**
   * XFORWARD, where the hop wants it, and MAIL. A refused XFORWARD costs the
   * hop's log its truth, not the client its mail.
   */
  async #forwardAndMail({ channel, capabilities }: RelayConnection, line: string): Promise<{ first: Answer, answer: Answer }> {
    const { mailMs } = this.#timeouts
    const offered = this.#context.settings.xforward ? capabilities.get('XFORWARD') : undefined
    const forward = offered === undefined ? [] : clientCommands('XFORWARD', offered, this.#client.origin ?? this.#client)
    const answers: Answer[] = []
    if (forward.length > 0 && capabilities.has('PIPELINING')) {
      // RFC 2920 §3.1: together, in one write.
      channel.send(forward.join('') + line)
      answers.push(...await Promise.all([...forward, line].map(() => channel.expect(mailMs))))
    } else {
      for (const one of forward) answers.push(await channel.command(one, mailMs))
      answers.push(await channel.command(line, mailMs))
    }
    const answer = answers.pop() ?? new Loss('dropped', 'nothing was sent')
    for (const one of answers) {
      if (one instanceof Loss || one.status === 250) continue
      this.#context.log.warn({ ...this.#facts('XFORWARD'), reply: describeReply(one) }, 'next hop refused XFORWARD')
    }
    return { first: answers[0] ?? answer, answer }
  }

  #notIntroduced(connection: RelayConnection, status: 'not-allowed' | 'refused', answer: Answer): Reply | undefined {
    if (connection.idleSince !== undefined && this.#isStale(answer)) {
      this.#forget(connection)
      return undefined
    }
    if (status === 'refused' || answer instanceof Loss) {
      const reply = this.#passed('XCLIENT', answer, [])
      if (this.#end(reply)) this.#context.pool.release(connection)
      return reply
    }
    this.#context.log.warn({ ...this.#facts('XCLIENT'), reply: describeReply(answer) }, 'next hop offers XCLIENT and does not allow it to us')
    if (this.#end(replies.HOP_REFUSES)) this.#context.pool.release(connection)
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
        const connection = this.#end(replies.OUT_OF_ORDER)
        if (connection) this.#context.pool.release(connection)
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

  /** Dead since before this transaction: back to where a new connection can be tried. */
  #forget(connection: RelayConnection): void {
    this.#connection = undefined
    this.#discard(connection, 'was closed while unused')
  }

  /** What a connection from the pool answers if the hop had closed it. */
  #isStale(answer: Answer): boolean {
    return this.#state !== 'ended' && isClosing(answer)
  }

  #discard(connection: RelayConnection, why: string): void {
    connection.channel.drop(why)
    this.#context.pool.release(connection)
  }

  /** Ends an open transaction at the hop (RFC 5321 §4.1.1.5), and only then lets another use the connection. */
  async #reset(connection: RelayConnection): Promise<void> {
    const { channel } = connection
    if (!channel.quiet) {
      this.#discard(connection, 'aborted while a reply was awaited')
      return
    }
    if (!connection.personal) {
      const answer = await channel.command('RSET\r\n', RESET_MS)
      if (answer instanceof Loss || answer.status !== 250) channel.drop('RSET was not accepted')
    }
    this.#context.pool.release(connection)
  }

  #facts(stage: string): Record<string, unknown> {
    const { name, address } = this.#context.settings
    return { id: this.#client.ident, hop: name, peer: describeAddress(address), stage }
  }
}

/**
 * A hop that takes only so many messages on one connection says so with a 4xx
 * to MAIL (OpenSMTPD: 452). What a used connection is refused for now, a new
 * one is asked again; its answer is then the hop's.
 */
function isUsedUp(answer: Answer): boolean {
  return !(answer instanceof Loss) && answer.status >= 400 && answer.status < 500
}

function repeat(reply: Reply, count: number): readonly Reply[] {
  return Array.from({ length: count }, () => reply)
}
