/**
 * Parses a users file for logins: the lines of Dovecot's passwd-file,
 * `user:{SCHEME}password:uid:gid:gecos:home:shell:extra`. Names, comments and
 * what makes the whole file malformed are as in delivery/users.ts, which reads
 * the same file for deliveries.
 *
 * No I/O. A password that cannot be checked is a warning with its line, and
 * that user cannot log in; one without a password is for deliveries only. Of
 * the extra fields `nologin` and `allow_nets=` are heeded, as whoever writes
 * them relies on it; the others are of no meaning here.
 */
import { networkMatcher, parseNetwork } from '../config/networks.ts'
import { parseUserLines, type UserLine } from '../delivery/user-lines.ts'
import { parseUserName } from '../delivery/users.ts'
import type { Parsed } from '../delivery/watched-file.ts'
import type { Domain } from '../smtp/envelope.ts'
import { parsePassword, type PasswordHash } from './password-hash.ts'
import { costOf } from './password-work.ts'

export interface Account {
  /** as the file has it, in lower case: `bob` or `bob@example.org` */
  readonly name: string
  /** undefined: cannot log in with this file */
  readonly hash: PasswordHash | undefined
  /** cannot log in at all: the file says so, or says what cannot be understood */
  readonly barred: boolean
  /** whether somebody at this address may log in; undefined is a unix socket */
  readonly allows: (address: string | undefined) => boolean
  readonly line: number
}

/** Of those who can log in. */
export interface Abilities {
  readonly users: number
  /** can do SCRAM-SHA-256 */
  readonly scram: number
  readonly cramMd5: number
  readonly clear: number
}

export interface PasswordTable {
  readonly size: number
  /** the account that a login of this name means: the name itself; for `local@` one of our domains also the bare `local` */
  find(name: string): Account | undefined
  /** What an unknown user of this name would be called if there were one: as most of the others are, with a domain or without. */
  likely(name: string): string
  readonly abilities: Abilities
  /** @param share 0 to below 1: over all shares each cost comes as often as accounts have it; undefined where none has a password */
  typical(share: number): PasswordHash | undefined
  /** the most usual parameters of SCRAM secrets */
  readonly scram: { readonly iterations: number; readonly saltBytes: number } | undefined
}

/** Index of the extra fields, which may have colons themselves. */
const EXTRA = 7
const MAX_NETWORKS = 64

export function parsePasswords(text: string, domains: ReadonlySet<Domain>): Parsed<PasswordTable> {
  const parsed = parseUserLines(text, parseLine)
  return parsed.status === 'ok' ? { ...parsed, value: tableOf(parsed.value, domains) } : parsed
}

function parseLine(content: string, line: number): UserLine<Account> {
  const fields = content.split(':')
  const name = parseUserName((fields[0] ?? '').trim())
  if (typeof name !== 'string') return name.what
  const warnings: string[] = []
  const parsed = parsePassword((fields[1] ?? '').trim())
  if (parsed.status === 'refused') warnings.push(`${name} cannot log in: ${parsed.why}`)
  if (parsed.status === 'ok' && parsed.warning !== undefined) warnings.push(`${name}: ${parsed.warning}`)
  const extra = fields.slice(EXTRA).join(':').split(/[ \t]+/)
  const nets = extra.find((field) => field.startsWith('allow_nets='))?.slice('allow_nets='.length)
  const allows = nets === undefined ? everybody : allowed(nets)
  if (typeof allows === 'string') warnings.push(`${name} cannot log in: allow_nets: ${allows}`)
  const barred = parsed.status === 'refused' || typeof allows === 'string' || extra.some((field) => /^nologin(?:=(?:y|yes|1|true))?$/i.test(field))
  const hash = parsed.status === 'ok' && !barred ? parsed.hash : undefined
  return { name, value: { name, hash, barred, allows: typeof allows === 'string' ? nobody : allows, line }, warnings }
}

function everybody(): boolean {
  return true
}

function nobody(): boolean {
  return false
}

function allowed(nets: string): Account['allows'] | string {
  // `local` is Dovecot's word for a client that has no address.
  const entries = nets.split(',').filter((entry) => entry !== '').map((entry) => (entry === 'local' ? 'unix' : entry))
  if (entries.length === 0 || entries.length > MAX_NETWORKS) return `1 to ${MAX_NETWORKS} networks, parted by commas, are allowed`
  for (const entry of entries) {
    const parsed = entry === 'unix' ? undefined : parseNetwork(entry)
    if (parsed?.status === 'refused') return parsed.problem
  }
  return networkMatcher(entries)
}

function tableOf(accounts: ReadonlyMap<string, Account>, domains: ReadonlySet<Domain>): PasswordTable {
  const hashes = [...accounts.values()].flatMap(({ hash }) => (hash === undefined ? [] : [hash]))
  // In their order a change of few lines changes what few shares stand for.
  const byCost = hashes.map((hash) => ({ hash, cost: costOf(hash) })).sort((a, b) => (a.cost < b.cost ? -1 : a.cost > b.cost ? 1 : 0)).map(({ hash }) => hash)
  const scram = hashes.filter((hash) => hash.scheme === 'scram-sha-256')
  const clear = hashes.filter(({ scheme }) => scheme === 'plain').length
  const bare = [...accounts.keys()].filter((name) => !name.includes('@')).length * 2 >= accounts.size
  const local = (name: string): string | undefined => {
    const at = name.lastIndexOf('@')
    return at > 0 && (domains as ReadonlySet<string>).has(name.slice(at + 1)) ? name.slice(0, at) : undefined
  }
  const common = commonest(scram, ({ iterations, salt }) => `${iterations} ${salt.length}`)
  return {
    size: accounts.size,
    find: (name) => accounts.get(name) ?? accounts.get(local(name) ?? ''),
    likely: (name) => (bare ? local(name) : undefined) ?? name,
    abilities: { users: hashes.length, scram: scram.length + clear, cramMd5: hashes.filter(({ scheme }) => scheme === 'cram-md5').length + clear, clear },
    typical: (share) => byCost[Math.floor(share * byCost.length)],
    scram: common && { iterations: common.iterations, saltBytes: common.salt.length },
  }
}

/** The first of those that have the key which most of them have. */
function commonest<T>(of: readonly T[], keyOf: (one: T) => string): T | undefined {
  const counts = new Map<string, { readonly first: T; count: number }>()
  for (const one of of) {
    const key = keyOf(one)
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { first: one, count: 1 })
    else known.count++
  }
  return [...counts.values()].reduce<{ first: T; count: number } | undefined>((best, next) => (best === undefined || next.count > best.count ? next : best), undefined)?.first
}
