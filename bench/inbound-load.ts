/**
 * The load of bench/inbound.ts: clients with addresses of their own (by a PROXY
 * header), several at once, each sending `perConnection` messages. An Error
 * where anything is answered otherwise than it should.
 */
import { connect, type Socket } from 'node:net'
import type { BenchSender } from './inbound-dns.ts'

export interface Load {
  readonly port: number
  readonly messages: number
  readonly sessions: number
  readonly perConnection: number
  /** of the connection with this number, beginning with 0 */
  readonly client: (connection: number) => { readonly sender: BenchSender; readonly data: Buffer }
}

export async function send(load: Load): Promise<void> {
  const connections = Math.ceil(load.messages / load.perConnection)
  let next = 0
  const session = async (): Promise<void> => {
    while (next < connections) await converse(load, load.client(next++))
  }
  await Promise.all(Array.from({ length: load.sessions }, session))
}

async function converse({ port, perConnection }: Load, { sender, data }: ReturnType<Load['client']>): Promise<void> {
  const replies = new Replies(connect({ port, host: '127.0.0.1', noDelay: true }))
  const { socket } = replies
  socket.write(`PROXY TCP4 ${sender.address} 192.0.2.1 4321 25\r\n`)
  await replies.expect('220')
  socket.write(`EHLO ${sender.name}\r\n`)
  await replies.expect('250')
  for (let i = 0; i < perConnection; i++) {
    socket.write(`MAIL FROM:<anna@${sender.domain}>\r\nRCPT TO:<bob@hop.example>\r\nDATA\r\n`)
    await replies.expect('250')
    await replies.expect('250')
    await replies.expect('354')
    socket.write(data)
    await replies.expect('250')
  }
  socket.end('QUIT\r\n')
  await replies.closed
}

/** Reads replies; one that is expected later may have come already. */
class Replies {
  readonly socket: Socket
  readonly closed: Promise<void>
  #text = ''
  #wake: () => void = () => undefined
  #over = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.#text += text
      this.#wake()
    })
    this.closed = new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.once('close', () => {
        this.#over = true
        this.#wake()
        resolve()
      })
    })
    // Whoever waits for a reply hears of it there.
    this.closed.catch(() => this.#wake())
  }

  async expect(code: string): Promise<void> {
    for (;;) {
      const end = /^\d{3}(?: .*)?\r\n/m.exec(this.#text)
      if (end !== null) {
        const reply = this.#text.slice(0, end.index + end[0].length)
        this.#text = this.#text.slice(reply.length)
        if (!end[0].startsWith(code)) throw new Error(`expected ${code}, got ${reply}`)
        return
      }
      if (this.#over) throw new Error(`expected ${code}, and the connection was closed after ${JSON.stringify(this.#text)}`)
      await new Promise<void>((resolve) => this.#wake = resolve)
    }
  }
}
