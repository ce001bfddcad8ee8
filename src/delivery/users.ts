/**
 * Parses a users file: the lines of Dovecot's passwd-file,
 * `user:password:uid:gid:gecos:home:shell:extra`, of which the name is needed
 * and uid and gid are used. `user@domain` is a user of one domain, a bare
 * `user` one of every accepted domain. Lines that begin with `#` are comments.
 *
 * No I/O. A malformed line is an error with its number; nothing is guessed.
 * Names are compared in lower case.
 */
import type { Domain } from '../smtp/envelope.ts'
import { parseFileDomain, foldLocalPart, type FileProblem } from './address-file.ts'
import { unsafeBecause } from './mailbox-path.ts'
import { parseUserLines, type UserLine } from './user-lines.ts'

/** Who the files of a mailbox belong to; undefined parts are left as they come. */
export interface Owner {
  readonly uid: number | undefined
  readonly gid: number | undefined
}

export interface User {
  /** as the file has it, in lower case: `bob` or `bob@example.org` */
  readonly name: string
  readonly owner: Owner
  readonly line: number
}

export interface UserTable {
  readonly size: number
  /** the user of this domain, otherwise the bare one */
  find(local: string, domain: Domain): User | undefined
  /** whether any domain has a user of this local part */
  knows(local: string): boolean
}

export type UsersResult =
  | { readonly status: 'ok'; readonly value: UserTable; readonly warnings: readonly FileProblem[] }
  | { readonly status: 'malformed'; readonly problems: readonly FileProblem[] }

const MAX_ID = 0xffff_fffe

export function parseUsers(text: string): UsersResult {
  const parsed = parseUserLines(text, parseLine)
  return parsed.status === 'ok' ? { ...parsed, value: tableOf(parsed.value) } : parsed
}

function tableOf(users: ReadonlyMap<string, User>): UserTable {
  const locals = new Set<string>()
  for (const name of users.keys()) locals.add(name.slice(0, nameEnd(name)))
  return {
    size: users.size,
    find: (local, domain) => users.get(`${local}@${domain}`) ?? users.get(local),
    knows: (local) => locals.has(local),
  }
}

function parseLine(content: string, line: number): UserLine<User> {
  const [rawName = '', , rawUid = '', rawGid = ''] = content.split(':', 4)
  const name = parseUserName(rawName.trim())
  if (typeof name !== 'string') return name.what
  const warnings: string[] = []
  const owner = { uid: parseId('uid', rawUid, warnings), gid: parseId('gid', rawGid, warnings) }
  return { name, value: { name, owner, line }, warnings }
}

/** A name as the file or a login has it, in the form in which names are compared; what is wrong with it otherwise. */
export function parseUserName(text: string): string | { what: string } {
  if (text === '') return { what: 'the user has no name; a line is user[:password[:uid[:gid[:…]]]]' }
  if (/\s/.test(text)) return { what: `white space behind "${text.split(/\s/, 1)[0] ?? ''}"; a line is user[:password[:uid[:gid[:…]]]]` }
  const at = nameEnd(text)
  const local = foldLocalPart(text.slice(0, at))
  const why = unsafeBecause(local)
  if (why !== null) return { what: `the name "${text}" cannot be a mailbox: it ${why}` }
  if (at === text.length) return local
  const domain = parseFileDomain(text.slice(at + 1))
  return domain === null ? { what: `"${text.slice(at + 1)}" is not a domain` } : `${local}@${domain}`
}

function nameEnd(name: string): number {
  const at = name.lastIndexOf('@')
  return at < 0 ? name.length : at
}

/** Dovecot allows names here; those we cannot look up, so the hop's own owner holds. */
function parseId(field: 'uid' | 'gid', text: string, warnings: string[]): number | undefined {
  if (text === '') return undefined
  const id = /^[0-9]{1,10}$/.test(text) ? Number(text) : Infinity
  if (id <= MAX_ID) return id
  warnings.push(`${field} "${text}" is not a number and is not used`)
  return undefined
}
