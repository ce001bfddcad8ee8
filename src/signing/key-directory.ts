/**
 * A folder of keys named after domains: `example.org.pem`, which signs under
 * `signing.selector`, and `s2026._domainkey.example.org.pem`, which says its
 * selector itself. Each signs mail of exactly its domain.
 *
 * Several keys of one kind for one domain are a rotation: the newest file whose
 * record is known to be right signs; until something is known, the oldest,
 * which has most likely been published. So a new key can be put there before
 * its record is.
 *
 * Files that do not end in `.pem` (keys of OpenSSL's `.pub` and `.key`, notes)
 * and those that hold a public key only are passed over; any other that is no
 * key is a problem, since mail of that domain would leave unsigned.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyFiles } from './key-files.ts'
import { isPublicKeyOnly } from './private-key.ts'
import type { SigningProblem } from './problem.ts'
import { isName, rotationGroup, signingKey, type Candidate, type KeyName, type KeySource, type Occasion, type SigningKey } from './signing-key.ts'

const SUFFIX = '.pem'
const MARK = '._domainkey.'
const MAX_FILES = 10_000
const SMALL_BYTES = 64 * 1024

export function directorySource(folder: { readonly path: string; readonly selector: string | undefined }, files: KeyFiles, problems: SigningProblem[]): KeySource {
  const found = keyNames(folder.path)
  if (typeof found === 'string') {
    problems.push({ file: folder.path, line: undefined, key: ['signing', 'directory'], problem: found, allowed: `a folder of at most ${MAX_FILES} files` })
    return new DirectorySource([])
  }
  const dated: { readonly key: SigningKey; readonly atMs: number }[] = []
  for (const name of found) {
    const file = join(folder.path, name)
    const wrong = (problem: string, allowed: string): void => void problems.push({ file, line: undefined, problem, allowed })
    const reading = files.read(file)
    if (reading.status === 'refused' && holdsPublicKey(file)) continue
    const about = keyNameOf(name, folder.selector)
    if (about === undefined) wrong('is not named after a domain', 'example.org.pem, or s2026._domainkey.example.org.pem')
    else if (about === 'no-selector') wrong('has no selector in its name, and signing.selector is not set', `a selector, or the name SELECTOR${MARK}${name}`)
    else if (reading.status === 'refused') wrong(reading.problem, reading.allowed)
    else dated.push({ key: signingKey(about, reading.key, file), atMs: writtenAt(file) })
  }
  // The selector decides between files of the same time, so that every worker takes the same.
  dated.sort((a, b) => b.atMs - a.atMs || (a.key.selector < b.key.selector ? 1 : -1))
  return new DirectorySource(dated.map(({ key }) => key))
}

class DirectorySource implements KeySource {
  readonly addressFields = ['from'] as const
  readonly keys: readonly SigningKey[]
  readonly #byDomain = new Map<string, SigningKey[]>()

  /** @param keys newest first */
  constructor(keys: readonly SigningKey[]) {
    this.keys = keys
    for (const key of keys) {
      const same = this.#byDomain.get(key.domain)
      if (same === undefined) this.#byDomain.set(key.domain, [key])
      else same.push(key)
    }
  }

  candidates(occasion: Occasion): readonly Candidate[] {
    const reading = occasion.sender(this.addressFields)
    if (reading.status !== 'one') return []
    const { sender } = reading
    return (this.#byDomain.get(sender.domain) ?? []).map((key) => ({ key, identity: undefined, sender, group: rotationGroup(key), newestFirst: true, source: 'signing.directory' }))
  }
}

/** What a file in the folder is called. */
export function keyFileName({ domain, selector }: KeyName): string {
  return `${selector}${MARK}${domain}${SUFFIX}`
}

export function keyNameOf(fileName: string, selector: string | undefined): KeyName | 'no-selector' | undefined {
  const name = fileName.slice(0, -SUFFIX.length).toLowerCase()
  const at = name.indexOf(MARK)
  const domain = at < 0 ? name : name.slice(at + MARK.length)
  const own = at < 0 ? selector : name.slice(0, at)
  if (!isName(domain) || (own !== undefined && !isName(own))) return undefined
  return own === undefined ? 'no-selector' : { domain, selector: own }
}

/** What is wrong with the folder, where it cannot be used. */
function keyNames(path: string): readonly string[] | string {
  try {
    const names = readdirSync(path)
    return names.length > MAX_FILES ? `holds ${names.length} files` : names.filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.')).sort()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return code === 'ENOENT' ? 'is not there' : code === 'ENOTDIR' ? 'is no folder' : code === 'EACCES' ? 'cannot be read: no permission' : `cannot be read: ${code}`
  }
}

/** It is no secret, and so its permissions do not matter. */
function holdsPublicKey(file: string): boolean {
  try {
    const stats = statSync(file)
    return stats.isFile() && stats.size <= SMALL_BYTES && isPublicKeyOnly(readFileSync(file, 'latin1'))
  } catch {
    // What is wrong with it has been found out already.
    return false
  }
}

function writtenAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
