/**
 * OpenDKIM's SigningTable over its KeyTable as a source of keys. Which line is
 * for a sender, by opendkim.conf(5) and by what opendkim 2.11 does:
 *
 * - `refile:`: the patterns in the order of the file;
 * - otherwise: `user@host`, `host`, then `user@.domain` and `.domain` for each
 *   domain above, the nearest first (the host's own name with a dot before it
 *   is not among them), `user@*`, `*`.
 *
 * The first one counts, or all of them with MultipleSignatures (opendkim 2.11
 * signs with the first and the last of three, against its manual). The value is
 * the name of a key (`%`: the sender's domain), and behind a colon what stands
 * in `i=` (in which `%` is the sender's domain); an `i=` that is not under `d=`
 * is left out. Names are compared without regard to case.
 */
import { quote } from '../config/problem.ts'
import type { KeyFiles } from './key-files.ts'
import { readKeyTable, type KeyTable } from './key-table.ts'
import type { SigningProblem } from './problem.ts'
import type { SenderAddress } from './sender.ts'
import type { AddressFields, SigningTables } from './settings.ts'
import { isUnder, nameAndParents, type Candidate, type KeySource, type Occasion, type SigningKey } from './signing-key.ts'
import { readTable, type Table, type TableLine } from './table-file.ts'

export function tableSource(tables: SigningTables, files: KeyFiles, problems: SigningProblem[]): KeySource | undefined {
  const keyTable = readTable(tables.keyTable)
  const signingTable = readTable(tables.signingTable)
  for (const reading of [keyTable, signingTable]) if (reading.status === 'refused') problems.push(...reading.problems)
  if (keyTable.status === 'refused' || signingTable.status === 'refused') return undefined
  const wanted = wantedLines(signingTable.table, keyTable.table, problems)
  return new TableSource(tables, signingTable.table, readKeyTable(keyTable.table, wanted, { files, problems }))
}

function wantedLines(signing: Table, keys: Table, problems: SigningProblem[]): ReadonlySet<TableLine> {
  const wanted = new Set<TableLine>()
  for (const { value, line } of signing.lines) {
    const { name } = valueOf(value)
    // Whose domain it will be is not known before a message comes.
    if (name === '%') return new Set(keys.lines)
    const found = keys.find(name)
    if (found === undefined) problems.push({ file: signing.file.path, line, problem: `names the key ${quote(name)}, which ${keys.file.path} does not have`, allowed: 'a name out of the first column of the key table' })
    else wanted.add(found)
  }
  return wanted
}

function valueOf(value: string): { readonly name: string; readonly signer: string | undefined } {
  const [name = '', signer] = value.split(':').map((part) => part.trim())
  return { name, signer: signer === '' ? undefined : signer }
}

class TableSource implements KeySource {
  readonly addressFields: AddressFields
  readonly keys: readonly SigningKey[]
  readonly #multiple: boolean
  readonly #signing: Table
  readonly #keyTable: KeyTable

  constructor({ addressFields, multipleSignatures }: SigningTables, signing: Table, keyTable: KeyTable) {
    this.addressFields = addressFields
    this.#multiple = multipleSignatures
    this.#signing = signing
    this.#keyTable = keyTable
    this.keys = keyTable.keys
  }

  candidates(occasion: Occasion): readonly Candidate[] {
    const reading = occasion.sender(this.addressFields)
    if (reading.status !== 'one') return []
    const found: Candidate[] = []
    for (const line of this.#linesFor(reading.sender)) {
      const candidate = this.#candidate(line, reading.sender)
      if (candidate !== undefined) found.push(candidate)
      if (!this.#multiple) break
    }
    return found
  }

  *#linesFor(sender: SenderAddress): Generator<TableLine> {
    const keys = this.#signing.file.kind === 'refile' ? [sender.address] : lookUps(sender)
    for (const key of keys) yield* this.#signing.matching(key)
  }

  #candidate({ value, line }: TableLine, sender: SenderAddress): Candidate | undefined {
    const { name, signer } = valueOf(value)
    const key = this.#keyTable.find(name === '%' ? sender.domain : name, sender.domain)
    if (key === undefined) return undefined
    return { key, identity: identityOf(signer, sender, key.domain), sender, group: `${key.domain} ${key.selector}`, newestFirst: false, source: `${this.#signing.file.path}:${line}` }
  }
}

function* lookUps({ address, local, domain }: SenderAddress): Generator<string> {
  yield address
  yield domain
  for (const name of [...nameAndParents(domain)].slice(1)) {
    yield `${local}@.${name}`
    yield `.${name}`
  }
  yield `${local}@*`
  yield '*'
}

/** RFC 6376 §3.5: the domain of `i=` is that of `d=` or below it. */
function identityOf(signer: string | undefined, sender: SenderAddress, domain: string): string | undefined {
  const identity = signer?.replaceAll('%', sender.domain)
  const at = identity?.lastIndexOf('@') ?? -1
  return identity !== undefined && at >= 0 && isUnder(identity.slice(at + 1).toLowerCase(), domain) && /^[\x21-\x3a\x3c-\x7e]{1,320}$/.test(identity) ? identity : undefined
}
