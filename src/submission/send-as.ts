/**
 * As whom a user may send: whose an address is, in the reverse-path and in
 * From. Pure: the tables are given.
 *
 * An address is looked for as it is and then without its suffix, the longest
 * rest first; the first of these that the senders file lists, or that is a
 * user's own, decides. So where `anna-maria@` is somebody's, it is not anna's
 * with a suffix. A line `@domain` is for those who may use all its addresses,
 * besides each user's own; a line for an address says who may use it, and
 * nobody else may. Without a line, `anna@example.org` may send as itself, and a
 * user `anna` as `anna@` each of our domains. Aliases give no right to send.
 *
 * The null reverse-path is anybody's (bounces, read receipts): there the
 * addresses of From decide alone.
 */
import { foldLocalPart, parseFileDomain, type FileProblem } from '../delivery/address-file.ts'
import { parseUserName } from '../delivery/users.ts'
import type { Parsed } from '../delivery/watched-file.ts'
import type { Domain } from '../smtp/envelope.ts'
import { parseMapLine } from './map-lines.ts'

/** `local@domain` and `@domain`, in the form in which addresses are compared, with the users of each. */
export type SendersTable = ReadonlyMap<string, ReadonlySet<string>>

export interface SendAsTables {
  /** undefined: there is no such file */
  readonly senders: SendersTable | undefined
  /** the account of this name or of this address, if the users are known here */
  readonly users: { find(name: string): { readonly name: string } | undefined } | undefined
  readonly domains: ReadonlySet<Domain>
  /** characters that begin a suffix */
  readonly suffix: string
}

const MAX_LINES = 1_000_000
const MAX_PROBLEMS = 20

export function parseSenders(text: string): Parsed<SendersTable> {
  const table = new Map<string, Set<string>>()
  const problems: FileProblem[] = []
  const lines = text.split('\n')
  if (lines.length > MAX_LINES) return { status: 'malformed', problems: [{ line: MAX_LINES, what: `more than ${MAX_LINES} lines` }] }
  for (const [index, raw] of lines.entries()) {
    const line = index + 1
    const parsed = parseMapLine(raw)
    if (parsed === null) continue
    const key = typeof parsed === 'string' ? { what: parsed } : parseKey(parsed.key)
    if (typeof parsed === 'string' || typeof key !== 'string') problems.push({ line, what: typeof key === 'string' ? '' : key.what })
    else {
      // As in a table of Postfix each address has one line; two that differ would leave open which holds.
      if (table.has(key)) problems.push({ line, what: `${key} has a line already` })
      table.set(key, new Set(parsed.users))
    }
    if (problems.length >= MAX_PROBLEMS) break
  }
  return problems.length > 0 ? { status: 'malformed', problems } : { status: 'ok', value: table, warnings: [] }
}

function parseKey(text: string): string | { readonly what: string } {
  if (!text.startsWith('@')) return text.includes('@') ? parseUserName(text) : { what: `"${text}" is neither an address nor @domain` }
  const domain = parseFileDomain(text.slice(1))
  return domain === null ? { what: `"${text.slice(1)}" is not a domain` } : `@${domain}`
}

/**
 * @param login the account, as Authentication has it
 * @param address `local@domain`; null for the null reverse-path
 */
export function maySendAs(tables: SendAsTables, login: string, address: string | null): boolean {
  if (address === null) return true
  const at = address.lastIndexOf('@')
  const domain = at < 1 ? null : parseFileDomain(address.slice(at + 1))
  if (domain === null) return false
  const { senders } = tables
  const forDomain = senders?.get(`@${domain}`)?.has(login) === true
  for (const local of candidates(foldLocalPart(address.slice(0, at)), tables.suffix)) {
    const listed = senders?.get(`${local}@${domain}`)
    if (listed !== undefined) return listed.has(login) || forDomain
    const owner = ownerOf(tables, local, domain)
    if (owner !== undefined) return owner === login || forDomain
    // One whom the file does not know has logged in elsewhere.
    if (isOwn(tables, login, { local, domain })) return true
  }
  return forDomain
}

/** The user of this name, where users are known. */
function ownerOf({ users, domains }: SendAsTables, local: string, domain: Domain): string | undefined {
  const found = users?.find(`${local}@${domain}`)
  if (found === undefined) return undefined
  return isOwn({ domains }, found.name, { local, domain }) ? found.name : undefined
}

function isOwn({ domains }: Pick<SendAsTables, 'domains'>, login: string, { local, domain }: { readonly local: string; readonly domain: Domain }): boolean {
  return login === `${local}@${domain}` || (login === local && domains.has(domain))
}

function candidates(local: string, suffix: string): readonly string[] {
  const names = [local]
  for (let i = local.length - 1; i > 0; i--) {
    if (suffix.includes(local[i] ?? '')) names.push(local.slice(0, i))
  }
  return names
}
