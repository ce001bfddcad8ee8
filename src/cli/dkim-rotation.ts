/**
 * The plan of a key's change: which keys of a domain are followed by which, and
 * how far it has come. It is kept in a file beside the keys, written before the
 * first key is made, so that whoever runs the command again goes on with the
 * same names (dkim-rotation-file.ts).
 *
 * Root makes files there and gives them to whom the old ones belong, so root
 * works only in folders that nobody else can write. Throws what the operating
 * system says, or an ExitError.
 */
import { lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { escapeControls } from '../observe/readable.ts'
import { directorySource } from '../signing/key-directory.ts'
import { readKeyFile, thisReader } from '../signing/key-file.ts'
import { KeyFiles } from '../signing/key-files.ts'
import type { PrivateKey } from '../signing/private-key.ts'
import type { SigningSettings } from '../signing/settings.ts'
import { datedSelector } from './dkim-io.ts'
import { nextFile, readRotation, type NamedKey, type Rotation, type Succession } from './dkim-rotation-file.ts'
import { EXIT, ExitError } from './exit-codes.ts'
import { folderProblem } from './trusted-path.ts'

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
  const { uid } = thisReader()
  refuseUnsafe(keys, wanted.domain, uid)
  const underWay = readRotation(file, { domain: wanted.domain, uid })
  if (underWay !== undefined && (underWay.oldMayGoAt === undefined || underWay.oldMayGoAt > wanted.nowMs)) {
    if (wanted.selector !== undefined && !underWay.keys.some(({ next }) => next.selector === wanted.selector)) {
      throw new ExitError(EXIT.data, `a rotation of ${wanted.domain} to ${underWay.keys.map(({ next }) => next.selector).join(' and ')} is ${underWay.oldMayGoAt === undefined ? 'under way' : 'just done'} (${escapeControls(file)}); to give it up, remove that file`)
    }
    refuseUnsafe(underWay.keys.map(({ old }) => old), wanted.domain, uid)
    return { rotation: underWay, file, isNew: false }
  }
  return { rotation: { domain: wanted.domain, source, keys: successions(keys, { ...wanted, source }), startedAt: wanted.nowMs }, file, isNew: true }
}

/** Root would make files for whoever can put a link there. */
function refuseUnsafe(keys: readonly NamedKey[], domain: string, uid: number): void {
  if (uid !== 0) return
  for (const folder of new Set(keys.map(({ file }) => dirname(file)))) {
    const problem = folderProblem(folder, new Set([0]))
    if (problem === undefined) continue
    const asOwner = problem.uid === undefined ? '' : `run it as that user (sudo -u '#${problem.uid}' postern dkim rotate ${domain}), or `
    throw new ExitError(EXIT.permission, escapeControls(`${problem.what}, and root makes no keys in ${folder} where another user could lead it to other files: ${asOwner}make it root's alone (chown root and chmod go-w; the keys in it may stay whose they are)`))
  }
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
    const next = free(base, (name) => ({ selector: name, file: nextFile(old, { domain, selector: name, source }) }), taken)
    taken.add(next.selector)
    return { algorithm, bits, old: { selector: old.selector, file: old.file }, next }
  })
}

/** A name that no other key has; what lies there under it is somebody else's. */
function free(base: string, named: (selector: string) => NamedKey, taken: ReadonlySet<string>): NamedKey {
  for (let count = 1; ; count++) {
    const next = named(count === 1 ? base : `${base}-${count}`)
    if (!taken.has(next.selector) && lstatSync(next.file, { throwIfNoEntry: false }) === undefined) return next
  }
}
