/**
 * Edits a text file that others read, and may edit, at the same time: one
 * editor at once (a lock file beside it), and what readers see is the old text
 * or the new one, never half of it. The new file has the mode and owner of the
 * old one, and is on disk before it takes its place. Throws what the operating
 * system says, or an ExitError where somebody else holds the lock for too long.
 */
import { chownSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { EXIT, ExitError } from './exit-codes.ts'

/** An edit takes milliseconds; a lock of a process that died is broken after this. */
const STALE_MS = 60_000
const RETRY_MS = 50
const TRIES = 100

/** @param edit the new text out of the old one ('' where there is no file); undefined leaves the file as it is */
export async function editLocked(path: string, edit: (text: string) => string | undefined): Promise<void> {
  const lock = `${path}.lock`
  await acquire(lock)
  try {
    const text = edit(readText(path))
    if (text !== undefined) replace(path, text)
  } finally {
    rmSync(lock, { force: true })
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    throw error
  }
}

function replace(path: string, text: string): void {
  const old = statOf(path)
  const temporary = `${path}.${process.pid}.new`
  const descriptor = openSync(temporary, 'w', old === undefined ? 0o644 : old.mode & 0o777)
  try {
    writeFileSync(descriptor, text)
    if (old !== undefined && process.getuid?.() === 0) chownSync(temporary, old.uid, old.gid)
    fsyncSync(descriptor)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, path)
  const directory = openSync(dirname(path), 'r')
  fsyncSync(directory)
  closeSync(directory)
}

async function acquire(lock: string): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      closeSync(openSync(lock, 'wx', 0o600))
      return
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
    const held = statOf(lock)
    if (held !== undefined && Date.now() - held.mtimeMs > STALE_MS) rmSync(lock, { force: true })
    else await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
  throw new ExitError(EXIT.temporary, `somebody else edits it: ${lock} is there. Try again; if nobody does, remove that file`)
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
