/**
 * A server that behaves as a test says: it is told of each connection, with all
 * that it has sent, and answers or not. On loopback; it ends with its test.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'

export interface FakeConnection {
  readonly socket: Socket
  /** everything that came so far, binary */
  readonly received: () => string
  /** resolves when what came fulfils the condition, or never */
  readonly until: (condition: (received: string) => boolean) => Promise<void>
  /** Sends these pieces, each in a turn of its own. */
  readonly say: (...pieces: readonly (string | Buffer)[]) => Promise<void>
}

export interface FakeEngine {
  readonly address: { readonly host: string; readonly port: number }
  readonly connections: FakeConnection[]
  stop(): Promise<void>
}

export interface TestEnd {
  after(action: () => void | Promise<void>): void
}

export async function fakeEngine(t: TestEnd, behave: (connection: FakeConnection, number: number) => void | Promise<void>): Promise<FakeEngine> {
  const connections: FakeConnection[] = []
  // The other side half-closes when it has sent its message.
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    // Pieces are to arrive as pieces, and at once.
    socket.setNoDelay()
    const connection = fakeConnection(socket)
    connections.push(connection)
    void behave(connection, connections.length)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('not on a port')
  const stop = async (): Promise<void> => {
    for (const { socket } of connections) socket.destroy()
    if (!server.listening) return
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  t.after(stop)
  return { address: { host: '127.0.0.1', port: bound.port }, connections, stop }
}

function fakeConnection(socket: Socket): FakeConnection {
  const pieces: Buffer[] = []
  const watchers = new Set<() => void>()
  const received = (): string => Buffer.concat(pieces).toString('latin1')
  // Who resets a connection is no concern of the one that it is reset for.
  socket.on('error', () => undefined)
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece)
    for (const watcher of watchers) watcher()
  })
  return {
    socket, received,
    until: (condition) => new Promise((resolve) => {
      const look = (): void => {
        if (!condition(received())) return
        watchers.delete(look)
        resolve()
      }
      watchers.add(look)
      look()
    }),
    say: async (...parts) => {
      for (const part of parts) {
        socket.write(part)
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}

/** Every way to cut it in two. */
export function cuts(text: string): readonly (readonly [string, string])[] {
  return Array.from({ length: text.length + 1 }, (_, i) => [text.slice(0, i), text.slice(i)] as const)
}
