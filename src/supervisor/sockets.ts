/**
 * Makes way for unix sockets: a socket file that a crash has left behind keeps
 * the next start from binding (EADDRINUSE). A file is removed only where it is
 * a socket that nobody answers on. Rejects with EADDRINUSE where somebody does,
 * and where something else than a socket stands in the way.
 */
import { lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { ExitError, EXIT } from '../cli/exit-codes.ts'
import type { Settings } from '../config/settings.ts'

export function unixPaths(settings: Settings): readonly string[] {
  return settings.listeners.flatMap((listener) => listener.listen.flatMap((address) => (address.kind === 'unix' ? [address.path] : [])))
}

/** @param own paths that we listen on already */
export async function removeStaleSockets(paths: readonly string[], own: readonly string[] = []): Promise<void> {
  for (const path of paths) {
    if (own.includes(path) || !(await exists(path))) continue
    if (await answers(path)) throw new ExitError(EXIT.temporary, `${path}: another program listens there`)
    await unlink(path)
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    const file = await lstat(path)
    if (!file.isSocket()) throw new ExitError(EXIT.configuration, `${path}: there is a file that is not a socket; it was left as it is`)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

const ANSWER_TIMEOUT_MS = 2000

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const end = (outcome: () => void): void => {
      socket.destroy()
      outcome()
    }
    // A full backlog makes connect wait: somebody listens, and is busy.
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => end(() => resolve(true)))
    socket.once('connect', () => end(() => resolve(true)))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(() => {
        if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false)
        // EAGAIN: the backlog of a listening socket is full.
        else if (error.code === 'EAGAIN') resolve(true)
        else reject(error)
      }))
  })
}
