/**
 * Private keys by their paths, each read once. Installations that are taken over
 * have keys that their group reads (root:dkimproxy 0640, dkimproxy:dkimproxy
 * 0640), and RSA keys of 1024 bits: both are taken, with a warning for the
 * second. A key that every user of the machine can read or its group can change
 * is refused, as ssh does.
 *
 * Errors name the file and what is allowed, never what is in it. Nothing throws.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { resolve } from 'node:path'
import { MIN_RSA_BITS, readPrivateKey, type PrivateKey } from '../signing/private-key.ts'

export type KeyFileReading =
  | { readonly status: 'read'; readonly key: PrivateKey; readonly warning: string | undefined }
  | { readonly status: 'refused'; readonly problem: string }

/** Made anew for each reading of the configuration. */
export class KeyFiles {
  private readonly found = new Map<string, KeyFileReading>()
  private readonly cwd: string

  constructor(cwd: string) {
    this.cwd = cwd
  }

  read(path: string): KeyFileReading {
    const before = this.found.get(path)
    if (before !== undefined) return before
    const reading = readKey(resolve(this.cwd, path))
    this.found.set(path, reading)
    return reading
  }
}

const MAX_BYTES = 64 * 1024
/** RFC 8301 §3.2: signers use 1024 bits at the least. */
const LEAST_RSA_BITS = 1024

function readKey(path: string): KeyFileReading {
  let descriptor: number
  try {
    // A pipe without a writer would hold us for ever.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    return refused(path, causeOf(error))
  }
  try {
    const problem = permissionProblem(fstatSync(descriptor))
    if (problem !== undefined) return refused(path, problem)
    const reading = readPrivateKey(readFileSync(descriptor, 'latin1'), LEAST_RSA_BITS)
    if (reading.status === 'refused') return refused(path, `${reading.problem}; allowed: ${reading.allowed}`)
    const { key } = reading
    const weak = key.algorithm === 'rsa-sha256' && key.bits < MIN_RSA_BITS
    return { status: 'read', key, warning: weak ? `key ${path} has ${key.bits} bits; RFC 8301 asks for ${MIN_RSA_BITS}, and some receivers count its signatures for nothing` : undefined }
  } catch (error) {
    return refused(path, causeOf(error))
  } finally {
    closeSync(descriptor)
  }
}

function permissionProblem(stats: Pick<Stats, 'isFile' | 'mode' | 'size'>): string | undefined {
  if (!stats.isFile()) return 'is no file'
  if (stats.size > MAX_BYTES) return `has ${stats.size} bytes, which no key has`
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  if ((stats.mode & 0o007) !== 0) return `is open to every user of the machine (mode ${mode}): whoever has an account here could sign as you; allowed: chmod 640 or 600`
  if ((stats.mode & 0o020) !== 0) return `can be changed by its group (mode ${mode}); allowed: chmod 640 or 600`
  return undefined
}

function causeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  const known: Readonly<Record<string, string>> = { ENOENT: 'is not there', EACCES: 'cannot be read: no permission', EISDIR: 'is a directory', ENOTDIR: 'is not there: a part of its path is no directory' }
  return known[code] ?? `cannot be read: ${code}`
}

function refused(path: string, problem: string): KeyFileReading {
  return { status: 'refused', problem: `key ${path} ${problem}` }
}
