/**
 * An SMTP client for tests that does what it is told, byte for byte, right or
 * wrong: no check of its own, no stuffing unless asked. Replies are read whole,
 * multi-line ones too. A time-out and a reply that was not expected are Errors
 * with the transcript.
 */
import { createConnection, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { Address } from './process.ts'

export interface DialogReply {
  /** 0: the connection was closed instead */
  readonly status: number
  readonly lines: readonly string[]
  /** as on the wire */
  readonly text: string
}

const CLOSED: DialogReply = { status: 0, lines: [], text: '(closed)' }

export class Dialog {
  readonly transcript: string[] = []
  #socket: Socket
  #received = ''
  #closed = false
  #wake: () => void = () => undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#attach(socket)
  }

  static async open(address: Address): Promise<Dialog> {
    const socket = 'port' in address ? createConnection({ port: address.port, host: '127.0.0.1' }) : createConnection(address.path)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    socket.setNoDelay(true)
    return new Dialog(socket)
  }

  #attach(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1')
      this.#wake()
    })
    // A reset is an end like any other here: the next reply says 0.
    const gone = (): void => {
      if (socket !== this.#socket) return
      this.#closed = true
      this.#wake()
    }
    socket.on('error', gone)
    socket.on('close', gone)
    socket.on('end', gone)
  }

  get socket(): Socket {
    return this.#socket
  }

  /** Resolves once the bytes are handed to the kernel, or the connection is gone. */
  send(bytes: string | Buffer): Promise<void> {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    this.transcript.push(`C: ${JSON.stringify(buffer.toString('latin1', 0, 200))}`)
    return new Promise((resolve) => {
      this.#socket.write(buffer, () => resolve())
    })
  }

  async reply(timeoutMs = 60_000): Promise<DialogReply> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const found = this.#take()
      if (found !== null) {
        this.transcript.push(`S: ${JSON.stringify(found.text)}`)
        return found
      }
      if (this.#closed) return CLOSED
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`no reply in ${timeoutMs} ms\n${this.transcript.join('\n')}\nunread: ${JSON.stringify(this.#received)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  #take(): DialogReply | null {
    const end = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\r?\n/.exec(this.#received)
    if (end === null) return null
    const text = end[0]
    this.#received = this.#received.slice(text.length)
    const lines = text.split(/\r?\n/).slice(0, -1).map((line) => line.slice(4))
    return { status: Number(text.slice(0, 3)), lines, text }
  }

  /** Sends a line (CRLF is added) and reads its reply; with `status`, that is what it has to be. */
  async command(line: string, status?: number): Promise<DialogReply> {
    await this.send(`${line}\r\n`)
    return this.expect(status)
  }

  async expect(status?: number, timeoutMs?: number): Promise<DialogReply> {
    const reply = await this.reply(timeoutMs)
    if (status !== undefined && reply.status !== status) throw new Error(`expected ${status}, got ${reply.text}\n${this.transcript.join('\n')}`)
    return reply
  }

  async hello(name = 'client.example', verb = 'EHLO'): Promise<DialogReply> {
    await this.expect(220)
    return this.command(`${verb} ${name}`, 250)
  }

  /** MAIL, RCPT and the message, one command at a time; stops at the first reply that is not positive. Never throws for a reply. */
  async message(what: MessageToSend): Promise<DialogReply> {
    const mail = await this.command(`MAIL FROM:<${what.from ?? 'sender@client.example'}>${what.mailParameters ?? ''}`)
    if (mail.status !== 250) return mail
    for (const to of typeof what.to === 'string' ? [what.to] : what.to) {
      const rcpt = await this.command(`RCPT TO:<${to}>`)
      if (rcpt.status !== 250) return rcpt
    }
    if (what.chunked === true) {
      await this.send(Buffer.concat([Buffer.from(`BDAT ${what.data.length} LAST\r\n`), what.data]))
      return this.reply(60_000)
    }
    const data = await this.command('DATA')
    if (data.status !== 354) return data
    await this.send(endedData(what.data))
    return this.reply(60_000)
  }

  async startTls(options: ConnectionOptions = {}): Promise<void> {
    await this.command('STARTTLS', 220)
    await this.secure(options)
  }

  /** The TLS handshake alone, for implicit TLS or after a STARTTLS sent by hand. */
  async secure(options: ConnectionOptions = {}): Promise<void> {
    const clear = this.#socket
    clear.removeAllListeners('data')
    const secure = connectTls({ socket: clear, rejectUnauthorized: false, ...options })
    await new Promise<void>((resolve, reject) => {
      secure.once('secureConnect', resolve)
      secure.once('error', reject)
    })
    this.#socket = secure
    this.#received = ''
    this.#attach(secure)
  }

  async quit(): Promise<void> {
    if (!this.#closed) await this.command('QUIT')
    this.close()
  }

  close(): void {
    this.#socket.destroy()
  }
}

export interface MessageToSend {
  readonly to: string | readonly string[]
  readonly data: Buffer
  readonly from?: string
  /** with the leading space, e.g. ` BODY=8BITMIME` */
  readonly mailParameters?: string
  /** one BDAT instead of DATA */
  readonly chunked?: boolean
}

/** Dot-stuffed (RFC 5321 §4.5.2) and ended by CRLF.CRLF; data that does not end in CRLF gets one. */
export function endedData(data: Buffer): Buffer {
  const text = data.toString('latin1').replace(/(^|\r\n)\./g, '$1..')
  return Buffer.from(text + (text === '' || text.endsWith('\r\n') ? '.\r\n' : '\r\n.\r\n'), 'latin1')
}
