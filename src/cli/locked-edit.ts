/**
 * Edits a text file that others read, and may edit, at the same time: one
 * editor at once (a lock file beside it), and what readers see is the old text
 * or the new one, never half of it. The new file has the mode and owner of the
 * old one, and is on disk before it takes its place; a symbolic link stays one.
 *
 * Throws what the operating system says, or an ExitError where somebody else
 * holds the lock for too long, or the new file cannot be given to whom the old
 * one belongs.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fchmodSync, fchownSync, fstatSync, fsyncSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { EXIT, ExitError } from './exit-codes.ts'

/** An edit takes milliseconds; a lock of a process that died is broken after this. */
const STALE_MS = 60_000
const RETRY_MS = 50
const TRIES = 100
/** Of a file that was not there: whoever runs the gateway may read it. */
const NEW_MODE = 0o644

/** What a file that was not there is made with. */
export interface NewFile {
  /** 0644 */
  readonly mode?: number
  /** given where we may */
  readonly group?: number
}

/** @param edit the new text out of the old one ('' where there is no file); undefined leaves the file as it is. May be called again */
export async function editLocked(path: string, edit: (text: string) => string | undefined, made: NewFile = {}): Promise<void> {
  const file = behindLinks(path)
  const lock = `${file}.lock`
  const token = `${process.pid} ${randomBytes(12).toString('hex')}\n`
  for (;;) {
    await acquire(lock, token)
    try {
      const text = edit(readText(file) ?? '')
      if (text === undefined) return
      // Whoever took us for dead may be editing too: then it is done again on what they leave.
      if (readText(lock) !== token) continue
      replace(file, text, made)
      return
    } finally {
      if (readText(lock) === token) rmSync(lock, { force: true })
    }
  }
}

/** A link would be replaced by the file otherwise. */
function behindLinks(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return path
    throw error
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function replace(path: string, text: string, made: NewFile): void {
  const old = statOf(path)
  const temporary = `${path}.${process.pid}.new`
  rmSync(temporary, { force: true })
  const descriptor = openSync(temporary, 'wx', 0o600)
  try {
    writeFileSync(descriptor, text)
    if (old !== undefined) giveTo(old, { descriptor, path })
    else if (made.group !== undefined) tryGroup(descriptor, made.group)
    // Whatever the umask is: the gateway must be able to read it.
    fchmodSync(descriptor, (old?.mode ?? made.mode ?? NEW_MODE) & 0o777)
    fsyncSync(descriptor)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
  const directory = openSync(dirname(path), 'r')
  fsyncSync(directory)
  closeSync(directory)
}

/** A group that is lost may be the one by which the gateway reads the file. */
function giveTo({ uid, gid }: Stats, { descriptor, path }: { readonly descriptor: number; readonly path: string }): void {
  const now = fstatSync(descriptor)
  if (now.uid === uid && now.gid === gid) return
  try {
    fchownSync(descriptor, uid, gid)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error
    throw new ExitError(EXIT.permission, `${path} belongs to user ${uid} and group ${gid}, and must go on doing so: edit it as that user, in that group, or as root`)
  }
}

function tryGroup(descriptor: number, group: number): void {
  try {
    fchownSync(descriptor, fstatSync(descriptor).uid, group)
  } catch (error) {
    // Who is not in that group makes the file as any other.
    if (codeOf(error) !== 'EPERM') throw error
  }
}

async function acquire(lock: string, token: string): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      writeFileSync(lock, token, { flag: 'wx', mode: 0o644 })
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
