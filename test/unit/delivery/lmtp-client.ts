/** A client that writes what it is told to a unix socket and gives whole replies, multi-line ones joined by line feeds. */
import { createConnection } from 'node:net'

export interface LmtpClient {
  write(text: string): void
  /** the next reply; `closed` where there is none any more */
  reply(): Promise<string>
  /** a command, and the reply to it */
  say(line: string): Promise<string>
  close(): void
}

export async function lmtp(path: string): Promise<LmtpClient> {
  const socket = createConnection(path)
  let received = ''
  let ended = false
  let wake: () => void = () => undefined
  socket.on('data', (chunk) => {
    received += chunk.toString('utf8')
    wake()
  })
  for (const event of ['close', 'error'] as const) {
    socket.on(event, () => {
      ended = true
      wake()
    })
  }
  const client: LmtpClient = {
    write: (text) => void socket.write(text),
    async reply() {
      for (;;) {
        const whole = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3}(?: [^\r\n]*)?\r\n/.exec(received)
        if (whole !== null) {
          received = received.slice(whole[0].length)
          return whole[0].trimEnd().replaceAll('\r\n', '\n')
        }
        if (ended) return 'closed'
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
    say(line) {
      client.write(`${line}\r\n`)
      return client.reply()
    },
    close: () => socket.destroy(),
  }
  const greeting = await client.reply()
  if (!greeting.startsWith('220 ')) throw new Error(`greeted with ${greeting}`)
  return client
}
