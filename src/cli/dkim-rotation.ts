/**
 * The plan of a key's change: which keys of a domain are followed by which, and
 * how far it has come. It is kept in a file beside the keys, written before the
 * first key is made, so that whoever runs the command again goes on with the
 * same names. The file holds no secret. Throws what the operating system says,
 * or an ExitError.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { SigningAlgorithm } from '../auth/dkim/signing-order.ts'
import { escapeControls } from '../observe/readable.ts'
import { directorySource, keyFileName } from '../signing/key-directory.ts'
import { readKeyFile, thisReader } from '../signing/key-file.ts'
import { KeyFiles } from '../signing/key-files.ts'
import type { PrivateKey } from '../signing/private-key.ts'
import type { SigningSettings } from '../signing/settings.ts'
import { datedSelector } from './dkim-io.ts'
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

export interface Wanted {
  readonly domain: string
  /** of the new keys; undefined: after the day */
  readonly selector: string | undefined
  readonly nowMs: number
}

interface OldKey extends NamedKey {
  readonly key: PrivateKey
}

/** The plan that is under way, or a new one; nothing is written. */
export function planRotation(signing: SigningSettings, wanted: Wanted): { readonly rotation: Rotation; readonly file: string; readonly isNew: boolean } {
  const { source, keys } = currentKeys(signing, wanted.domain)
  const [first] = keys
  if (first === undefined) throw new ExitError(EXIT.configuration, noKeys(signing, wanted.domain))
  const file = join(dirname(first.file), `${wanted.domain}.rotation.json`)
  const underWay = readRotation(file)
  if (underWay !== undefined && (underWay.oldMayGoAt === undefined || underWay.oldMayGoAt > wanted.nowMs)) {
    if (wanted.selector !== undefined && !underWay.keys.some(({ next }) => next.selector === wanted.selector)) {
      throw new ExitError(EXIT.data, `a rotation of ${wanted.domain} to ${underWay.keys.map(({ next }) => next.selector).join(' and ')} is ${underWay.oldMayGoAt === undefined ? 'under way' : 'just done'} (${escapeControls(file)}); to give it up, remove that file`)
    }
    return { rotation: underWay, file, isNew: false }
  }
  return { rotation: { domain: wanted.domain, source, keys: successions(keys, { ...wanted, source }), startedAt: wanted.nowMs }, file, isNew: true }
}

function noKeys({ tables }: SigningSettings, domain: string): string {
  const table = tables === undefined ? '' : '; keys of signing.key_table are changed by hand: make one with "postern dkim keygen", publish its record, wait until it is everywhere, change the line of the table'
  return `neither signing.keys nor signing.directory has a key for ${domain}${table}`
}

/** The keys that sign now; those of a folder as the newest of each kind. */
function currentKeys(signing: SigningSettings, domain: string): { readonly source: Rotation['source']; readonly keys: readonly OldKey[] } {
  const listed = new Map(signing.keys.filter((one) => one.domain === domain).map((one) => [one.selector, one.key]))
  if (listed.size > 0) return { source: 'list', keys: [...listed].map(([selector, file]) => ({ selector, file, key: readable(file) })) }
  if (signing.directory === undefined) return { source: 'list', keys: [] }
  // What is wrong with files of other domains does not matter here.
  const found = directorySource({ path: signing.directory, selector: signing.selector }, new KeyFiles(thisReader()), []).keys.filter((key) => key.domain === domain)
  const newest = [...new Map(found.toReversed().map((key) => [key.algorithm, key])).values()]
  return { source: 'directory', keys: newest.map((key) => ({ selector: key.selector, file: key.file, key })) }
}

function readable(file: string): PrivateKey {
  const reading = readKeyFile(file, thisReader())
  if (reading.status === 'read') return reading.key
  throw new ExitError(EXIT.data, `${escapeControls(file)} ${reading.problem}; allowed: ${reading.allowed}`)
}

function successions(keys: readonly OldKey[], { domain, selector, nowMs, source }: Wanted & { readonly source: Rotation['source'] }): readonly Succession[] {
  const taken = new Set(keys.map((one) => one.selector))
  return keys.map((old, index) => {
    const { algorithm, bits } = old.key
    const base = selector === undefined ? datedSelector(algorithm, nowMs) : index === 0 ? selector : `${selector}-${algorithm === 'ed25519-sha256' ? 'ed25519' : 'rsa'}`
    const next = free(base, (name) => ({ selector: name, file: join(dirname(old.file), nextFileName(domain, old, { selector: name, source })) }), taken)
    taken.add(next.selector)
    return { algorithm, bits, old: { selector: old.selector, file: old.file }, next }
  })
}

/** A name that no other key has; what lies there under it is somebody else's. */
function free(base: string, named: (selector: string) => NamedKey, taken: ReadonlySet<string>): NamedKey {
  for (let count = 1; ; count++) {
    const next = named(count === 1 ? base : `${base}-${count}`)
    if (!taken.has(next.selector) && !existsSync(next.file)) return next
  }
}

/** As the old one is called, where its selector is a part of its name. */
function nextFileName(domain: string, old: NamedKey, { selector, source }: { readonly selector: string; readonly source: Rotation['source'] }): string {
  const name = basename(old.file)
  const at = name.lastIndexOf(old.selector)
  if (source === 'directory' || at < 0 || domain.includes(old.selector)) return keyFileName({ domain, selector })
  return name.slice(0, at) + selector + name.slice(at + old.selector.length)
}

export function readRotation(file: string): Rotation | undefined {
  if (!existsSync(file)) return undefined
  try {
    const read: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (isRotation(read)) return read
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new ExitError(EXIT.data, `${escapeControls(file)} is not what "postern dkim rotate" has written: look at it, and remove it to begin anew`)
}

function isRotation(value: unknown): value is Rotation {
  if (typeof value !== 'object' || value === null || !('domain' in value) || !('source' in value) || !('startedAt' in value) || !('keys' in value)) return false
  return typeof value.domain === 'string' && (value.source === 'list' || value.source === 'directory') && typeof value.startedAt === 'number' && Array.isArray(value.keys) && value.keys.every(isSuccession)
}

function isSuccession(value: unknown): boolean {
  const isNamed = (one: unknown): boolean => typeof one === 'object' && one !== null && 'selector' in one && typeof one.selector === 'string' && 'file' in one && typeof one.file === 'string'
  return typeof value === 'object' && value !== null && 'algorithm' in value && (value.algorithm === 'rsa-sha256' || value.algorithm === 'ed25519-sha256')
    && 'bits' in value && typeof value.bits === 'number' && 'old' in value && isNamed(value.old) && 'next' in value && isNamed(value.next)
}

/** Whole and on disk before it counts. */
export function saveRotation(file: string, rotation: Rotation): void {
  const temporary = `${file}.${process.pid}.new`
  const descriptor = openSync(temporary, 'w', 0o644)
  try {
    writeFileSync(descriptor, `${JSON.stringify(rotation, null, 2)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, file)
  const folder = openSync(dirname(file), 'r')
  fsyncSync(folder)
  closeSync(folder)
}
