/**
 * Parses an aliases file, in the form of /etc/aliases:
 *
 *   # comment
 *   name: target, target
 *     , more targets on lines that begin with white space
 *   "quoted name": target
 *   name@domain: target          of one domain only
 *   @domain: target              whatever else the domain has no user for
 *
 * A target is a local user or alias, bare (then of the domain that the mail
 * came for) or with an accepted domain. What would leave this machine or run
 * a program — other domains, `|command`, `/file`, `:include:` — is refused
 * with its line: it needs a durable queue, and delivery has none.
 *
 * No I/O. The result is a table or every problem that was found, up to 20.
 */
import type { Domain } from '../smtp/envelope.ts'
import { foldLocalPart, parseFileDomain, type FileProblem } from './address-file.ts'
import { splitEntry, unquoteName, type LogicalLine } from './aliases-syntax.ts'

export interface AliasTarget {
  readonly local: string
  /** undefined: the domain that the mail came for */
  readonly domain: Domain | undefined
}

export interface Alias {
  /** as it is told to people: `info`, `info@example.org`, `@example.org` */
  readonly name: string
  /** '' for all of a domain */
  readonly local: string
  /** undefined: every accepted domain */
  readonly domain: Domain | undefined
  readonly targets: readonly AliasTarget[]
  readonly line: number
}

export interface AliasTable {
  readonly entries: readonly Alias[]
  /** under `local@domain`, `local` or `@domain` */
  get(name: string): Alias | undefined
}

export type AliasesResult =
  | { readonly status: 'ok'; readonly value: AliasTable; readonly warnings: readonly FileProblem[] }
  | { readonly status: 'malformed'; readonly problems: readonly FileProblem[] }

export const NO_ALIASES: AliasTable = { entries: [], get: () => undefined }

const MAX_LINES = 1_000_000
const MAX_ENTRY = 1024 * 1024
const MAX_PROBLEMS = 20
const ALLOWED = 'allowed are users of this server, with or without one of its domains'

export function parseAliases(text: string, domains: ReadonlySet<Domain>): AliasesResult {
  const lines = text.split('\n')
  if (lines.length > MAX_LINES) return { status: 'malformed', problems: [{ line: MAX_LINES, what: `more than ${MAX_LINES} lines` }] }
  const table = new Map<string, Alias>()
  const problems: FileProblem[] = []
  const warnings: FileProblem[] = []
  for (const logical of joinLines(lines, problems)) {
    if (problems.length >= MAX_PROBLEMS) break
    const alias = parseEntry(logical, domains, problems)
    if (alias === null) continue
    const earlier = table.get(alias.name)
    if (earlier !== undefined) problems.push({ line: alias.line, what: `${alias.name} stands already in line ${earlier.line}` })
    else table.set(alias.name, alias)
    if (alias.domain !== undefined && !domains.has(alias.domain)) {
      warnings.push({ line: alias.line, what: `${alias.name} is never used: ${alias.domain} is not a domain that is accepted here` })
    }
  }
  if (problems.length > 0) return { status: 'malformed', problems: problems.slice(0, MAX_PROBLEMS) }
  return { status: 'ok', value: { entries: [...table.values()], get: (name) => table.get(name) }, warnings: warnings.slice(0, MAX_PROBLEMS) }
}

/** A line that begins with white space goes on with the entry above; comments and empty lines do not end it. */
function* joinLines(lines: readonly string[], problems: FileProblem[]): Generator<LogicalLine> {
  let open: LogicalLine | null = null
  for (const [index, raw] of lines.entries()) {
    const content = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    const trimmed = content.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    if (/^\s/.test(content)) {
      if (open === null) problems.push({ line: index + 1, what: 'a continuation line without an entry above it' })
      else if (open.text.length + trimmed.length > MAX_ENTRY) {
        problems.push({ line: index + 1, what: `the entry has more than ${MAX_ENTRY} characters` })
        open = null
      } else open = { text: `${open.text} ${trimmed}`, line: open.line }
      continue
    }
    if (open !== null) yield open
    open = { text: trimmed, line: index + 1 }
  }
  if (open !== null) yield open
}

function parseEntry(logical: LogicalLine, domains: ReadonlySet<Domain>, problems: FileProblem[]): Alias | null {
  const { line } = logical
  const split = splitEntry(logical.text)
  if (split.status === 'malformed') {
    problems.push({ line, what: split.why })
    return null
  }
  const name = parseAliasName(split.name)
  if (typeof name === 'string') {
    problems.push({ line, what: name })
    return null
  }
  const targets: AliasTarget[] = []
  for (const word of split.targets) {
    const target = parseTarget(word, domains)
    if (typeof target === 'string') problems.push({ line, what: target })
    else targets.push(target)
  }
  if (targets.length === 0 && split.targets.length === 0) problems.push({ line, what: `${split.name} has no target` })
  return { ...name, name: name.domain === undefined ? name.local : `${name.local}@${name.domain}`, targets, line }
}

function parseAliasName(text: string): { local: string; domain: Domain | undefined } | string {
  const split = splitAddress(text)
  if (split.domain === undefined) {
    return split.local === '' ? 'an entry begins with a name: name: target, target' : { local: foldLocalPart(split.local), domain: undefined }
  }
  const domain = parseFileDomain(split.domain)
  return domain === null ? `"${split.domain}" is not a domain` : { local: foldLocalPart(split.local), domain }
}

function parseTarget(word: string, domains: ReadonlySet<Domain>): AliasTarget | string {
  const bare = word.replace(/^"/, '')
  if (bare.startsWith('|')) return `${word}: mail is not piped into commands; ${ALLOWED}`
  if (bare.startsWith('/')) return `${word}: mail is not appended to files; ${ALLOWED}`
  if (/^:\w*:/.test(bare)) return `${word}: lists are not included from files; ${ALLOWED}`
  if (bare.startsWith('\\')) return `${word}: no backslash is needed, a name among its own targets means its mailbox`
  const split = splitAddress(word)
  if (split.local === '') return `${word}: a target needs a local part; ${ALLOWED}`
  if (split.domain === undefined) return { local: foldLocalPart(split.local), domain: undefined }
  const domain = parseFileDomain(split.domain)
  if (domain === null) return `${word}: "${split.domain}" is not a domain`
  if (!domains.has(domain)) return `${word}: ${domain} is not a domain of this server, and forwarding to others needs a queue, which there is not; ${ALLOWED}`
  return { local: foldLocalPart(split.local), domain }
}

function splitAddress(text: string): { local: string; domain: string | undefined } {
  const at = text.endsWith('"') ? -1 : text.lastIndexOf('@')
  if (at < 0) return { local: unquoteName(text), domain: undefined }
  return { local: unquoteName(text.slice(0, at)), domain: text.slice(at + 1) }
}
