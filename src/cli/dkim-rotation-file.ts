/**
 * The file of a key's change: what it looks like, when it is believed, how it is
 * written. It lies beside the keys and says which files are made there, so it
 * is believed only where nobody but us (and root) can have written it, and only
 * what could have been planned: the next key beside the old one, under the name
 * that follows from it. The file holds no secret. Throws what the operating
 * system says, or an ExitError.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, type Stats } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'
import type { SigningAlgorithm } from '../auth/dkim/signing-order.ts'
import { escapeControls } from '../observe/readable.ts'
import { keyFileName } from '../signing/key-directory.ts'
import { MAX_RSA_BITS, MIN_RSA_BITS } from '../signing/private-key.ts'
import { isName } from '../signing/signing-key.ts'
import { EXIT, ExitError } from './exit-codes.ts'

export interface NamedKey {
  readonly selector: string
  readonly file: string
}

export interface Succession {
  readonly algorithm: SigningAlgorithm
  readonly bits: number
  readonly old: NamedKey
  readonly next: NamedKey
}

export interface Rotation {
  readonly domain: string
  /** list: the configuration names the keys; directory: the folder is all there is */
  readonly source: 'list' | 'directory'
  readonly keys: readonly Succession[]
  /** milliseconds since 1970 */
  readonly startedAt: number
  /** when the old records may go; undefined: the new keys do not sign yet */
  readonly oldMayGoAt?: number
}

/** A plan has a few hundred bytes for each key. */
const MAX_BYTES = 64 * 1024
/** ECMA-262 §21.4.1.1 */
const MAX_TIME_MS = 8.64e15

/** Beside the old one; called as that one is, where its selector is a part of its name. */
export function nextFile(old: NamedKey, { domain, selector, source }: { readonly domain: string; readonly selector: string; readonly source: Rotation['source'] }): string {
  const name = basename(old.file)
  const at = name.lastIndexOf(old.selector)
  const next = source === 'directory' || at < 0 || domain.includes(old.selector) ? keyFileName({ domain, selector }) : name.slice(0, at) + selector + name.slice(at + old.selector.length)
  return join(dirname(old.file), next)
}

/** @param expected the domain whose plan it is, and who reads it; undefined where there is no plan */
export function readRotation(file: string, expected: { readonly domain: string; readonly uid: number }): Rotation | undefined {
  const text = readPlan(file, expected.uid)
  if (text === undefined) return undefined
  try {
    const read: unknown = JSON.parse(text)
    if (isRotation(read) && read.domain === expected.domain && read.keys.every((one) => one.next.file === nextFile(one.old, { ...read, selector: one.next.selector }))) return read
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new ExitError(EXIT.data, `${escapeControls(file)} is not what "postern dkim rotate" has written: look at it, and remove it to begin anew`)
}

function readPlan(file: string, uid: number): string | undefined {
  const descriptor = openPlan(file)
  if (descriptor === undefined) return undefined
  try {
    // Of what is open, so that nothing can be changed between the look and the reading.
    const problem = planProblem(fstatSync(descriptor), uid)
    if (problem !== undefined) throw unbelievable(file, problem)
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

function openPlan(file: string): number | undefined {
  try {
    // A pipe without a writer would hold us for ever.
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP') throw unbelievable(file, 'is a symbolic link')
    throw error
  }
}

function planProblem(stats: Stats, uid: number): string | undefined {
  if (!stats.isFile()) return 'is no file'
  if (stats.size > MAX_BYTES) return `has ${stats.size} bytes, which no plan has`
  if (stats.uid !== uid && stats.uid !== 0) return `belongs to user ${stats.uid}`
  return (stats.mode & 0o022) === 0 ? undefined : `can be written by others (mode ${(stats.mode & 0o777).toString(8).padStart(4, '0')})`
}

function unbelievable(file: string, problem: string): ExitError {
  return new ExitError(EXIT.data, `${escapeControls(file)} ${problem}: a plan is believed only where nobody but its reader or root can have written it; remove it to begin anew`)
}

function isRotation(value: unknown): value is Rotation {
  if (!isObject(value)) return false
  const { domain, source, startedAt, oldMayGoAt, keys } = value
  return typeof domain === 'string' && (source === 'list' || source === 'directory') && isTime(startedAt) && (oldMayGoAt === undefined || isTime(oldMayGoAt))
    && Array.isArray(keys) && keys.length > 0 && keys.every(isSuccession)
}

function isSuccession(value: unknown): boolean {
  return isObject(value) && isNamed(value['old']) && isNamed(value['next']) && isKind(value['algorithm'], value['bits'])
}

function isNamed(value: unknown): boolean {
  return isObject(value) && typeof value['selector'] === 'string' && isName(value['selector']) && typeof value['file'] === 'string' && isAbsolute(value['file'])
}

function isKind(algorithm: unknown, bits: unknown): boolean {
  if (typeof bits !== 'number' || !Number.isInteger(bits)) return false
  return algorithm === 'ed25519-sha256' || (algorithm === 'rsa-sha256' && bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS)
}

function isTime(value: unknown): boolean {
  // A day may be added to it.
  return typeof value === 'number' && value >= 0 && value < MAX_TIME_MS - 86_400_000
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** Whole and on disk before it counts. */
export function saveRotation(file: string, rotation: Rotation): void {
  // 'wx' makes a file of its own: a link that lies there is an error, and not followed.
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`
  const descriptor = openSync(temporary, 'wx', 0o644)
  try {
    writeFileSync(descriptor, `${JSON.stringify(rotation, null, 2)}\n`)
    fsyncSync(descriptor)
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
  const folder = openSync(dirname(file), 'r')
  fsyncSync(folder)
  closeSync(folder)
}
