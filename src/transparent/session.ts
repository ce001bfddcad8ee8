/**
 * One session that passes through (RFC 5321): banner, replies and commands go
 * unchanged between a client and its relay, only messages are taken in, made
 * ready by somebody else, and sent on. No I/O: bytes of both sides go in, bytes
 * for both come out through the ports.
 *
 * Whose turn it is: the client's lines go on at once, in order. Behind a command
 * whose reply may change what the bytes mean (all but MAIL, RCPT, RSET, NOOP)
 * nothing is read until the relay has answered. A 334 makes the next line a
 * response (AUTH, RFC 4954), a 354 makes what follows a message. Without a 354
 * there is none, whatever the client believes: bytes that it has sent already
 * are not read as commands, the session ends.
 *
 * What cannot pass: STARTTLS, BDAT and BURL are answered with 502 by us, and are
 * not offered; the octets of a BDAT are skipped. A command line with a control
 * character (a bare CR, a NUL, a form feed that some take for a blank) is answered
 * with 500, since relay and we might read it differently.
 *
 * A message that is refused by us was announced to the relay already, so its
 * connection is dropped: the client gets its reply, and 421 to what follows.
 * Where the relay is lost, 421 as well: the client keeps its message.
 */
import { ClientLines } from './client-lines.ts'
import { DueReplies } from './due-replies.ts'
import { Flow } from './flow.ts'
import { Overheard } from './overheard.ts'
import { MessagePassage, type PassageEnd } from './passage.ts'
import { RelayReplies, describeRelayReply, wireOf, withheld, type RelayReply } from './relay-replies.ts'
import { SessionClock } from './session-clock.ts'
import type { SessionPhase, TransparentOptions, TransparentPorts } from './session-ports.ts'
import * as own from './own-replies.ts'

/** all but the tab */
const CONTROL_CHARACTER = /[\x00-\x08\x0a-\x1f\x7f]/

export class TransparentSession {
  private readonly ports: TransparentPorts
  private readonly options: TransparentOptions
  private readonly overheard = new Overheard()
  private readonly replies = new RelayReplies()
  private phase: SessionPhase = 'greeting'
  private readonly due: DueReplies
  private readonly input: ClientLines
  private readonly flow: Flow
  private responding = false
  private passage: MessagePassage | undefined
  private halfClosed = false
  private relayGone = false
  private stopping = false
  private readonly clock: SessionClock

  constructor(ports: TransparentPorts, options: TransparentOptions) {
    this.ports = ports
    this.options = options
    this.flow = new Flow(ports)
    this.due = new DueReplies((text) => this.flow.toClient(text))
    this.input = new ClientLines(options.maxLineBytes)
    this.clock = new SessionClock(options.now)
    this.balance()
  }

  /* --- what comes in --- */

  fromClient(piece: Buffer): void {
    if (this.phase === 'closed') return
    this.input.feed(piece)
    this.guarded(() => this.pump())
  }

  fromRelay(piece: Buffer): void {
    if (this.phase === 'closed' || this.relayGone) return
    this.replies.feed(piece)
    this.guarded(() => {
      for (let reply = this.replies.next(); reply !== undefined; reply = this.replies.next()) {
        if (typeof reply === 'string') return this.relayFails(reply)
        this.onReply(reply)
        if (this.isClosed() || this.relayGone) return
      }
      this.pump()
    })
  }

  clientDrained(): void {
    this.flow.drained('client')
    this.balance()
  }

  relayDrained(): void {
    this.flow.drained('relay')
    this.clock.relayBegins()
    this.passage?.relayDrained()
    this.balance()
  }

  /** The client sends no more; it may still read. */
  clientEnded(): void {
    if (this.phase === 'closed') return
    this.halfClosed = true
    this.guarded(() => this.pump())
  }

  /** The client's connection is gone. */
  clientLost(): void {
    if (this.phase !== 'closed') this.close()
  }

  /** The relay's connection is gone, or could not be had. */
  relayLost(down = false): void {
    if (this.phase === 'closed' || this.relayGone) return
    this.relayGone = true
    this.guarded(() => this.afterRelay(down ? own.NEXT_HOP_DOWN : own.NEXT_HOP_LOST))
  }

  tick(): void {
    if (this.phase === 'closed') return
    const { clock, options: { timeouts } } = this
    if (this.passage?.working === true && !this.flow.relayChoked) clock.relayBegins()
    else if (this.due.length > 0 || this.phase === 'passing') {
      if (clock.relayWaitedMs >= timeouts.relayMs) this.endWith(own.NEXT_HOP_SILENT)
    } else if (clock.clientWaitedMs >= timeouts.clientMs) this.endWith(own.IDLE)
  }

  /** Ends at the next place where no transaction is under way. */
  stop(): void {
    this.stopping = true
    this.guarded(() => this.settle())
  }

  /** Ends at once. */
  abort(): void {
    if (this.phase !== 'closed') this.endWith(own.CLOSING_DOWN)
  }

  /* --- the client's side --- */

  private pump(): void {
    while (this.phase !== 'closed' && this.step());
    this.settle()
    this.balance()
  }

  /** One line or one piece of a message; false where nothing can be read now. */
  private step(): boolean {
    if (this.phase === 'message' || this.phase === 'drained') return this.stepMessage()
    if (this.phase !== 'commands' && this.phase !== 'orphaned') return false
    if (!this.due.open) return false
    const line = this.input.next()
    if (line === undefined) return false
    this.clock.clientBegins()
    if (line.status === 'line') this.command(line.text)
    else this.refuseLine(own.LINE_TOO_LONG)
    return true
  }

  private command(line: string): void {
    const verb = /^[ \t]*([^ \t]*)/.exec(line)?.[1]?.toUpperCase() ?? ''
    if (this.phase === 'orphaned') {
      if (verb === 'QUIT') this.endWith(own.BYE)
      else this.endWith(own.NEXT_HOP_LOST)
      return
    }
    if ((this.responding ? /[\r\0]/ : CONTROL_CHARACTER).test(line)) this.refuseLine(own.BAD_CHARACTER)
    else if (this.responding) {
      this.responding = false
      this.overheard.authResponds(line)
      this.pass('AUTH', line)
    } else if (verb === 'STARTTLS' || verb === 'BURL') this.due.own(own.notOffered(verb))
    else if (verb === 'BDAT') this.refuseChunk(line)
    else {
      if (verb === 'AUTH') this.overheard.authBegins(line)
      this.pass(verb, line)
    }
  }

  private refuseLine(text: string): void {
    // The relay waits for a response: to it the next command would be one (RFC 4954 §4).
    if (this.responding) this.pass('AUTH', '*')
    else this.due.own(text)
    this.responding = false
  }

  /** RFC 3030 §2: the octets follow whatever we say. */
  private refuseChunk(line: string): void {
    const octets = /^\s*BDAT +(\d{1,15})(?: +LAST)? *$/i.exec(line)?.[1]
    if (octets === undefined) return this.endWith(own.BDAT_SYNTAX)
    this.due.own(own.notOffered('BDAT'))
    this.input.skipOctets(Number(octets))
  }

  private pass(verb: string, line: string): void {
    if (this.due.length === 0) this.clock.relayBegins()
    this.due.relay(verb, line)
    this.options.trace?.('client', verb === 'AUTH' ? 'AUTH …' : line)
    this.flow.toRelay(`${line}\r\n`)
  }

  /* --- the relay's side --- */

  private onReply(reply: RelayReply): void {
    const due = this.due.take()
    this.clock.bothBegin()
    this.options.trace?.('relay', describeRelayReply(reply))
    if (due === undefined) return this.unasked(reply)
    if (due.verb === '.') return this.onFinalReply(reply)
    const passes = due.verb === 'EHLO' && reply.status === 250 ? withheld(reply) : reply
    this.flow.toClient(wireOf(passes))
    if (this.phase === 'greeting') this.phase = 'commands'
    const positive = reply.status < 300
    if (due.verb === 'AUTH' && reply.status !== 334) this.overheard.authEnds(positive)
    else if (positive) this.overheard.agreed(due.verb, due.line)
    if (reply.status === 421 || (due.verb === 'QUIT' && positive)) return this.relayCloses()
    // Behind a command that waits for more nothing can have been sent: which reply is whose is not known then.
    if (reply.status >= 300 && reply.status < 400 && this.due.length > 0) return this.relayFails('a 3xx while other commands waited')
    if (reply.status === 354) this.beginMessage()
    else if (reply.status === 334) {
      this.responding = true
      this.overheard.authChallenged(reply.lines.at(-1)?.slice(4).trim() ?? '')
    }
    // The client took our silence for a 354, and what it sent is no command.
    else if (due.verb === 'DATA' && this.input.length > 0) return this.endWith(own.DATA_REFUSED)
    this.due.flushOwn()
  }

  /** RFC 5321 §3.8: 421 may come at any time. Anything else that was not asked for shifts every reply. */
  private unasked(reply: RelayReply): void {
    if (reply.status !== 421) return this.relayFails(`a reply that nothing was asked for: ${describeRelayReply(reply)}`)
    if (this.phase === 'message') return this.relayLost()
    this.flow.toClient(wireOf(reply))
    this.relayCloses()
  }

  /** It has said so, and the client knows. */
  private relayCloses(): void {
    this.relayGone = true
    this.ports.endRelay()
    this.ports.endClient()
    this.close()
  }

  private relayFails(cause: string): void {
    this.options.onError(new Error(`the relay sent ${cause}`))
    this.relayGone = true
    this.ports.dropRelay()
    this.afterRelay(own.NEXT_HOP_CONFUSED)
  }

  /** The relay is gone, and nobody has told the client. */
  private afterRelay(text: string): void {
    switch (this.phase) {
      case 'message':
        this.passage?.giveUp()
        this.phase = 'drained'
        this.pump()
        return
      case 'orphaned':
      case 'drained':
      case 'closed':
        return
      case 'greeting':
      case 'commands':
      case 'passing':
        this.endWith(text)
    }
  }

  /* --- messages --- */

  private beginMessage(): void {
    const { newlines, maxMessageBytes, makeMessage } = this.options
    this.phase = 'message'
    this.passage = new MessagePassage(makeMessage(this.overheard.envelope()), {
      newlines, maxMessageBytes,
      toRelay: (bytes) => {
        this.clock.relayBegins()
        return this.flow.toRelay(bytes)
      },
      onReady: () => this.guarded(() => this.pump()),
      onEnd: (end) => this.guarded(() => this.onPassageEnd(end)),
    })
  }

  private stepMessage(): boolean {
    const { passage } = this
    if (passage === undefined || this.input.length === 0 || passage.waits) return false
    this.input.read((bytes) => {
      this.clock.clientSent(bytes)
      return passage.take(bytes)
    })
    if (!passage.ended) return this.input.length > 0
    if (this.phase === 'drained') {
      this.endWith(own.NEXT_HOP_LOST)
      return false
    }
    this.phase = 'passing'
    this.due.relay('.', '')
    passage.finish()
    return false
  }

  private onPassageEnd(end: PassageEnd): void {
    if (this.phase !== 'passing') return
    // Whatever broke is ours: the client keeps its message.
    if (end.status === 'failed') this.options.onError(end.error)
    this.finishMessage(end.status === 'failed' ? own.INTERNAL : end.reply)
  }

  /** The relay's word on the message; before it has all of it that can only be a refusal. */
  private onFinalReply(reply: RelayReply): void {
    const early = this.passage?.working === true
    if (early && reply.status < 400) return this.relayFails(`a reply before the message was sent: ${describeRelayReply(reply)}`)
    const text = wireOf(reply)
    if (early) return this.finishMessage(text)
    this.report(text)
    this.phase = 'commands'
    this.overheard.endTransaction()
    this.flow.toClient(text)
    if (reply.status === 421) this.relayCloses()
  }

  /** The client has its reply, and the relay does not have the message. */
  private finishMessage(text: string): void {
    this.report(text)
    this.dropRelay()
    this.due.clear()
    this.phase = 'orphaned'
    this.clock.clientBegins()
    this.flow.toClient(text)
    this.pump()
  }

  /** The message, if there is one, is over. @param text '' where nobody hears of it */
  private report(text: string): void {
    const { passage } = this
    if (passage === undefined) return
    this.passage = undefined
    passage.giveUp()
    const { sender, recipients } = this.overheard.envelope()
    this.options.onEnd?.({ sender, recipients, size: passage.size, reply: text.trimEnd().replaceAll(/\r?\n/g, ' / ') })
  }

  /* --- ends --- */

  /** Nothing more can come of this session, or it was asked to end. */
  private settle(): void {
    if (this.isClosed()) return
    const idle = this.due.length === 0 && !this.responding && (this.phase === 'commands' || this.phase === 'orphaned')
    if (idle && this.stopping && !this.overheard.open && this.input.length === 0) return this.endWith(own.CLOSING_DOWN)
    if (!this.halfClosed) return
    const inMessage = (this.phase === 'message' || this.phase === 'drained') && this.passage?.waits !== true
    if (idle || inMessage) {
      // A command without its line end is none, and a message without its end is none.
      this.ports.endClient()
      this.close()
    }
  }

  private endWith(text: string): void {
    this.report(text)
    this.flow.toClient(text)
    this.ports.endClient()
    this.close()
  }

  private dropRelay(): void {
    if (!this.relayGone) this.ports.dropRelay()
    this.relayGone = true
  }

  private close(): void {
    this.phase = 'closed'
    this.dropRelay()
    this.report('')
    this.input.clear()
    this.due.clear()
  }

  /** A function, because it is asked again after something that may have closed it. */
  isClosed(): boolean {
    return this.phase === 'closed'
  }

  private guarded(work: () => void): void {
    if (this.phase === 'closed') return
    try {
      work()
      this.balance()
    } catch (error) {
      this.options.onError(error)
      if (!this.isClosed()) this.endWith(own.INTERNAL_CLOSING)
    }
  }

  /** What waits here is bounded by a line and one read of the socket. */
  private balance(): void {
    if (this.phase === 'closed') return
    const inMessage = this.phase === 'message' || this.phase === 'drained'
    this.flow.balance(inMessage ? this.passage?.waits !== true : this.input.length <= this.options.maxLineBytes)
  }
}
