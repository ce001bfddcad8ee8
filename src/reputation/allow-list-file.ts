/**
 * Reads the allow list from its file:
 *
 *     entries:
 *       - id: partner
 *         match: { domain: partner.example }    # domain | dkim | spf | address
 *         scope: { recipient: "info@example.org", checks: [dnsbl, greylist] }   # or: all
 *         reason: their office is on a dynamic address
 *         author: eve
 *         expires: 2027-01-31                    # the end of that day, UTC; or never
 *
 * All errors are returned at once, with line and column, what was found and
 * what is allowed; a list with errors is not used at all. Nothing throws.
 * Bounds: 1 MiB (source.ts), 5000 entries, 100 networks of an entry, 500
 * characters of a reason.
 */
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { networkProblem, parseNetwork } from '../config/networks.ts'
import { formatKey, quote } from '../config/problem.ts'
import type { ConfigurationError, KeyPath, Place } from '../config/problem.ts'
import { suggestion } from '../config/nearest.ts'
import { parseSource, showValue, toRaw } from '../config/source.ts'
import type { Located, LocatedMap } from '../config/source.ts'
import { normalName } from '../dns/name.ts'
import { isHostName } from '../dns/wire-name.ts'
import type { AllowEntry, AllowIdentity, AllowScope } from './allow-list.ts'

export type AllowListReading =
  | { readonly status: 'read'; readonly entries: readonly AllowEntry[] }
  | { readonly status: 'refused'; readonly errors: readonly ConfigurationError[] }

export interface AllowListSource {
  readonly text: string
  /** the file's path, for errors */
  readonly source: string
  /** names that may stand in `scope.checks` */
  readonly checks: readonly string[]
}

const MAX_ENTRIES = 5000
const MAX_NETWORKS = 100
const ID_ALLOWED = '1 to 64 letters, digits, dots, hyphens and underscores, a letter or digit first'
const DOMAIN_ALLOWED = 'a domain with at least two labels (partner.example), or with a leading dot for all below it too (.partner.example)'
const SENDER_ALLOWED = 'an address (bob@partner.example), a domain (partner.example), or with a leading dot all below it too (.partner.example)'
const RECIPIENT_ALLOWED = 'an address (user@example.org), or all of a domain (@example.org)'
const NETWORK_ALLOWED = 'an address or a network (192.0.2.0/24, 2001:db8::/48), or a list of them; public networks no wider than /16 for IPv4, /32 for IPv6'
const EXPIRES_ALLOWED = 'a day (2027-01-31), a time (2027-01-31T12:00Z), or never'
const IDENTITIES = ['domain', 'dkim', 'spf', 'address']
const SCOPES = ['sender', 'recipient', 'checks']
const KEYS = ['id', 'match', 'scope', 'reason', 'author', 'expires'] as const

export function readAllowList({ text, source, checks }: AllowListSource): AllowListReading {
  const parsed = parseSource(text)
  const reader = new Reader(source, checks)
  for (const { place, key, problem } of parsed.problems) reader.wrong(place, key, { problem })
  const entries = parsed.root === undefined ? [] : reader.entries(parsed.root)
  return reader.errors.length > 0 ? { status: 'refused', errors: reader.errors } : { status: 'read', entries }
}

interface Wrong {
  readonly problem: string
  readonly allowed?: string
}

class Reader {
  readonly errors: ConfigurationError[] = []
  readonly #source: string
  readonly #checks: readonly string[]
  readonly #ids = new Set<string>()

  constructor(source: string, checks: readonly string[]) {
    this.#source = source
    this.#checks = checks
  }

  /** null: nothing could be read here */
  wrong(place: Place, key: KeyPath, { problem, allowed }: Wrong): null {
    this.errors.push({ source: this.#source, ...place, key: formatKey(key), problem, allowed })
    return null
  }

  entries(root: LocatedMap): readonly AllowEntry[] {
    this.#onlyKeys(root, [], ['entries'])
    const list = root.entries.get('entries')?.value
    if (list === undefined || (list.kind === 'scalar' && list.value === null)) return []
    if (list.kind !== 'list') this.#found(list, ['entries'], 'a list of entries')
    else if (list.items.length > MAX_ENTRIES) this.wrong(list.place, ['entries'], { problem: `has ${list.items.length} entries`, allowed: `at most ${MAX_ENTRIES}` })
    else return list.items.map((item, i) => this.#entry(item, ['entries', i])).filter((entry) => entry !== null)
    return []
  }

  #entry(node: Located, at: KeyPath): AllowEntry | null {
    if (node.kind !== 'map') return this.#found(node, at, `a mapping with ${KEYS.join(', ')}`)
    this.#onlyKeys(node, at, KEYS)
    const part = <T>(key: (typeof KEYS)[number], read: (value: Located, at: KeyPath) => T | null): T | null => {
      const entry = node.entries.get(key)
      return entry === undefined ? this.wrong(node.place, [...at, key], { problem: 'is missing', allowed: ALLOWED[key] }) : read(entry.value, [...at, key])
    }
    const id = part('id', (value, where) => this.#id(value, where))
    const match = part('match', (value, where) => this.#identity(value, where))
    const scope = part('scope', (value, where) => this.#scope(value, where))
    const reason = part('reason', (value, where) => this.#word(value, where, { pattern: /^[^\x00-\x1f\x7f]{1,500}$/, allowed: ALLOWED.reason }))
    const author = part('author', (value, where) => this.#word(value, where, { pattern: /^[^\x00-\x1f\x7f]{1,100}$/, allowed: ALLOWED.author }))
    const expires = part('expires', (value, where) => this.#expiry(value, where))
    if (id === null || match === null || scope === null || reason === null || author === null || expires === null) return null
    return { id, match, scope, reason, author, expiresAt: expires.at }
  }

  #id(node: Located, at: KeyPath): string | null {
    const id = this.#word(node, at, { pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, allowed: ID_ALLOWED })
    if (id !== null && this.#ids.has(id)) return this.wrong(node.place, at, { problem: `the id ${quote(id)} stands twice`, allowed: 'each id once' })
    if (id !== null) this.#ids.add(id)
    return id
  }

  #identity(node: Located, at: KeyPath): AllowIdentity | null {
    if (node.kind !== 'map') return this.#found(node, at, ALLOWED.match)
    this.#onlyKeys(node, at, IDENTITIES)
    const given = [...node.entries].filter(([key]) => IDENTITIES.includes(key))
    const [only] = given
    if (only === undefined || given.length > 1) return this.wrong(node.place, at, { problem: `has ${given.length} of ${IDENTITIES.join(', ')}`, allowed: 'one of them' })
    const [key, { value }] = only
    if (key === 'address') return this.#networks(value, [...at, key])
    const domain = this.#domain(value, [...at, key])
    return domain === null ? null : { kind: key === 'dkim' ? 'dkim' : key === 'spf' ? 'spf' : 'domain', domain }
  }

  #networks(node: Located, at: KeyPath): AllowIdentity | null {
    const items = node.kind === 'list' ? node.items : [node]
    if (items.length === 0 || items.length > MAX_NETWORKS) return this.wrong(node.place, at, { problem: `has ${items.length} networks`, allowed: `1 to ${MAX_NETWORKS}` })
    const networks = items.map((item, i): string | null => {
      const where = node.kind === 'list' ? [...at, i] : at
      if (item.kind !== 'scalar' || typeof item.value !== 'string') return this.#found(item, where, NETWORK_ALLOWED)
      const parsed = parseNetwork(item.value)
      if (parsed.status === 'refused') return this.wrong(item.place, where, { problem: parsed.problem, allowed: NETWORK_ALLOWED })
      const problem = networkProblem(parsed.network)
      return problem === undefined ? parsed.text : this.wrong(item.place, where, { problem: `${quote(item.value)} is refused: ${problem}`, allowed: NETWORK_ALLOWED })
    }).filter((network) => network !== null)
    return networks.length < items.length ? null : { kind: 'address', networks }
  }

  #scope(node: Located, at: KeyPath): AllowScope | null {
    if (node.kind === 'scalar' && node.value === 'all') return {}
    if (node.kind !== 'map' || node.entries.size === 0) return this.#found(node, at, ALLOWED.scope)
    this.#onlyKeys(node, at, SCOPES)
    const part = <T>(key: string, read: (value: Located, at: KeyPath) => T | null): T | null => {
      const entry = node.entries.get(key)
      return entry === undefined ? null : read(entry.value, [...at, key])
    }
    const before = this.errors.length
    const sender = part('sender', (value, where) => this.#sender(value, where))
    const recipient = part('recipient', (value, where) => this.#recipient(value, where))
    const checks = part('checks', (value, where) => this.#checkNames(value, where))
    // A scope of which a part could not be read would be wider than it was meant.
    if (this.errors.length > before) return null
    return { ...(sender === null ? {} : { sender }), ...(recipient === null ? {} : { recipient }), ...(checks === null ? {} : { checks }) }
  }

  #checkNames(node: Located, at: KeyPath): readonly string[] | null {
    const allowed = `a list of ${this.#checks.join(', ')}`
    if (node.kind !== 'list' || node.items.length === 0) return this.#found(node, at, allowed)
    const names = node.items.map((item, i): string | null => {
      const value = toRaw(item)
      if (typeof value === 'string' && this.#checks.includes(value)) return value
      return this.wrong(item.place, [...at, i], { problem: `found ${showValue(value)}${typeof value === 'string' ? suggestion(value, this.#checks) : ''}`, allowed })
    }).filter((name) => name !== null)
    return names.length < node.items.length ? null : names
  }

  #domain(node: Located, at: KeyPath, allowed = DOMAIN_ALLOWED): string | null {
    const text = node.kind === 'scalar' && typeof node.value === 'string' ? node.value : ''
    const below = text.startsWith('.') ? '.' : ''
    const name = asciiDomain(text.slice(below.length))
    return name === undefined ? this.#found(node, at, allowed) : `${below}${name}`
  }

  #sender(node: Located, at: KeyPath): string | null {
    const text = node.kind === 'scalar' && typeof node.value === 'string' ? node.value : ''
    if (!text.includes('@')) return this.#domain(node, at, SENDER_ALLOWED)
    return text.startsWith('@') ? this.#found(node, at, SENDER_ALLOWED) : this.#recipient(node, at, SENDER_ALLOWED)
  }

  #recipient(node: Located, at: KeyPath, allowed = RECIPIENT_ALLOWED): string | null {
    const text = node.kind === 'scalar' && typeof node.value === 'string' ? node.value : ''
    const split = text.lastIndexOf('@')
    const domain = split < 0 ? undefined : asciiDomain(text.slice(split + 1))
    const local = text.slice(0, Math.max(split, 0)).toLowerCase()
    return domain === undefined || !/^[^\x00-\x20\x7f"@]{0,64}$/.test(local) ? this.#found(node, at, allowed) : `${local}@${domain}`
  }

  #expiry(node: Located, at: KeyPath): { readonly at: number | undefined } | null {
    const text = node.kind === 'scalar' && typeof node.value === 'string' ? node.value : ''
    if (text === 'never') return { at: undefined }
    const moment = momentOf(text)
    return moment === undefined ? this.#found(node, at, EXPIRES_ALLOWED) : { at: moment }
  }

  #word(node: Located, at: KeyPath, { pattern, allowed }: { pattern: RegExp; allowed: string }): string | null {
    const text = node.kind === 'scalar' && typeof node.value === 'string' ? node.value.trim() : ''
    return pattern.test(text) ? text : this.#found(node, at, allowed)
  }

  #onlyKeys(node: LocatedMap, at: KeyPath, known: readonly string[]): void {
    for (const [key, { place }] of node.entries) {
      if (!known.includes(key)) this.wrong(place, [...at, key], { problem: `unknown key${suggestion(key, known)}`, allowed: known.join(', ') })
    }
  }

  #found(node: Located, at: KeyPath, allowed: string): null {
    return this.wrong(node.place, at, { problem: `found ${showValue(toRaw(node))}`, allowed })
  }
}

const ALLOWED: Readonly<Record<(typeof KEYS)[number], string>> = {
  id: ID_ALLOWED,
  match: 'one of domain, dkim, spf (a domain that is authenticated so) and address',
  scope: 'all, or a mapping with sender, recipient, checks',
  reason: 'why, in 1 to 500 characters on one line',
  author: 'who says so, in 1 to 100 characters on one line',
  expires: EXPIRES_ALLOWED,
}

/** One label is a whole top-level domain, or no domain of the Internet's. */
export function asciiDomain(text: string): string | undefined {
  const name = normalName(/[^\x00-\x7f]/.test(text) ? domainToASCII(text) : text)
  if (name === undefined || !isHostName(name) || isIP(name) !== 0) return undefined
  return name.includes('.') && !text.endsWith('.') ? name : undefined
}

/** A day lasts to its end. */
function momentOf(text: string): number | undefined {
  const [, day, time = ''] = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2})?)Z)?$/.exec(text) ?? []
  if (day === undefined) return undefined
  const at = Date.parse(`${day}T${time === '' ? '00:00' : time}Z`)
  // 30 February would be taken as a day in March.
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== day) return undefined
  return time === '' ? at + 86_400_000 : at
}
