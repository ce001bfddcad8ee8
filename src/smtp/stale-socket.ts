/**
 * Makes way for a unix socket. A socket file that a crash has left behind keeps
 * the next start from binding (EADDRINUSE). A file is removed only where it is
 * a socket that nobody answers on; what else stands there is left alone, and
 * the outcome says what it is. Rejects with the operating system's error where
 * that cannot be found out (EACCES …).
 */
import { lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'

export type SocketPlace =
  /** there is nothing in the way, or nothing any more */
  | { readonly status: 'free' }
  | { readonly status: 'answers' }
  | { readonly status: 'no-socket' }

const ANSWER_TIMEOUT_MS = 2000

export async function removeStaleSocket(path: string): Promise<SocketPlace> {
  const before = await fileAt(path)
  if (before === undefined) return { status: 'free' }
  if (!before.isSocket()) return { status: 'no-socket' }
  if (await answers(path)) return { status: 'answers' }
  // Somebody who started at the same moment may have put his own there meanwhile.
  const now = await fileAt(path)
  if (now !== undefined && now.ino === before.ino) await unlink(path)
  return { status: 'free' }
}

async function fileAt(path: string): Promise<{ readonly ino: number; isSocket(): boolean } | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** False only where the system says that nobody listens. */
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
    socket.once('error', (error) => {
      const code = codeOf(error)
      if (code === 'ECONNREFUSED' || code === 'ENOENT') end(() => resolve(false))
      // The backlog of a listening socket is full.
      else if (code === 'EAGAIN') end(() => resolve(true))
      else end(() => reject(error))
    })
  })
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
