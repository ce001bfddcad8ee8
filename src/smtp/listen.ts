/** Binds the socket of a listener: TCP for one family at a time, or a unix socket that is open to its owner and group. */
import { chmodSync } from 'node:fs'
import type { Server } from 'node:net'

export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

const BACKLOG = 511
const UNIX_MODE = 0o660

/** Resolves with the address that is bound; rejects where that cannot be. @param onError of later, such as no more file descriptors */
export function bind(server: Server, address: ListenAddress, onError: (error: Error) => void): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const bound = (): void => {
      server.off('error', reject)
      server.on('error', onError)
      if (address.kind === 'unix') chmodSync(address.path, UNIX_MODE)
      const info = server.address()
      resolve(typeof info === 'object' && info !== null ? { kind: 'tcp', host: info.address, port: info.port } : address)
    }
    server.once('error', reject)
    if (address.kind === 'unix') server.listen({ path: address.path, backlog: BACKLOG }, bound)
    else server.listen({ host: address.host, port: address.port, backlog: BACKLOG, ipv6Only: address.host.includes(':') }, bound)
  })
}
