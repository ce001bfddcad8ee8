/**
 * All keys that the settings lead to, read at once: a set that can be used, or
 * every problem there is. Reads files; nothing throws.
 */
import type { Reader } from './key-file.ts'
import { KeyFiles } from './key-files.ts'
import { directorySource } from './key-directory.ts'
import { listSource } from './key-list.ts'
import { tableSource } from './opendkim-tables.ts'
import type { SigningProblem } from './problem.ts'
import type { SigningSettings } from './settings.ts'
import type { KeySource, SigningKey } from './signing-key.ts'

export interface KeySet {
  readonly settings: SigningSettings
  readonly sources: readonly KeySource[]
  /** those that are known before any message comes, each name once */
  readonly keys: readonly SigningKey[]
  /** for the next load */
  readonly files: KeyFiles
}

export type KeySetReading = { readonly status: 'read'; readonly set: KeySet } | { readonly status: 'refused'; readonly problems: readonly SigningProblem[] }

/** @param before what was read last time: files that are as they were are not read again */
export function readKeySet(settings: SigningSettings, reader: Reader, before?: KeySet): KeySetReading {
  const files = new KeyFiles(reader, before?.files)
  const problems: SigningProblem[] = []
  const sources: KeySource[] = []
  if (settings.keys.length > 0) sources.push(listSource(settings.keys, files, problems))
  if (settings.directory !== undefined) sources.push(directorySource({ path: settings.directory, selector: settings.selector }, files, problems))
  const tables = settings.tables === undefined ? undefined : tableSource(settings.tables, files, problems)
  if (tables !== undefined) sources.push(tables)
  const keys = distinct(sources.flatMap((source) => source.keys))
  problems.push(...contradictions(keys))
  return problems.length > 0 ? { status: 'refused', problems } : { status: 'read', set: { settings, sources, keys, files } }
}

function distinct(keys: readonly SigningKey[]): readonly SigningKey[] {
  return [...new Map(keys.map((key) => [`${key.selector}._domainkey.${key.domain} ${key.publicData}`, key])).values()]
}

/** Two keys under one name: the DNS can have one of them only. */
function contradictions(keys: readonly SigningKey[]): readonly SigningProblem[] {
  const byName = new Map<string, SigningKey>()
  return keys.flatMap((key) => {
    const name = `${key.selector}._domainkey.${key.domain}`
    const other = byName.get(name)
    byName.set(name, other ?? key)
    return other === undefined ? [] : [{ file: key.file, line: undefined, problem: `holds another key than ${other.file}, and both are ${name}`, allowed: 'one key for each selector of a domain' }]
  })
}
