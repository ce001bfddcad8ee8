/**
 * A small SMTP client for the demonstration. It sends bytes as they are, bare
 * line ends and all, which the gateway's own client rightly refuses to do.
 * Rejects where the connection breaks or a reply takes too long.
 */
import { connect, type Socket } from 'node:net'

const REPLY_TIMEOUT_MS = 10_000
const MAX_REPLY = 64 * 1024

/** What the server said to one message: the reply that settled it, and to which command. */
export interface Outcome {
  readonly command: 'MAIL' | 'RCPT' | 'DATA' | 'message'
  readonly reply: string
}

export class DemoClient {
  private readonly socket: Socket
  private received = ''
  private failure: Error | undefined
  private wake: () => void = () => undefined

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      this.received += chunk
      this.wake()
    })
    socket.on('error', (error) => this.fail(error))
    socket.on('close', () => this.fail(new Error('the gateway closed the connection')))
  }

  /** The connection breaks when the signal comes. */
  static async open(where: { readonly host: string; readonly port: number; readonly signal: AbortSignal }): Promise<DemoClient> {
    const client = new DemoClient(connect(where))
    await client.expect('220')
    await client.command('EHLO client.example', '250')
    return client
  }

  /** Sends a message, and stops at the first reply that does not let it go on. */
  async send({ from, to, message }: { readonly from: string; readonly to: string; readonly message: string }): Promise<Outcome> {
    const steps = [['MAIL', `MAIL FROM:<${from}>`, '250'], ['RCPT', `RCPT TO:<${to}>`, '250'], ['DATA', 'DATA', '354']] as const
    for (const [command, line, wanted] of steps) {
      const reply = await this.ask(line + '\r\n')
      if (!reply.startsWith(wanted)) {
        await this.command('RSET', '250')
        return { command, reply }
      }
    }
    return { command: 'message', reply: await this.ask(stuffDots(message) + '.\r\n') }
  }

  async close(): Promise<void> {
    await this.command('QUIT', '221')
    this.socket.destroy()
  }

  private async command(line: string, wanted: string): Promise<void> {
    const reply = await this.ask(line + '\r\n')
    if (!reply.startsWith(wanted)) throw new Error(`${line} was answered: ${reply}`)
  }

  private async expect(wanted: string): Promise<void> {
    const reply = await this.reply()
    if (!reply.startsWith(wanted)) throw new Error(`the gateway greeted: ${reply}`)
  }

  private ask(bytes: string): Promise<string> {
    this.socket.write(bytes, 'latin1')
    return this.reply()
  }

  /** The next reply; of several lines the last (RFC 5321 §4.2.1: the line without `-`). */
  private async reply(): Promise<string> {
    const deadline = performance.now() + REPLY_TIMEOUT_MS
    for (;;) {
      const complete = /^(?:\d{3}-[^\n]*\n)*(\d{3}(?: [^\n]*)?)\n/.exec(this.received)
      if (complete?.[1] !== undefined) {
        this.received = this.received.slice(complete[0].length)
        return complete[1].trimEnd()
      }
      if (this.failure !== undefined) throw this.failure
      if (this.received.length > MAX_REPLY) throw new Error('the gateway sends a reply without end')
      await this.more(deadline - performance.now())
    }
  }

  private more(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.fail(new Error('the gateway does not answer')), timeoutMs)
      this.wake = (): void => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  private fail(error: Error): void {
    this.failure ??= error
    this.wake()
  }
}

/** RFC 5321 §4.5.2: a line that begins with a dot gets another. Lines are what CRLF ends, and nothing else. */
function stuffDots(message: string): string {
  return message.replace(/(^|\r\n)\./g, '$1..')
}
