/**
 * The file of a private key. It is refused where others could have read or
 * changed it, as ssh(1) does:
 *
 * - other users may neither read nor write it;
 * - it belongs to us or to root (to anybody, where we are root ourselves:
 *   `postern check` is run by root for a gateway that is not);
 * - its group may not write it, and may read it only where it belongs to root
 *   and the group is one of ours: `root:postern 0640` is how a service is given
 *   a key that it cannot change, and packages of Debian do it so. A group that
 *   may read a key of our own is an accident.
 *
 * The rules are put to the file that is open, so that nothing can be changed
 * between the look and the reading. Errors name the file and what is allowed,
 * never what is in it. Nothing throws.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { readPrivateKey, type KeyReading, type Refusal } from './private-key.ts'

/** Who reads. */
export interface Reader {
  readonly uid: number
  /** all of its groups */
  readonly gids: readonly number[]
}

/** An RSA key of 4096 bits has 3.3 KB; a certificate may stand beside it. */
const MAX_BYTES = 64 * 1024
const FILE_ALLOWED = 'a file that only its owner can read (chmod 600); or of root with a group of ours (chmod 640)'

export function thisReader(): Reader {
  return { uid: process.geteuid?.() ?? 0, gids: [process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])] }
}

export interface SecretText {
  readonly status: 'text'
  readonly text: string
  /** changes when the file does */
  readonly mark: string
}

export function readKeyFile(path: string, reader: Reader): KeyReading {
  const found = readSecret(path, reader)
  return found.status === 'refused' ? found : readPrivateKey(found.text)
}

/** The text of a file that only we, or root, may know. */
export function readSecret(path: string, reader: Reader): SecretText | Refusal {
  let descriptor: number
  try {
    // A pipe without a writer would hold us for ever.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    return refusal(causeOf(error))
  }
  try {
    const stats = fstatSync(descriptor)
    const problem = problemOf(stats, reader)
    if (problem !== undefined) return refusal(problem)
    return { status: 'text', text: readAll(descriptor, stats.size), mark: markOf(stats) }
  } catch (error) {
    return refusal(causeOf(error))
  } finally {
    closeSync(descriptor)
  }
}

export function markOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`
}

/** What is wrong with a file of secrets; undefined where nothing is. */
export function problemOf(stats: Pick<Stats, 'isFile' | 'mode' | 'uid' | 'gid' | 'size'>, { uid, gids }: Reader): string | undefined {
  if (!stats.isFile()) return 'is no file'
  if (stats.size > MAX_BYTES) return `has ${stats.size} bytes, which no key has`
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  if (uid !== 0 && stats.uid !== uid && stats.uid !== 0) return `belongs to user ${stats.uid}, who is neither root nor the user of the gateway (${uid})`
  if ((stats.mode & 0o007) !== 0) return `is open to every user of the machine (mode ${mode})`
  if ((stats.mode & 0o030) !== 0) return `can be changed by its group (mode ${mode}, group ${stats.gid})`
  const groupReads = (stats.mode & 0o040) !== 0
  if (groupReads && (stats.uid !== 0 || (uid !== 0 && !gids.includes(stats.gid)))) return `can be read by its group (mode ${mode}, group ${stats.gid})`
  return undefined
}

function readAll(descriptor: number, size: number): string {
  const bytes = Buffer.alloc(size)
  let length = 0
  for (let n = -1; n !== 0 && length < size; length += n) n = readSync(descriptor, bytes, length, size - length, null)
  return bytes.toString('latin1', 0, length)
}

function causeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  const known: Readonly<Record<string, string>> = { ENOENT: 'is not there', EACCES: 'cannot be read: no permission', EISDIR: 'is a directory', ELOOP: 'is a symbolic link that leads in a circle', ENOTDIR: 'is not there: a part of its path is no directory' }
  return known[code] ?? `cannot be read: ${code}`
}

function refusal(problem: string): Refusal {
  return { status: 'refused', problem, allowed: FILE_ALLOWED }
}
