/**
 * Binds a listening socket for `postern deliver`: TCP, or a unix socket with
 * its mode bits. A socket file that a dead process left behind is removed, but
 * only where nobody answers on it; anything else in its place is an error that
 * says so. Rejects with the operating system's error (EADDRINUSE, EACCES …).
 */
import { chmod } from 'node:fs/promises'
import type { Server } from 'node:net'
import type { SocketAddress } from '../config/settings.ts'
import { removeStaleSocket } from '../smtp/stale-socket.ts'

/** Resolves with the address that is bound; port 0 has become a port. */
export async function listen(server: Server, address: SocketAddress, mode: number): Promise<SocketAddress> {
  if (address.kind === 'unix') {
    await makeWay(address.path)
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

async function makeWay(path: string): Promise<void> {
  const { status } = await removeStaleSocket(path)
  switch (status) {
    case 'free':
      return
    case 'answers':
      throw inUse(path, `another process answers on ${path}`)
    case 'no-socket':
      throw inUse(path, `${path} exists and is not a socket; it is left alone`)
  }
}

function inUse(path: string, message: string): Error {
  return Object.assign(new Error(message), { code: 'EADDRINUSE', path })
}
