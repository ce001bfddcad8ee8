/**
 * One SMTP or LMTP session as a state machine without I/O (RFC 5321, 2033, 2920,
 * 3030, 3207, 4954). Bytes go in by `receive`, replies come out through the transport,
 * decisions are the handler's. One command is answered before the next is read,
 * so pipelined commands (RFC 2920) wait in a bounded buffer; their replies go
 * out in one write.
 *
 * A failure of the handler (a bug) ends the session with 421: the client keeps
 * its message.
 */
import { AuthDialogue, MAX_RESPONSE_BYTES, type AuthOutcome } from './auth-dialogue.ts'
import { parseCommand } from './command.ts'
import { isPositive, replyClass, type Reply } from './reply.ts'
import { MessageIntake } from './message-intake.ts'
import type { SessionFacts, SessionHandler, TlsFacts } from './session-handler.ts'
import { Conversation, type SessionOptions } from './conversation.ts'
import * as replies from './reply-catalogue.ts'
import type { SessionContext } from './session-context.ts'
import { SessionInput } from './session-input.ts'
import { SessionOutput } from './session-output.ts'
import type { Transport } from './transport.ts'

type Mode = 'COMMAND' | 'SKIP_LINE' | 'AUTH' | 'DATA' | 'BDAT' | 'TLS' | 'CLOSED'

export class Session {
  private readonly transport: Transport
  private readonly options: SessionOptions
  private readonly now: () => number
  private readonly onError: (error: unknown) => void
  private readonly conversation: Conversation
  private mode: Mode = 'COMMAND'
  private readonly input = new SessionInput()
  private readonly output: SessionOutput
  private busy = false
  private ended = false
  private stopping = false
  /** the session has lasted too long; a client that is busy at every tick hears it at its next command */
  private overdue = false
  private intake: MessageIntake | null = null
  private dialogue: AuthDialogue | null = null
  /** of the BDAT chunk under way */
  private chunk = { octets: 0, remaining: 0, last: false }
  private readonly startedMs: number
  private deadlineMs: number

  /** @param makeHandler is given the facts that the session keeps up to date */
  constructor(context: SessionContext, makeHandler: (facts: SessionFacts) => SessionHandler) {
    this.transport = context.transport
    this.output = new SessionOutput(context.transport)
    this.options = context.options
    this.now = context.now
    this.onError = context.onError
    this.conversation = new Conversation(context.options, makeHandler)
    this.startedMs = this.now()
    this.deadlineMs = this.startedMs + this.options.timeouts.commandMs
  }

  /** Greets, or refuses. To be called once, before any `receive`. */
  start(): void {
    this.guarded(() => this.greet())
  }

  receive(piece: Buffer): void {
    if (this.mode === 'CLOSED' || this.mode === 'TLS') return
    this.conversation.heard()
    this.input.append(piece)
    if (!this.busy) this.pump()
    this.balance()
  }

  /** The client sends no more, but may still read: what is under way is answered, then we close. */
  inputEnded(): void {
    this.ended = true
    this.settle()
  }

  /** The client reads again. */
  drained(): void {
    this.output.choked = false
    if (!this.busy) this.pump()
    this.balance()
  }

  /** TLS stands: what the client said in clear is forgotten (RFC 3207 §4.2); what a trusted peer said by XCLIENT stays. */
  secured(tls: TlsFacts): void {
    this.conversation.secured(tls)
    if (this.mode === 'TLS') this.mode = 'COMMAND'
    this.output.choked = false // what was written in clear is out
    this.extendDeadline(this.options.timeouts.commandMs)
    this.settle()
  }

  /** The connection is gone. */
  lost(): void {
    if (this.mode === 'CLOSED') return
    this.mode = 'CLOSED'
    this.forget()
  }

  /** To be called about once a second: ends what lasts too long. */
  tick(): void {
    if (this.mode === 'CLOSED') return
    const now = this.now()
    this.overdue = now - this.startedMs >= this.options.timeouts.sessionMs
    if (this.busy) this.output.flush() // the client sees the replies that wait behind a slow one
    else if (now >= this.deadlineMs) this.close(replies.IDLE_TOO_LONG)
    else if (this.overdue) this.close(replies.SESSION_TOO_LONG)
  }

  /** Ends the session at the next place where no message is under way. */
  stop(): void {
    this.stopping = true
    const waits = this.mode === 'AUTH' || (this.mode === 'COMMAND' && !this.conversation.inTransaction)
    if (waits && !this.busy) this.close(replies.CLOSING_DOWN)
  }

  /** Says a last reply and closes. */
  close(reply: Reply | null): void {
    if (this.mode === 'CLOSED') return
    // While a handshake runs nothing can be said.
    if (reply !== null && this.mode !== 'TLS') this.output.say(reply)
    this.output.flush()
    this.mode = 'CLOSED'
    this.forget()
    this.transport.end()
  }

  private forget(): void {
    this.input.clear()
    this.dropMessage()
    this.dialogue?.abort()
    this.dialogue = null
    this.conversation.closed()
  }

  private dropMessage(): void {
    this.intake?.abort()
    this.intake = null
  }

  /* --- input --- */

  private readonly pump = (): void => this.guarded(() => this.read())

  /** A throw is a bug of the handler, or ours: it costs this session only. */
  private guarded(work: () => void): void {
    try {
      work()
      this.settle()
    } catch (error) {
      this.fail(error)
    }
  }

  private read(): void {
    while (!this.busy && !this.output.choked && this.input.waiting > 0) {
      this.output.flushMuch()
      switch (this.mode) {
        case 'COMMAND':
          if (!this.readLine()) return
          break
        case 'SKIP_LINE':
          if (this.input.skipLine()) this.mode = 'COMMAND'
          break
        case 'AUTH':
          if (!this.readResponse()) return
          break
        case 'DATA':
          this.readData()
          break
        case 'BDAT':
          this.readChunk()
          break
        case 'TLS':
        case 'CLOSED':
          return this.input.clear()
      }
    }
  }

  /** Takes one command line; false where none is complete yet. */
  private readLine(): boolean {
    const line = this.input.takeLine(this.options.limits.commandLineBytes)
    if (line === undefined) return false
    if (line.status === 'line') this.obey(line.text)
    else this.answer(line.status === 'bare' ? replies.LINE_END : replies.LINE_TOO_LONG)
    if (line.status === 'too-long' && !line.whole && this.mode === 'COMMAND') this.mode = 'SKIP_LINE'
    return true
  }

  private readData(): void {
    const intake = this.intake
    if (intake === null) throw new Error('DATA without an intake')
    this.extendDeadline(this.options.timeouts.dataMs)
    this.input.advance(intake.take(this.input.peek()))
    if (intake.ended) this.finishMessage(intake)
    else if (intake.wait !== undefined) this.await(intake.wait)
  }

  private readChunk(): void {
    const piece = this.input.peek(this.chunk.remaining)
    this.extendDeadline(this.options.timeouts.dataMs)
    this.input.advance(piece.length)
    this.chunk.remaining -= piece.length
    const intake = this.intake
    if (intake !== null) intake.take(piece)
    if (this.chunk.remaining === 0) this.finishChunk()
    else if (intake?.wait !== undefined) this.await(intake.wait)
  }

  /* --- commands --- */

  private obey(line: string): void {
    const command = parseCommand(line)
    if (this.overdue && command.verb !== 'QUIT') return this.close(replies.SESSION_TOO_LONG)
    if (this.conversation.countJunk(command.verb)) return this.close(replies.TOO_MUCH_JUNK)
    if (this.stopping && !this.conversation.inTransaction) return this.close(command.verb === 'QUIT' ? replies.BYE : replies.CLOSING_DOWN)
    switch (command.verb) {
      case 'QUIT':
        return this.close(replies.BYE)
      case 'DATA':
        return this.startData()
      case 'BDAT':
        return this.startChunk(command.octets, command.last)
      case 'STARTTLS':
        return this.startTls()
      case 'AUTH':
        return this.startAuth(command.mechanism, command.initial)
      case 'XCLIENT': {
        const refusal = this.conversation.xclient(command.attributes)
        return refusal === undefined ? this.greet() : this.answer(refusal)
      }
      case 'malformed':
        return command.fatal ? this.close(command.reply) : this.answer(command.reply)
      default: {
        const reply = this.conversation.answer(command)
        // RSET and EHLO between two chunks: the message is not to be used (RFC 3030 §2).
        if (!this.conversation.inTransaction) this.dropMessage()
        if (reply instanceof Promise) this.await(reply.then(this.say))
        else this.answer(reply)
      }
    }
  }

  private greet(): void {
    const greeting = this.conversation.connect()
    const go = (reply: Reply) => (isPositive(reply) ? this.answer(reply) : this.close(reply))
    if (greeting instanceof Promise) this.await(greeting.then(go))
    else go(greeting)
  }

  private startTls(): void {
    const refusal = this.conversation.refuseStartTls()
    if (refusal !== undefined) return this.answer(refusal)
    // What was pipelined behind STARTTLS came in clear: anyone may have put it there (RFC 3207 §4.2).
    this.input.clear()
    this.answer(replies.READY_FOR_TLS)
    this.output.flush()
    this.mode = 'TLS'
    this.extendDeadline(this.options.timeouts.handshakeMs)
    this.transport.startTls()
  }

  private startData(): void {
    const refusal = this.conversation.refuseData()
    if (refusal !== undefined) return this.answer(refusal)
    this.intake = this.conversation.openMessage(false)
    this.answer(replies.START_INPUT)
    this.mode = 'DATA'
    this.extendDeadline(this.options.timeouts.dataMs)
  }

  /** RFC 3030 §2: the chunk follows at once, whether it is welcome or not. */
  private startChunk(octets: number, last: boolean): void {
    this.chunk = { octets, remaining: octets, last }
    if (this.conversation.refuseChunk() === undefined) this.intake ??= this.conversation.openMessage(true)
    this.mode = 'BDAT'
    if (octets === 0) this.finishChunk()
  }

  private finishChunk(): void {
    this.mode = 'COMMAND'
    const intake = this.intake
    if (intake === null) {
      this.answer(this.conversation.refuseChunk() ?? replies.BDAT_FAILED)
    } else if (this.chunk.last) {
      this.finishMessage(intake)
    } else if (intake.tooBig) {
      const [refusal = replies.BDAT_FAILED] = intake.refuse(replies.tooBig(this.conversation.maxMessageBytes))
      this.intake = null
      this.conversation.chunkFailed()
      this.answer(refusal)
    } else {
      const reply = replies.chunkReceived(this.chunk.octets)
      if (intake.wait === undefined) this.answer(reply)
      else this.await(intake.wait.then(() => this.answer(reply)))
    }
  }

  private finishMessage(intake: MessageIntake): void {
    this.mode = 'COMMAND'
    this.intake = null
    this.await(
      intake.finish().then((answers) => {
        this.conversation.messageDone(answers)
        this.answer(...answers)
      }),
    )
  }

  /* --- AUTH --- */

  private startAuth(mechanism: string, initial: string | null): void {
    const dialogue = this.conversation.auth(mechanism)
    if (!(dialogue instanceof AuthDialogue)) return this.answer(dialogue)
    this.dialogue = dialogue
    this.await(dialogue.begin(initial).then(this.conclude))
  }

  /** Takes one answer to a challenge; false where none is complete yet. */
  private readResponse(): boolean {
    const line = this.input.takeLine(MAX_RESPONSE_BYTES)
    if (line === undefined) return false
    if (this.dialogue === null) throw new Error('a response without an AUTH')
    this.mode = line.status === 'too-long' && !line.whole ? 'SKIP_LINE' : 'COMMAND'
    if (this.overdue) this.close(replies.SESSION_TOO_LONG)
    else this.await(this.dialogue.respond(line).then(this.conclude))
    return true
  }

  private readonly conclude = (outcome: AuthOutcome): void => {
    if (this.mode === 'CLOSED') return
    if (outcome.status === 'challenge') {
      this.mode = 'AUTH'
      return this.answer(outcome.reply)
    }
    this.dialogue = null
    if (outcome.status === 'authenticated') this.conversation.authenticated(outcome.authentication)
    if (outcome.reply.status === 421) return this.close(outcome.reply)
    this.answer(outcome.reply)
    // A guess that is put off is one all the same: 5xx are counted already.
    if (replyClass(outcome.reply) === 4) this.countError(outcome.reply)
  }

  /* --- output --- */

  /** Waits for the handler; then the next command is read. */
  private await(work: Promise<void>): void {
    this.busy = true
    work.then(this.resume, this.fail)
  }

  private readonly resume = (): void => {
    this.busy = false
    if (this.mode === 'CLOSED') return
    this.pump()
    this.balance()
  }

  private readonly fail = (error: unknown): void => {
    this.busy = false
    this.onError(error)
    this.close({ ...replies.INTERNAL, status: 421 })
  }

  private readonly say = (reply: Reply): void => this.answer(reply)

  /** The replies to one command: an error in them counts once, so that LMTP's are all said before a 421. */
  private answer(...answers: readonly Reply[]): void {
    if (this.mode === 'CLOSED') return
    for (const reply of answers) this.output.say(reply)
    this.extendDeadline(this.options.timeouts.commandMs)
    const error = answers.find((reply) => replyClass(reply) === 5)
    if (error !== undefined) this.countError(error)
  }

  private countError(error: Reply): void {
    const last = this.conversation.countError(error)
    if (last !== undefined) this.close(last)
  }

  /** Nothing more to read for now: what was said goes out. */
  private settle(): void {
    if (this.busy || this.mode === 'CLOSED') return
    this.input.tidy()
    this.output.flush()
    if (this.ended && !this.output.choked) this.close(null)
    else if (this.stopping) this.stop()
  }

  private balance(): void {
    if (this.mode !== 'CLOSED') this.output.balance(this.input.waiting, this.busy || this.output.choked)
  }

  private extendDeadline(byMs: number): void {
    this.deadlineMs = this.now() + byMs
  }
}
