/**
 * Binds a listening socket for `postern deliver`: TCP, or a unix socket with
 * its mode bits. A socket file that a dead process left behind is removed, but
 * only where nobody answers on it; anything else in its place is an error that
 * says so. Rejects with the operating system's error (EADDRINUSE, EACCES …).
 */
import { chmod, lstat, unlink } from 'node:fs/promises'
import { createConnection, type Server } from 'node:net'
import type { SocketAddress } from '../config/settings.ts'
import { errorCode } from './file-system.ts'

const PROBE_MS = 2000

/** Resolves with the address that is bound; port 0 has become a port. */
export async function listen(server: Server, address: SocketAddress, mode: number): Promise<SocketAddress> {
  if (address.kind === 'unix') {
    await removeStaleSocket(address.path)
    // Between bind and chmod nobody else gets in.
    const before = process.umask(0o777 & ~mode)
    try {
      await bind(server, () => server.listen(address.path))
    } finally {
      process.umask(before)
    }
    await chmod(address.path, mode)
    return address
  }
  await bind(server, () => server.listen({ host: address.host, port: address.port, ipv6Only: address.host.includes(':') }))
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? { kind: 'tcp', host: bound.address, port: bound.port } : address
}

/** The error goes to the caller, and not to the server's listeners, who tell trouble of sessions. */
function bind(server: Server, start: () => void): Promise<void> {
  const others = server.rawListeners('error') as ((error: Error) => void)[]
  server.removeAllListeners('error')
  return new Promise<void>((resolve, reject) => {
    const settle = (): void => {
      server.removeAllListeners('error')
      for (const other of others) server.on('error', other)
    }
    server.once('error', (error) => {
      settle()
      reject(error)
    })
    server.once('listening', () => {
      settle()
      resolve()
    })
    start()
  })
}

export async function removeStaleSocket(path: string): Promise<void> {
  let before: { readonly ino: number; isSocket(): boolean }
  try {
    before = await lstat(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return
    throw error
  }
  if (!before.isSocket()) throw Object.assign(new Error(`${path} exists and is not a socket; it is left alone`), { code: 'EADDRINUSE', path })
  if (await answers(path)) throw Object.assign(new Error(`another process answers on ${path}`), { code: 'EADDRINUSE', path })
  // Somebody who started at the same moment may have put his own there meanwhile.
  if ((await lstat(path)).ino === before.ino) await unlink(path)
}

/** False only where the system says that nobody listens. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    const finish = (outcome: () => void): void => {
      socket.destroy()
      outcome()
    }
    socket.setTimeout(PROBE_MS, () => finish(() => resolve(true)))
    socket.once('connect', () => finish(() => resolve(true)))
    socket.once('error', (error) => {
      const code = errorCode(error)
      // ECONNREFUSED: a file without a listener; EAGAIN: a listener with a full queue.
      if (code === 'ECONNREFUSED') finish(() => resolve(false))
      else if (code === 'EAGAIN') finish(() => resolve(true))
      else finish(() => reject(error))
    })
  })
}
