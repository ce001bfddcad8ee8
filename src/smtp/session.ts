/**
 * One SMTP or LMTP session as a state machine without I/O (RFC 5321, 2033, 2920,
 * 3030, 3207). Bytes go in by `receive`, replies come out through the transport,
 * decisions are the handler's. One command is answered before the next is read,
 * so pipelined commands (RFC 2920) wait in a bounded buffer; their replies go
 * out in one write.
 *
 * A failure of the handler (a bug) ends the session with 421: the client keeps
 * its message.
 */
import { parseCommand } from './command.ts'
import { formatReply, isPositive, replyClass, type Reply } from './reply.ts'
import { MessageIntake } from './message-intake.ts'
import type { SessionFacts, SessionHandler, TlsFacts } from './session-handler.ts'
import { Conversation, type SessionOptions } from './conversation.ts'
import * as replies from './reply-catalogue.ts'
import type { SessionContext } from './session-context.ts'
import type { Transport } from './transport.ts'

type Mode = 'COMMAND' | 'SKIP_LINE' | 'DATA' | 'BDAT' | 'TLS' | 'CLOSED'

/** Unread input above which the client is made to wait. */
const PAUSE_BYTES = 64 * 1024
/** Replies gathered before they are written even though more commands wait. */
const FLUSH_CHARACTERS = 16 * 1024
const LF = 0x0a
const CR = 0x0d
const EMPTY = Buffer.alloc(0)

export class Session {
  private readonly transport: Transport
  private readonly options: SessionOptions
  private readonly now: () => number
  private readonly onError: (error: unknown) => void
  private readonly conversation: Conversation
  private mode: Mode = 'COMMAND'
  private input: Buffer = EMPTY
  private position = 0
  private output = ''
  private busy = false
  private paused = false
  /** the client does not read what we write */
  private choked = false
  private ended = false
  private stopping = false
  /** the session has lasted too long; a client that is busy at every tick hears it at its next command */
  private overdue = false
  private intake: MessageIntake | null = null
  /** of the BDAT chunk under way */
  private chunk = { octets: 0, remaining: 0, last: false }
  private readonly startedMs: number
  private deadlineMs: number

  /** @param makeHandler is given the facts that the session keeps up to date */
  constructor(context: SessionContext, makeHandler: (facts: SessionFacts) => SessionHandler) {
    this.transport = context.transport
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
    this.input = this.position === this.input.length ? piece : Buffer.concat([this.input.subarray(this.position), piece])
    this.position = 0
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
    this.choked = false
    if (!this.busy) this.pump()
    this.balance()
  }

  /** TLS stands: what the client said in clear is forgotten (RFC 3207 §4.2); what a trusted peer said by XCLIENT stays. */
  secured(tls: TlsFacts): void {
    this.conversation.secured(tls)
    if (this.mode === 'TLS') this.mode = 'COMMAND'
    this.choked = false // what was written in clear is out
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
    if (this.busy) this.flush() // the client sees the replies that wait behind a slow one
    else if (now >= this.deadlineMs) this.close(replies.IDLE_TOO_LONG)
    else if (this.overdue) this.close(replies.SESSION_TOO_LONG)
  }

  /** Ends the session at the next place where no message is under way. */
  stop(): void {
    this.stopping = true
    if (this.mode === 'COMMAND' && !this.busy && !this.conversation.inTransaction) this.close(replies.CLOSING_DOWN)
  }

  /** Says a last reply and closes. */
  close(reply: Reply | null): void {
    if (this.mode === 'CLOSED') return
    // While a handshake runs nothing can be said.
    if (reply !== null && this.mode !== 'TLS') this.output += formatReply(reply)
    this.flush()
    this.mode = 'CLOSED'
    this.forget()
    this.transport.end()
  }

  private forget(): void {
    this.input = EMPTY
    this.position = 0
    this.dropMessage()
    this.conversation.closed()
  }

  private dropMessage(): void {
    this.intake?.abort()
    this.intake = null
  }

  /* --- input --- */

  private pump(): void {
    this.guarded(() => this.read())
  }

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
    while (!this.busy && !this.choked && this.position < this.input.length) {
      if (this.output.length > FLUSH_CHARACTERS) this.flush()
      switch (this.mode) {
        case 'COMMAND':
          if (!this.readLine()) return
          break
        case 'SKIP_LINE':
          this.skipLine()
          break
        case 'DATA':
          this.readData()
          break
        case 'BDAT':
          this.readChunk()
          break
        case 'TLS':
        case 'CLOSED':
          this.input = EMPTY
          this.position = 0
          return
      }
    }
  }

  /** Takes one command line; false where none is complete yet. */
  private readLine(): boolean {
    const end = this.input.indexOf(LF, this.position)
    const max = this.options.limits.commandLineBytes
    const length = (end < 0 ? this.input.length : end + 1) - this.position
    if (length > max) {
      this.answer(replies.LINE_TOO_LONG)
      if (end >= 0) this.position = end + 1
      else if (this.mode === 'COMMAND') this.mode = 'SKIP_LINE'
      return true
    }
    if (end < 0) return false
    const start = this.position
    this.position = end + 1
    if (end === start || this.input[end - 1] !== CR) this.answer(replies.LINE_END)
    else this.obey(this.input.toString('latin1', start, end - 1))
    return true
  }

  private skipLine(): void {
    const end = this.input.indexOf(LF, this.position)
    this.position = end < 0 ? this.input.length : end + 1
    if (end >= 0) this.mode = 'COMMAND'
  }

  private readData(): void {
    const intake = this.intake
    if (intake === null) throw new Error('DATA without an intake')
    this.extendDeadline(this.options.timeouts.dataMs)
    this.position += intake.take(this.input.subarray(this.position))
    if (intake.ended) this.finishMessage(intake)
    else if (intake.wait !== undefined) this.await(intake.wait)
  }

  private readChunk(): void {
    const piece = this.input.subarray(this.position, this.position + this.chunk.remaining)
    this.extendDeadline(this.options.timeouts.dataMs)
    this.position += piece.length
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
    this.input = EMPTY
    this.position = 0
    this.answer(replies.READY_FOR_TLS)
    this.flush()
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
    for (const reply of answers) this.output += formatReply(reply)
    this.extendDeadline(this.options.timeouts.commandMs)
    const error = answers.find((reply) => replyClass(reply) === 5)
    const last = error === undefined ? undefined : this.conversation.countError(error)
    if (last !== undefined) this.close(last)
  }

  /** Nothing more to read for now: what was said goes out. */
  private settle(): void {
    if (this.busy || this.mode === 'CLOSED') return
    if (this.position === this.input.length) {
      this.input = EMPTY
      this.position = 0
    }
    this.flush()
    if (this.ended && !this.choked) this.close(null)
    else if (this.stopping) this.stop()
  }

  private flush(): void {
    if (this.output === '') return
    const text = this.output
    this.output = ''
    if (!this.transport.write(text)) this.choked = true
  }

  private balance(): void {
    const waiting = this.input.length - this.position
    const stuck = this.busy || this.choked
    if (!this.paused && waiting > PAUSE_BYTES && stuck) {
      this.paused = true
      this.transport.pause()
    } else if (this.paused && (waiting <= PAUSE_BYTES || !stuck)) {
      this.paused = false
      if (this.mode !== 'CLOSED') this.transport.resume()
    }
  }

  private extendDeadline(byMs: number): void {
    this.deadlineMs = this.now() + byMs
  }
}
