/**
 * Resolves a local address to the mailboxes behind it, from users, aliases,
 * suffixes and the catch-all. Pure: the tables are given, nothing is read.
 *
 * For `local@domain`, the first that fits:
 *
 *   1. the exact name, then the name with its suffix taken off, the longest
 *      rest first; of each: the alias `name@domain`, the alias `name`, the user
 *   2. the alias `@domain`
 *   3. the hop's catch-all address
 *   4. for `postmaster` a mailbox of that name (RFC 5321 §4.5.1: it must exist)
 *
 * Without a users file every name is a user, so what a suffix is cannot be told
 * by looking for the name: the first suffix character ends it.
 *
 * An alias that names itself among its targets means the mailbox of that name.
 * Any other way back to an alias is a loop; it is found when the tables are put
 * together, as is an alias behind more than 10 others or over 1000 mailboxes.
 */
import type { Domain } from '../smtp/envelope.ts'
import type { FileProblem } from './address-file.ts'
import type { Alias, AliasTable, AliasTarget } from './aliases.ts'
import type { Owner, UserTable } from './users.ts'

export interface LocalAddress {
  readonly local: string
  readonly domain: Domain
}

export interface LocalMailbox extends LocalAddress {
  /** the user's name as the users file has it: `{user}` */
  readonly user: string
  readonly owner: Owner | undefined
}

export interface AddressBook {
  /** undefined: every local part is a user */
  readonly users: UserTable | undefined
  readonly aliases: AliasTable
  readonly domains: ReadonlySet<Domain>
  /** characters that begin a suffix */
  readonly suffix: string
  readonly catchAll: AliasTarget | undefined
}

export type Resolution =
  | { readonly status: 'mailboxes'; readonly mailboxes: readonly LocalMailbox[] }
  | { readonly status: 'unknown' }
  | { readonly status: 'endless'; readonly why: string }

export const MAX_ALIAS_DEPTH = 10
export const MAX_MAILBOXES = 1000
const MAX_PROBLEMS = 20
/** of the look for circles, which stops everything else while it runs */
const MAX_CHECKS = 1_000_000

type Found =
  | { readonly kind: 'user'; readonly mailbox: LocalMailbox }
  | { readonly kind: 'alias'; readonly alias: Alias }

/** One run through the aliases. */
interface Walk {
  readonly book: AddressBook
  readonly mailboxes: Map<string, LocalMailbox>
  /** aliases of a domain that were gone through already */
  readonly done: Set<string>
  /** the way down to here */
  readonly chain: { readonly key: string; readonly alias: Alias }[]
}

/** `address` is folded (`foldLocalPart`) and of an accepted domain. */
export function resolveAddress(book: AddressBook, address: LocalAddress): Resolution {
  const walk: Walk = { book, mailboxes: new Map(), done: new Set(), chain: [] }
  const why = follow(walk, address) ?? (walk.mailboxes.size > 0 ? null : fallBack(walk, address))
  if (why !== null) return { status: 'endless', why }
  if (walk.mailboxes.size > 0) return { status: 'mailboxes', mailboxes: [...walk.mailboxes.values()] }
  return { status: 'unknown' }
}

/** What cannot work however the mail comes, and what is likely a slip. */
export function checkAddressBook(book: AddressBook): { errors: FileProblem[]; warnings: FileProblem[] } {
  const { errors, unchecked } = findEndless(book)
  const warnings: FileProblem[] = []
  if (unchecked) warnings.push({ line: 0, what: `more than ${MAX_CHECKS} ways through the aliases: not all were looked at for circles; mail that meets one gets 451` })
  for (const alias of book.aliases.entries) {
    for (const target of alias.targets) {
      if (warnings.length < MAX_PROBLEMS && !isKnown(book, target)) warnings.push({ line: alias.line, what: `${alias.name}: target ${describeTarget(target)} is neither user nor alias` })
    }
  }
  return { errors, warnings }
}

/** Every alias in every domain where it may lead elsewhere, as long as that is not too many. */
function findEndless(book: AddressBook): { errors: FileProblem[]; unchecked: boolean } {
  const found = new Map<Alias, FileProblem>()
  let checks = 0
  const check = (alias: Alias, domain: Domain): void => {
    const walk: Walk = { book, mailboxes: new Map(), done: new Set(), chain: [] }
    const why = expand(walk, alias, domain)
    checks += 1 + walk.done.size + walk.mailboxes.size
    if (why !== null && found.size < MAX_PROBLEMS && !found.has(alias)) found.set(alias, { line: alias.line, what: why })
  }
  const bare = book.aliases.entries.filter((alias) => alias.domain === undefined)
  for (const alias of book.aliases.entries) if (alias.domain !== undefined && checks < MAX_CHECKS) check(alias, alias.domain)
  for (const domain of distinctDomains(book)) {
    for (const alias of bare) if (checks < MAX_CHECKS) check(alias, domain)
  }
  return { errors: [...found.values()].sort((a, b) => a.line - b.line), unchecked: checks >= MAX_CHECKS }
}

/** Takes an address to its mailboxes; a sentence where that does not end. */
function follow(walk: Walk, address: LocalAddress): string | null {
  const found = look(walk, address)
  if (found === null) {
    // An alias that leads to postmaster reaches it even where it is nobody's name.
    if (walk.chain.length > 0 && address.local === 'postmaster') addPostmaster(walk, address.domain)
    return null
  }
  if (found.kind === 'alias') return expand(walk, found.alias, address.domain)
  const { mailbox } = found
  walk.mailboxes.set(`${mailbox.local}@${mailbox.domain}`, mailbox)
  return walk.mailboxes.size > MAX_MAILBOXES ? `the address leads to more than ${MAX_MAILBOXES} mailboxes` : null
}

function expand(walk: Walk, alias: Alias, domain: Domain): string | null {
  const key = `${alias.name} ${domain}`
  const start = walk.chain.findIndex((link) => link.key === key)
  if (start >= 0) return `aliases in a circle: ${[...walk.chain.slice(start), { alias }].map((link) => link.alias.name).join(' -> ')}`
  if (walk.done.has(key)) return null
  if (walk.chain.length >= MAX_ALIAS_DEPTH) {
    return `${walk.chain[0]?.alias.name ?? alias.name} goes through more than ${MAX_ALIAS_DEPTH} aliases, one behind the other`
  }
  walk.chain.push({ key, alias })
  for (const target of alias.targets) {
    const why = follow(walk, { local: target.local, domain: target.domain ?? domain })
    if (why !== null) return why
  }
  walk.chain.pop()
  walk.done.add(key)
  return null
}

function look(walk: Walk, address: LocalAddress): Found | null {
  const { book } = walk
  const { domain } = address
  const names = candidates(book, address.local)
  for (const [index, local] of names.entries()) {
    const alias = aliasFor(walk, local, domain)
    if (alias !== undefined) return { kind: 'alias', alias }
    if (book.users === undefined) {
      if (index === names.length - 1) return { kind: 'user', mailbox: { user: local, local, domain, owner: undefined } }
      continue
    }
    const user = book.users.find(local, domain)
    if (user !== undefined) return { kind: 'user', mailbox: { user: user.name, local, domain, owner: user.owner } }
  }
  return null
}

function aliasFor(walk: Walk, local: string, domain: Domain): Alias | undefined {
  const own = walk.chain.at(-1)?.key
  for (const name of [`${local}@${domain}`, local]) {
    const alias = walk.book.aliases.get(name)
    if (alias !== undefined && `${alias.name} ${domain}` !== own) return alias
  }
  return undefined
}

/** The name, then what is in front of each suffix character, the longest first. */
function candidates(book: AddressBook, local: string): readonly string[] {
  const names = [local]
  for (let i = local.length - 1; i > 0; i--) {
    if (book.suffix.includes(local[i] as string)) names.push(local.slice(0, i))
  }
  return names
}

/** Only for what neither user nor alias was found for. */
function fallBack(walk: Walk, address: LocalAddress): string | null {
  const { book } = walk
  const all = book.aliases.get(`@${address.domain}`)
  if (all !== undefined) {
    const why = expand(walk, all, address.domain)
    if (why !== null || walk.mailboxes.size > 0) return why
  }
  if (book.catchAll !== undefined) {
    const target = { local: book.catchAll.local, domain: book.catchAll.domain ?? address.domain }
    const why = follow(walk, target)
    if (why !== null || walk.mailboxes.size > 0) return why
    if (target.local === 'postmaster') addPostmaster(walk, target.domain)
  }
  if (walk.mailboxes.size === 0 && address.local === 'postmaster') addPostmaster(walk, address.domain)
  return null
}

function addPostmaster(walk: Walk, domain: Domain): void {
  const local = 'postmaster'
  walk.mailboxes.set(`${local}@${domain}`, { user: local, local, domain, owner: undefined })
}

/**
 * The domains in which bare aliases may lead elsewhere than in others: those
 * with aliases of their own, and before them one that stands for all the rest.
 * Users of one domain do not count: they end ways and open none.
 */
function distinctDomains(book: AddressBook): readonly Domain[] {
  const special = new Set<Domain>()
  for (const alias of book.aliases.entries) if (alias.domain !== undefined && alias.local !== '') special.add(alias.domain)
  const chosen = [...special].filter((domain) => book.domains.has(domain))
  for (const domain of book.domains) {
    if (!special.has(domain)) return [domain, ...chosen]
  }
  return chosen
}

function isKnown(book: AddressBook, target: AliasTarget): boolean {
  if (book.users === undefined || target.local === 'postmaster') return true
  return candidates(book, target.local).some((local) => {
    if (target.domain !== undefined && (book.users?.find(local, target.domain) !== undefined || book.aliases.get(`${local}@${target.domain}`) !== undefined)) return true
    if (book.aliases.get(local) !== undefined) return true
    return target.domain === undefined && book.users?.knows(local) === true
  })
}

function describeTarget(target: AliasTarget): string {
  return target.domain === undefined ? target.local : `${target.local}@${target.domain}`
}
