/**
 * One connection to an SMTP or LMTP server: the socket below, commands and
 * replies above. It knows nothing of what the commands mean.
 *
 * Replies are matched to what was sent, in order. Each awaited reply ends as a
 * `Reply` or as a `Loss`; nothing rejects. Bytes that nobody waits for, and
 * bytes that are no reply, end the connection: from then on it could not be
 * known which reply belongs to what.
 *
 * Waits are bounded by one deadline, compared in `tick` by whoever owns the
 * connection; there are no timers here.
 */
import { TLSSocket, connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { Socket } from 'node:net'
import type { Concealment } from './concealment.ts'
import { describeReply, withText, type Reply } from './reply.ts'
import { ReplyParser, isMalformed } from './reply-parser.ts'
import { exported } from './tls-facts.ts'

/** Why a connection is no more. */
export class Loss {
  readonly cause: 'unreachable' | 'closed' | 'error' | 'timeout' | 'malformed' | 'unsolicited' | 'tls' | 'dropped'
  /** for the log */
  readonly detail: string

  constructor(cause: Loss['cause'], detail: string) {
    this.cause = cause
    this.detail = detail
  }
}

export type Answer = Reply | Loss

interface Expected {
  readonly timeoutMs: number
  readonly resolve: (answer: Answer) => void
}

export class ClientConnection {
  #socket: Socket
  #remoteAddress: string | undefined
  #now: () => number
  #parser = new ReplyParser()
  #expected: Expected[] = []
  #deadline = Infinity
  #loss: Loss | undefined
  #closed: Promise<void>
  #resolveClosed: () => void = () => undefined
  #onConnected: ((loss?: Loss) => void) | undefined
  #onDrained: (() => void) | undefined
  #concealment: Concealment | undefined
  /** Called once, when the connection is lost or dropped. */
  onLoss: ((loss: Loss) => void) | undefined

  /** Takes a socket that is connecting, or connected. */
  constructor(socket: Socket, now: () => number) {
    this.#socket = socket
    this.#remoteAddress = socket.remoteAddress
    this.#now = now
    this.#closed = new Promise((resolve) => this.#resolveClosed = resolve)
    // A command is one write and waits for its answer: nothing to gather (RFC 896 would).
    socket.setNoDelay(true)
    socket.once('close', this.#resolveClosed)
    this.#listen()
  }

  get loss(): Loss | undefined {
    return this.#loss
  }

  /** Nothing is awaited and nothing is half read: the next command gets its own reply. */
  get quiet(): boolean {
    return this.#loss === undefined && this.#expected.length === 0 && this.#parser.empty
  }

  /** Replies that are still to come. */
  get outstanding(): number {
    return this.#expected.length
  }

  /** Resolves when the socket is closed. */
  get closed(): Promise<void> {
    return this.#closed
  }

  /** Waits for the connection; undefined when it stands. */
  connected(timeoutMs: number): Promise<Loss | undefined> {
    if (this.#loss || !this.#socket.connecting) return Promise.resolve(this.#loss)
    this.#deadline = this.#now() + timeoutMs
    return this.#arrival('connect')
  }

  /**
   * Puts TLS on the connection; undefined when it stands. Nothing may have been
   * received that is not read: it came in clear and is worth nothing (RFC 3207 §6).
   */
  secure(options: ConnectionOptions, timeoutMs: number): Promise<Loss | undefined> {
    if (this.#loss) return Promise.resolve(this.#loss)
    if (!this.#parser.empty) return Promise.resolve(this.lose(new Loss('unsolicited', this.#parser.rest)))
    const plain = this.#socket
    plain.off('data', this.#onData).off('drain', this.#onDrain).off('end', this.#onEnd)
    this.#deadline = this.#now() + timeoutMs
    this.#socket = connectTls({ ...options, socket: plain })
    this.#listen()
    return this.#arrival('secureConnect')
  }

  /** Under TLS, with a certificate that was verified. */
  get verified(): boolean {
    return this.#socket instanceof TLSSocket && this.#socket.authorized
  }

  get encrypted(): boolean {
    return 'encrypted' in this.#socket
  }

  /** RFC 9266; undefined without TLS 1.3 */
  get channelBinding(): Buffer | undefined {
    const socket = this.#socket
    return socket instanceof TLSSocket ? exported(socket, socket.getProtocol()) : undefined
  }

  /** The address at the other end, also when the connection is lost; undefined for a unix socket, or where there was no connection. */
  get remoteAddress(): string | undefined {
    return this.#remoteAddress
  }

  /** Writes one command line, or several (pipelined); their replies are awaited with `expect`. */
  send(lines: string): void {
    if (!this.#loss) this.#socket.write(lines, 'latin1')
  }

  /** Writes bytes; false where one should wait for `drained` before writing more. */
  write(bytes: Buffer): boolean {
    return this.#loss !== undefined || this.#socket.write(bytes)
  }

  /** Waits until what was written has left or a reply came, `timeoutMs` at most. */
  drained(timeoutMs: number): Promise<void> {
    if (this.#loss || !this.#socket.writableNeedDrain) return Promise.resolve()
    this.#deadline = this.#now() + timeoutMs
    return new Promise((resolve) => this.#onDrained = resolve)
  }

  /** The next reply that nobody waits for yet. */
  expect(timeoutMs: number): Promise<Answer> {
    if (this.#loss) return Promise.resolve(this.#loss)
    if (this.#expected.length === 0) this.#deadline = this.#now() + timeoutMs
    return new Promise((resolve) => this.#expected.push({ timeoutMs, resolve }))
  }

  /** One command and its reply. */
  command(line: string, timeoutMs: number): Promise<Answer> {
    this.send(line)
    return this.expect(timeoutMs)
  }

  /** Gives the awaited reply its own time from now on, e.g. when the data is out. */
  restartDeadline(): void {
    const first = this.#expected[0]
    this.#deadline = first ? this.#now() + first.timeoutMs : Infinity
  }

  /** From now on what was said in confidence is taken out of refusals, and out of the cause of a loss. */
  conceal(concealment: Concealment): void {
    this.#concealment = concealment
  }

  /** Ends the connection if what it waits for is overdue. */
  tick(now: number): void {
    if (now >= this.#deadline) this.lose(new Loss('timeout', this.#socket.connecting ? 'no connection in time' : 'no answer in time'))
  }

  /** Ends the connection at once. */
  drop(detail: string): void {
    this.lose(new Loss('dropped', detail))
  }

  /** Ends the connection for `loss`, unless it has ended before; returns what ended it. */
  lose(found: Loss): Loss {
    if (this.#loss) return this.#loss
    const loss = this.#concealment === undefined ? found : new Loss(found.cause, this.#concealment.hide(found.detail))
    this.#loss = loss
    this.#deadline = Infinity
    this.#socket.destroy()
    const expected = this.#expected
    this.#expected = []
    this.#onConnected?.(loss)
    this.#onDrained?.()
    for (const one of expected) one.resolve(loss)
    this.onLoss?.(loss)
    return loss
  }

  #arrival(event: 'connect' | 'secureConnect'): Promise<Loss | undefined> {
    return new Promise((resolve) => {
      this.#onConnected = (loss) => {
        this.#onConnected = undefined
        resolve(loss)
      }
      this.#socket.once(event, () => {
        if (this.#loss) return
        this.restartDeadline()
        if (event === 'connect') this.#remoteAddress = this.#socket.remoteAddress
        this.#onConnected?.()
      })
    })
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('data', this.#onData)
    socket.on('drain', this.#onDrain)
    socket.on('end', this.#onEnd)
    // The plain socket keeps this one under TLS too: no error may go unheard.
    socket.on('error', (error) => this.lose(this.#lossOf(error)))
    socket.on('close', () => this.lose(new Loss('closed', 'connection closed')))
  }

  /** Of a positive reply nothing is told on, and a challenge must stay as it is. */
  #concealed(reply: Reply): Reply {
    const concealment = this.#concealment
    return concealment === undefined || reply.status < 400 ? reply : withText(reply, (line) => concealment.hide(line))
  }

  #lossOf(error: Error): Loss {
    if (!this.#onConnected) return new Loss('error', error.message)
    return new Loss(this.encrypted ? 'tls' : 'unreachable', messageOf(error))
  }

  #onEnd = (): void => {
    this.lose(new Loss('closed', this.#parser.empty ? 'closed by the hop' : `closed by the hop in mid-reply: ${this.#parser.rest}`))
  }

  #onDrain = (): void => {
    const drained = this.#onDrained
    if (!drained) return
    this.#onDrained = undefined
    this.restartDeadline()
    drained()
  }

  #onData = (bytes: Buffer): void => {
    if (this.#loss) return
    this.#parser.feed(bytes)
    for (let parsed = this.#parser.next(); parsed; parsed = this.#parser.next()) {
      if (isMalformed(parsed)) {
        this.lose(new Loss('malformed', `${parsed.malformed}: ${parsed.detail}`))
        return
      }
      const expected = this.#expected.shift()
      if (!expected) {
        this.lose(new Loss('unsolicited', describeReply(parsed)))
        return
      }
      this.restartDeadline()
      expected.resolve(this.#concealed(parsed))
      // A reply while data is still going out: whoever waits to write more has to know.
      this.#onDrain()
    }
    if (this.#expected.length === 0 && !this.#parser.empty) this.lose(new Loss('unsolicited', this.#parser.rest))
  }
}

/** An attempt on several addresses fails with several errors, and its own message is empty. */
function messageOf(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((one) => one instanceof Error ? one.message : String(one)).join('; ')
  return error.message
}
