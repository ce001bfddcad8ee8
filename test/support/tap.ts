/** A wire-tap: passes TCP through unchanged and keeps the pieces that clients sent, as they came. */
import { createConnection, createServer, type Server } from 'node:net'

export interface Tap {
  readonly port: number
  /** pieces of all connections, in the order in which they came, binary */
  readonly fromClient: string[]
  stop(): Promise<void>
}

export async function tapTo(target: number): Promise<Tap> {
  const fromClient: string[] = []
  const server: Server = createServer((client) => {
    const onward = createConnection(target, '127.0.0.1')
    client.on('data', (chunk: Buffer) => fromClient.push(chunk.toString('latin1')))
    client.pipe(onward)
    onward.pipe(client)
    client.on('error', () => onward.destroy())
    onward.on('error', () => client.destroy())
    open.add(client)
    client.on('close', () => open.delete(client))
  })
  const open = new Set<{ destroy(): void }>()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the tap has no port')
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of open) socket.destroy()
      server.close(() => resolve())
    })
  return { port: address.port, fromClient, stop }
}
