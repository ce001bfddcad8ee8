/**
 * Edits a text file that others read, and may edit, at the same time: one
 * editor at once (a lock file beside it), and what readers see is the old text
 * or the new one, never half of it. The new file has the mode and owner of the
 * old one, and is on disk before it takes its place; a symbolic link stays one.
 *
 * The folder may belong to somebody else than us. So text, owner and mode are
 * those of one file that was opened once: nobody is given a text that he could
 * not read. And root follows a link of another user only to that user's own
 * file: it could lead to any.
 *
 * Throws what the operating system says, or an ExitError where somebody else
 * holds the lock for too long, the new file cannot be given to whom the old one
 * belongs, or a link is not followed.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, constants, fchmodSync, fchownSync, fstatSync, fsyncSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { escapeControls } from '../observe/readable.ts'
import { EXIT, ExitError } from './exit-codes.ts'
import { wayTo } from './trusted-path.ts'

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
      const old = readOld(file)
      const text = edit(old?.text ?? '')
      if (text === undefined) return
      // Whoever took us for dead may be editing too: then it is done again on what they leave.
      if (readOld(lock)?.text !== token) continue
      replace(file, text, { ...made, old: old?.stats })
      return
    } finally {
      if (readOld(lock)?.text === token) rmSync(lock, { force: true })
    }
  }
}

/** A link would be replaced by the file otherwise. */
function behindLinks(path: string): string {
  try {
    const file = realpathSync(path)
    if (process.geteuid?.() === 0) refuseStrangeLinks(path, statSync(file).uid)
    return file
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return path
    throw error
  }
}

function refuseStrangeLinks(path: string, owner: number): void {
  const link = wayTo(path).find(({ stats }) => stats.isSymbolicLink() && stats.uid !== 0 && stats.uid !== owner)
  if (link !== undefined) throw new ExitError(EXIT.permission, escapeControls(`${link.path} is a symbolic link of user ${link.stats.uid} to what is not that user's: root does not follow it; name the file itself`))
}

interface Old {
  readonly text: string
  readonly stats: Stats
}

function readOld(path: string): Old | undefined {
  let descriptor: number
  try {
    // A pipe without a writer would hold us for ever.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    if (codeOf(error) === 'ELOOP') throw new ExitError(EXIT.data, `${escapeControls(path)} is a symbolic link to a file that is not there: make that file, or remove the link`)
    throw error
  }
  try {
    return { text: readFileSync(descriptor, 'utf8'), stats: fstatSync(descriptor) }
  } finally {
    closeSync(descriptor)
  }
}

function replace(path: string, text: string, { old, ...made }: NewFile & { readonly old: Stats | undefined }): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`
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
