/**
 * Makes way for the unix sockets of the listeners before anybody binds them.
 * Rejects where another program answers on one (75), and where something else
 * than a socket stands in the way (78).
 */
import { ExitError, EXIT } from '../cli/exit-codes.ts'
import type { Settings } from '../config/settings.ts'
import { removeStaleSocket } from '../smtp/stale-socket.ts'

export function unixPaths(settings: Settings): readonly string[] {
  return settings.listeners.flatMap((listener) => listener.listen.flatMap((address) => (address.kind === 'unix' ? [address.path] : [])))
}

/** @param own paths that we listen on already */
export async function removeStaleSockets(paths: readonly string[], own: readonly string[] = []): Promise<void> {
  for (const path of paths) {
    if (own.includes(path)) continue
    const { status } = await removeStaleSocket(path)
    switch (status) {
      case 'free':
        break
      case 'answers':
        throw new ExitError(EXIT.temporary, `${path}: another program listens there`)
      case 'no-socket':
        throw new ExitError(EXIT.configuration, `${path}: there is a file that is not a socket; it was left as it is`)
    }
  }
}
