/**
 * A next hop of our own: an SMTP or LMTP server that keeps every byte of what
 * it is sent and answers as it is told. It knows one end of DATA, CRLF.CRLF
 * (RFC 5321 §4.1.1.4), so whatever a careless relay smuggles shows up as text
 * or as a second message, never silently. It judges nothing: tests do.
 *
 * `script` is asked before each reply and may give another one, `close` the
 * connection, or keep `silent`; the counter pipes of a test do the rest.
 */
import { rmSync } from 'node:fs'
import { createServer, type Socket, type Server } from 'node:net'
import { TLSSocket, createSecureContext } from 'node:tls'
import { until, type Address } from './process.ts'

export interface CapturedMessage {
  /** what stood behind `MAIL FROM:`, parameters included, binary */
  readonly mail: string
  readonly rcpts: readonly string[]
  /** the message: dots unstuffed, or the BDAT chunks joined */
  readonly data: Buffer
  readonly chunked: boolean
  readonly tls: boolean
  /** number of the connection, from 1 */
  readonly connection: number
  /** attributes of XFORWARD and XCLIENT since the connection began, keys with the verb: `XFORWARD ADDR` */
  readonly client: ReadonlyMap<string, string>
}

/** A moment at which the sink would answer. `BDAT` is each chunk, `.` the end of DATA, `CONNECT` the greeting. */
export interface Moment {
  readonly verb: string
  readonly line: string
  /** 1 for the first time this sink came to this verb */
  readonly count: number
  readonly connection: number
}

/** A reply without CRLF (several lines joined by CRLF), or one of `close`, `reset`, `silent`; undefined is the usual reply. */
export type Answer = string | undefined

export interface SinkOptions {
  readonly protocol?: 'smtp' | 'lmtp'
  readonly listen?: Address
  /** keywords of the EHLO reply */
  readonly extensions?: readonly string[]
  readonly script?: (moment: Moment) => Answer | Promise<Answer>
  readonly tls?: { readonly cert: string; readonly key: string }
  /** called with the byte count of each piece of DATA; true closes the connection there */
  readonly duringData?: (bytes: number, connection: number) => boolean
}

export const EVERY_EXTENSION = ['PIPELINING', 'SIZE 52428800', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', 'DSN', 'CHUNKING', 'BINARYMIME', 'XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE']
export const WITHOUT_CHUNKING = EVERY_EXTENSION.filter((keyword) => keyword !== 'CHUNKING' && keyword !== 'BINARYMIME')

export class CaptureSink {
  readonly messages: CapturedMessage[] = []
  /** every command line of every connection, in order of arrival */
  readonly commands: { readonly connection: number; readonly line: string }[] = []
  connections = 0
  readonly options: SinkOptions
  /** Replaces the script while running. */
  script: NonNullable<SinkOptions['script']>
  readonly #counts = new Map<string, number>()
  readonly #sockets = new Set<Socket>()
  #server: Server
  #address: Address = { port: 0 }

  private constructor(options: SinkOptions) {
    this.options = options
    this.script = options.script ?? (() => undefined)
    this.#server = this.#serve()
  }

  static async start(options: SinkOptions = {}): Promise<CaptureSink> {
    const sink = new CaptureSink(options)
    await sink.#listen(options.listen ?? { port: 0 })
    return sink
  }

  #serve(): Server {
    const server = createServer((socket) => {
      socket.unref()
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      this.connections++
      new SinkSession(this, socket, this.connections).begin()
    })
    // A test that fails before it can stop the sink is not held up by it.
    return server.unref()
  }

  #listen(address: Address): Promise<void> {
    if ('path' in address) rmSync(address.path, { force: true })
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      const ready = (): void => {
        const bound = this.#server.address()
        this.#address = typeof bound === 'object' && bound !== null ? { port: bound.port } : address
        resolve()
      }
      if ('path' in address) this.#server.listen(address.path, ready)
      else this.#server.listen(address.port, '127.0.0.1', ready)
    })
  }

  get address(): Address {
    return this.#address
  }

  /** As the gateway's configuration names it. */
  get target(): string {
    return 'port' in this.#address ? `127.0.0.1:${this.#address.port}` : `unix:${this.#address.path}`
  }

  get port(): number {
    return 'port' in this.#address ? this.#address.port : 0
  }

  async answer(verb: string, line: string, connection: number): Promise<Answer> {
    const count = (this.#counts.get(verb) ?? 0) + 1
    this.#counts.set(verb, count)
    return this.script({ verb, line, count, connection })
  }

  /** Waits until this many messages are there, and gives them. */
  async waitFor(count: number): Promise<readonly CapturedMessage[]> {
    await until(`${count} messages at the sink`, () => this.messages.length >= count, { detail: () => `${this.messages.length} came` })
    return this.messages
  }

  /** Takes what came so far and forgets it. */
  take(): CapturedMessage[] {
    return this.messages.splice(0)
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    if (!this.#server.listening) return
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  /** Listens again at the same address after `stop`. */
  async restart(): Promise<void> {
    this.#server = this.#serve()
    await this.#listen(this.#address)
  }
}

const END = Buffer.from('\r\n.\r\n', 'latin1')

class SinkSession {
  readonly #sink: CaptureSink
  #socket: Socket
  readonly #connection: number
  /** bytes not looked at yet */
  #pending: Buffer[] = []
  #busy = false
  #over = false
  #tls = false
  #state: 'command' | 'data' | 'chunk' = 'command'
  #data: Buffer[] = []
  #dataSize = 0
  #tail = Buffer.from('\r\n', 'latin1')
  #chunkLeft = 0
  #chunkLast = false
  #mail: string | null = null
  #rcpts: string[] = []
  readonly #client = new Map<string, string>()

  constructor(sink: CaptureSink, socket: Socket, connection: number) {
    this.#sink = sink
    this.#socket = socket
    this.#connection = connection
  }

  begin(): void {
    this.#attach()
    void this.#reply('CONNECT', '', '220 sink.example ESMTP')
  }

  #attach(): void {
    this.#socket.on('error', () => undefined)
    this.#socket.on('data', (chunk: Buffer) => {
      this.#pending.push(chunk)
      void this.#advance()
    })
  }

  /** One thing at a time: a reply may wait for the script, and input waits with it. */
  async #advance(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    while (!this.#over && (await this.#step())) continue
    this.#busy = false
  }

  async #step(): Promise<boolean> {
    if (this.#state === 'data') return this.#takeData()
    if (this.#state === 'chunk') return this.#takeChunk()
    const all = Buffer.concat(this.#pending)
    const end = all.indexOf('\r\n')
    if (end < 0) {
      this.#pending = [all]
      return false
    }
    this.#pending = [all.subarray(end + 2)]
    await this.#command(all.toString('latin1', 0, end))
    return true
  }

  async #command(line: string): Promise<void> {
    this.#sink.commands.push({ connection: this.#connection, line })
    const verb = (/^[A-Za-z0-9]+/.exec(line)?.[0] ?? '').toUpperCase()
    switch (verb) {
      case 'EHLO':
      case 'LHLO':
        await this.#reply(verb, line, this.#hello())
        return
      case 'MAIL':
        if (await this.#reply(verb, line, '250 2.1.0 ok')) this.#mail = line.slice('MAIL FROM:'.length)
        return
      case 'RCPT':
        if (await this.#reply(verb, line, '250 2.1.5 ok')) this.#rcpts.push(line.slice('RCPT TO:'.length))
        return
      case 'DATA':
        if (await this.#reply(verb, line, '354 go ahead')) this.#beginData()
        return
      case 'BDAT':
        this.#chunkLeft = Number(line.split(' ')[1])
        this.#chunkLast = /\sLAST$/i.test(line)
        this.#state = 'chunk'
        return
      case 'XFORWARD':
      case 'XCLIENT':
        for (const pair of line.split(' ').slice(1)) this.#client.set(`${verb} ${pair.split('=')[0] ?? ''}`, pair.slice(pair.indexOf('=') + 1))
        await this.#reply(verb, line, verb === 'XCLIENT' ? '220 sink.example ESMTP' : '250 2.0.0 ok')
        return
      case 'STARTTLS':
        if (await this.#reply(verb, line, '220 2.0.0 go ahead')) await this.#startTls()
        return
      case 'RSET':
        if (await this.#reply(verb, line, '250 2.0.0 ok')) this.#reset()
        return
      case 'QUIT':
        await this.#reply(verb, line, '221 2.0.0 bye')
        this.#socket.end()
        return
      default:
        await this.#reply(verb, line, verb === 'HELO' || verb === 'NOOP' ? '250 2.0.0 ok' : '500 5.5.1 what?')
    }
  }

  #hello(): string {
    const offered = [...(this.#sink.options.extensions ?? EVERY_EXTENSION)]
    if (this.#sink.options.tls !== undefined && !this.#tls) offered.push('STARTTLS')
    const lines = ['sink.example', ...offered]
    return lines.map((text, index) => `250${index === lines.length - 1 ? ' ' : '-'}${text}`).join('\r\n')
  }

  /** True where the reply that went out was positive or 354. */
  async #reply(verb: string, line: string, usual: string): Promise<boolean> {
    const answer = (await this.#sink.answer(verb, line, this.#connection)) ?? usual
    if (answer === 'close') this.#end(() => this.#socket.destroy())
    else if (answer === 'reset') this.#end(() => this.#socket.resetAndDestroy())
    else if (answer !== 'silent') this.#socket.write(`${answer}\r\n`, 'latin1')
    if (answer.startsWith('421')) this.#end(() => this.#socket.end())
    return /^[23]/.test(answer)
  }

  #end(how: () => void): void {
    this.#over = true
    how()
  }

  #beginData(): void {
    this.#state = 'data'
    this.#data = []
    this.#dataSize = 0
    // The CRLF that ended the DATA command is the first one of an empty message's end.
    this.#tail = Buffer.from('\r\n', 'latin1')
  }

  async #takeData(): Promise<boolean> {
    const piece = Buffer.concat(this.#pending)
    this.#pending = []
    if (piece.length === 0) return false
    const window = Buffer.concat([this.#tail, piece])
    const found = window.indexOf(END)
    if (found < 0) {
      this.#keep(piece)
      this.#tail = Buffer.from(window.subarray(Math.max(0, window.length - END.length + 1)))
      return false
    }
    const used = found + END.length - this.#tail.length
    this.#keep(piece.subarray(0, used))
    this.#pending = [piece.subarray(used)]
    if (this.#over) return false
    this.#state = 'command'
    const wire = Buffer.concat(this.#data).toString('latin1')
    await this.#finish('.', Buffer.from(wire.slice(0, -3).replace(/(^|\r\n)\./g, '$1'), 'latin1'), false)
    return true
  }

  #keep(piece: Buffer): void {
    this.#data.push(piece)
    this.#dataSize += piece.length
    if (this.#sink.options.duringData?.(this.#dataSize, this.#connection) === true) this.#end(() => this.#socket.destroy())
  }

  async #takeChunk(): Promise<boolean> {
    const piece = Buffer.concat(this.#pending)
    const used = Math.min(piece.length, this.#chunkLeft)
    if (used === 0 && this.#chunkLeft > 0) return false
    this.#chunkLeft -= used
    this.#pending = [piece.subarray(used)]
    this.#keep(piece.subarray(0, used))
    if (this.#over || this.#chunkLeft > 0) return false
    this.#state = 'command'
    if (this.#chunkLast) await this.#finish('BDAT', Buffer.concat(this.#data), true)
    else await this.#reply('BDAT', 'BDAT', '250 2.0.0 chunk taken')
    return true
  }

  async #finish(verb: string, data: Buffer, chunked: boolean): Promise<void> {
    const message = { mail: this.#mail ?? '', rcpts: [...this.#rcpts], data, chunked, tls: this.#tls, connection: this.#connection, client: new Map(this.#client) }
    this.#reset()
    // LMTP answers once a recipient (RFC 2033 §4.2); the message counts where one of them got it.
    const times = this.#sink.options.protocol === 'lmtp' ? message.rcpts.length : 1
    let taken = false
    for (let i = 0; i < times; i++) taken = (await this.#reply(verb, message.rcpts[i] ?? '', '250 2.0.0 taken')) || taken
    if (taken) this.#sink.messages.push(message)
  }

  #reset(): void {
    this.#mail = null
    this.#rcpts = []
    this.#data = []
    this.#dataSize = 0
  }

  async #startTls(): Promise<void> {
    const files = this.#sink.options.tls
    if (files === undefined) return
    const clear = this.#socket
    clear.removeAllListeners('data')
    // What was sent in clear behind STARTTLS does not count (RFC 3207 §4.2).
    this.#pending = []
    const secure = new TLSSocket(clear, { isServer: true, secureContext: createSecureContext({ cert: files.cert, key: files.key }) })
    this.#socket = secure
    this.#tls = true
    this.#attach()
    await new Promise<void>((resolve) => {
      secure.once('secure', resolve)
      secure.once('close', resolve)
    })
  }
}
