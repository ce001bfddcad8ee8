/**
 * `signing.keys`: each key with the conditions under which it signs; all of
 * those that are given must hold (see SigningKeySettings).
 *
 * A List-Id is a line that anybody can write. So a key for lists alone signs
 * for clients that the listener trusts, and for users only whom the entry
 * names; whose address stands in From does not matter then, since a list sends
 * on what others have written.
 */
import type { KeyFiles } from './key-files.ts'
import type { SigningProblem } from './problem.ts'
import type { SenderAddress } from './sender.ts'
import type { AddressFields, SigningKeySettings } from './settings.ts'
import { isName, isUnder, nameAndParents, rotationGroup, signingKey, type Candidate, type KeySource, type Occasion, type SigningKey } from './signing-key.ts'

interface Entry {
  readonly settings: SigningKeySettings
  readonly key: SigningKey
  readonly index: number
}

export function listSource(list: readonly SigningKeySettings[], files: KeyFiles, problems: SigningProblem[]): KeySource {
  const entries: Entry[] = []
  for (const [index, settings] of list.entries()) {
    const where = ['signing', 'keys', index]
    if (!isName(settings.domain) || !isName(settings.selector)) {
      problems.push({ file: settings.key, line: undefined, key: where, problem: 'the domain or the selector of this key is no name', allowed: 'names such as example.org and s2026' })
      continue
    }
    const reading = files.read(settings.key)
    if (reading.status === 'refused') problems.push({ file: settings.key, line: undefined, key: [...where, 'key'], problem: reading.problem, allowed: reading.allowed })
    else entries.push({ settings, key: signingKey(settings, reading.key, settings.key), index })
  }
  return new ListSource(entries)
}

class ListSource implements KeySource {
  readonly keys: readonly SigningKey[]
  readonly addressFields: AddressFields
  /** by the domain whose authors' mail they sign */
  readonly #byDomain = new Map<string, Entry[]>()
  /** those that go by senders or lists */
  readonly #others: readonly Entry[]

  constructor(entries: readonly Entry[]) {
    this.keys = entries.map(({ key }) => key)
    this.addressFields = entries[0]?.settings.addressFields ?? ['from']
    const byDomain = (entry: Entry): boolean => entry.settings.senders === undefined && entry.settings.listIds === undefined
    this.#others = entries.filter((entry) => !byDomain(entry))
    for (const entry of entries.filter(byDomain)) {
      const same = this.#byDomain.get(entry.key.domain)
      if (same === undefined) this.#byDomain.set(entry.key.domain, [entry])
      else same.push(entry)
    }
  }

  candidates(occasion: Occasion): readonly Candidate[] {
    const found = [...this.#forAuthors(occasion), ...this.#others.flatMap((entry) => bySenderOrList(entry, occasion))]
    return found.sort((a, b) => a.index - b.index).map(({ candidate }) => candidate)
  }

  *#forAuthors(occasion: Occasion): Generator<Found> {
    const names = new Map<string, SenderAddress>()
    for (const fields of FIELD_ORDERS) {
      const reading = occasion.sender(fields)
      if (reading.status === 'one') names.set(fields.join(), reading.sender)
    }
    for (const entry of this.#entriesFor(new Set([...names.values()].map(({ domain }) => domain)))) {
      const sender = names.get(entry.settings.addressFields.join())
      const { domain, subdomains } = entry.settings
      if (sender === undefined || !(subdomains ? isUnder(sender.domain, domain) : sender.domain === domain)) continue
      if (isOccasion(entry, occasion)) yield foundBy(entry, sender)
    }
  }

  #entriesFor(domains: ReadonlySet<string>): ReadonlySet<Entry> {
    return new Set([...domains].flatMap((domain) => [...nameAndParents(domain)].flatMap((name) => this.#byDomain.get(name) ?? [])))
  }
}

const FIELD_ORDERS: readonly AddressFields[] = [['from'], ['sender', 'from'], ['from', 'sender'], ['sender']]

interface Found {
  readonly index: number
  readonly candidate: Candidate
}

function foundBy({ key, index }: Entry, sender: SenderAddress | undefined): Found {
  return { index, candidate: { key, identity: undefined, sender, group: rotationGroup(key), newestFirst: false, source: `signing.keys[${index}]` } }
}

function bySenderOrList(entry: Entry, occasion: Occasion): readonly Found[] {
  const { senders, listIds, users, addressFields } = entry.settings
  if (!isOccasion(entry, occasion)) return []
  if (listIds !== undefined) {
    const trusted = occasion.login === undefined || users !== undefined
    if (!trusted || occasion.listId === undefined || !isAmongLists(occasion.listId, listIds)) return []
    if (senders === undefined) return [foundBy(entry, undefined)]
  }
  const reading = occasion.sender(addressFields)
  return reading.status === 'one' && senders?.some((pattern) => matchesSender(pattern, reading.sender)) === true ? [foundBy(entry, reading.sender)] : []
}

function isOccasion({ settings: { users, listeners } }: Entry, { login, listener }: Occasion): boolean {
  if (users !== undefined && (login === undefined || !users.includes(login.toLowerCase()))) return false
  return listeners === undefined || listeners.includes(listener)
}

function isAmongLists(listId: string, listIds: readonly string[]): boolean {
  return listIds.some((one) => (one.startsWith('.') ? listId.endsWith(one) : listId === one))
}

/** `anna@example.org`, `@example.org`, `@.example.org`, `*` */
export function matchesSender(pattern: string, { address, domain }: SenderAddress): boolean {
  if (pattern === '*') return true
  if (pattern.startsWith('@.')) return domain.endsWith(pattern.slice(1))
  return pattern.startsWith('@') ? domain === pattern.slice(1) : address === pattern.toLowerCase()
}
