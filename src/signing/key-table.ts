/**
 * OpenDKIM's KeyTable (opendkim.conf(5)): `name domain:selector:key`, where
 * `domain` may be `%` (the sender's domain), and `key` is the path of a file, in
 * which each `%` stands for the sender's domain, or the base64 of a key.
 *
 * All keys are read when the table is: for a path with `%` those that there
 * are, so that no name out of a message ever becomes part of a path. Of a line
 * with a relative path (`./`, `../`) the table's folder is the beginning.
 */
import { readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { quote } from '../config/problem.ts'
import type { KeyFiles } from './key-files.ts'
import { readBareKey, type KeyReading, type PrivateKey } from './private-key.ts'
import type { SigningProblem } from './problem.ts'
import { isName, signingKey, type SigningKey } from './signing-key.ts'
import type { Table, TableLine } from './table-file.ts'

const VALUE_ALLOWED = 'domain:selector:/path/of/key, where the domain may be %'
/** of keys made for the domains of senders, where a table has `%` for the domain */
const MAX_MADE = 10_000

/** A line whose keys have been read. */
interface KeyLine {
  /** `%`, or the domain */
  readonly domain: string
  readonly selector: string
  /** one for every sender, or one for each domain of senders where the path has a `%` */
  readonly keys: PrivateKey | ReadonlyMap<string, PrivateKey>
  readonly file: string
}

export class KeyTable {
  readonly table: Table
  readonly #lines: ReadonlyMap<TableLine, KeyLine>
  readonly #made = new Map<string, SigningKey>()

  constructor(table: Table, lines: ReadonlyMap<TableLine, KeyLine>) {
    this.table = table
    this.#lines = lines
  }

  /** The key of that name, for a sender of that domain; undefined where there is none for it. */
  find(name: string, senderDomain: string): SigningKey | undefined {
    const line = this.table.find(name)
    const held = line === undefined ? undefined : this.#lines.get(line)
    return line === undefined || held === undefined ? undefined : this.#keyFor(line, held, senderDomain)
  }

  /** Those that are known before a sender is: of a line with `%` for the domain and one key for all there are none. */
  get keys(): readonly SigningKey[] {
    return [...this.#lines].flatMap(([line, held]) => {
      const senders = isByDomain(held.keys) ? [...held.keys.keys()] : held.domain === '%' ? [] : [held.domain]
      return senders.flatMap((domain) => this.#keyFor(line, held, domain) ?? [])
    })
  }

  #keyFor({ line }: TableLine, held: KeyLine, sender: string): SigningKey | undefined {
    const { keys } = held
    const id = isByDomain(keys) || held.domain === '%' ? `${line} ${sender}` : String(line)
    const known = this.#made.get(id)
    if (known !== undefined) return known
    const key = isByDomain(keys) ? keys.get(sender) : keys
    if (key === undefined) return undefined
    const made = signingKey({ domain: held.domain === '%' ? sender : held.domain, selector: held.selector }, key, held.file.replaceAll('%', sender))
    if (this.#made.size >= MAX_MADE) this.#made.clear()
    this.#made.set(id, made)
    return made
  }
}

function isByDomain(keys: KeyLine['keys']): keys is ReadonlyMap<string, PrivateKey> {
  return keys instanceof Map
}

/** @param wanted the lines whose keys are needed: a broken key that nothing leads to does no harm */
export function readKeyTable(table: Table, wanted: ReadonlySet<TableLine>, context: { readonly files: KeyFiles; readonly problems: SigningProblem[] }): KeyTable {
  const lines = new Map<TableLine, KeyLine>()
  for (const line of table.lines) {
    if (!wanted.has(line)) continue
    const held = readLine(table, line, context.files)
    if ('problem' in held) context.problems.push({ file: table.file.path, line: line.line, problem: held.problem, allowed: held.allowed })
    else lines.set(line, held)
  }
  return new KeyTable(table, lines)
}

type Wrong = Pick<SigningProblem, 'problem' | 'allowed'>

function readLine(table: Table, { key: name, value }: TableLine, files: KeyFiles): KeyLine | Wrong {
  const [domain = '', selector = '', ...rest] = value.split(':').map((part) => part.trim())
  const key = rest.join(':')
  if (key === '') return { problem: `the value of ${quote(name)} has ${2 + rest.length} parts`, allowed: VALUE_ALLOWED }
  const about = { domain: domain.toLowerCase(), selector: selector.toLowerCase() }
  if (about.domain !== '%' && !isName(about.domain)) return { problem: `${quote(domain)} is no domain`, allowed: VALUE_ALLOWED }
  if (!isName(about.selector)) return { problem: `${quote(selector)} is no selector`, allowed: VALUE_ALLOWED }
  if (!/^\.{0,2}\//.test(key)) return bareLine(about, table, { base64: key, files })
  const path = resolve(dirname(table.file.path), key)
  return path.includes('%') ? templateLine(about, path, files) : fileLine(about, path, files)
}

function bareLine(about: { readonly domain: string; readonly selector: string }, table: Table, { base64, files }: { readonly base64: string; readonly files: KeyFiles }): KeyLine | Wrong {
  const { path } = table.file
  const reading = readBareKey(base64)
  if (reading.status === 'refused') return reading
  const open = files.problemOf(path)
  return open === undefined ? { ...about, keys: reading.key, file: path } : { problem: `holds a key and ${open}`, allowed: 'a table with keys in it that only its owner can read (chmod 600)' }
}

function fileLine(about: { readonly domain: string; readonly selector: string }, path: string, files: KeyFiles): KeyLine | Wrong {
  const reading = files.read(path)
  return reading.status === 'read' ? { ...about, keys: reading.key, file: path } : inFile(path, reading)
}

function templateLine(about: { readonly domain: string; readonly selector: string }, template: string, files: KeyFiles): KeyLine | Wrong {
  const domains = domainsOf(template)
  if (typeof domains === 'string') return { problem: domains, allowed: 'a path in whose folders names of domains stand where the % is' }
  const keys = new Map<string, PrivateKey>()
  for (const domain of domains) {
    const path = template.replaceAll('%', domain)
    const reading = files.read(path)
    // A folder for a domain need not have this key yet.
    if (reading.status === 'refused' && reading.problem.startsWith('is not there')) continue
    if (reading.status === 'refused') return inFile(path, reading)
    keys.set(domain, reading.key)
  }
  return { ...about, keys, file: template }
}

function inFile(path: string, { problem, allowed }: Exclude<KeyReading, { status: 'read' }>): Wrong {
  return { problem: `${path} ${problem}`, allowed }
}

/** What stands in place of the first `%` in the names that there are. */
function domainsOf(template: string): readonly string[] | string {
  const at = template.indexOf('%')
  const folder = dirname(template.slice(0, at + 1))
  const end = template.indexOf('/', at)
  const component = basename(template.slice(0, end < 0 ? undefined : end))
  const percent = component.indexOf('%')
  const before = component.slice(0, percent)
  const after = component.slice(percent + 1)
  if (after.includes('%')) return `${quote(template)} has two % in one name`
  try {
    const inside = readdirSync(join(folder)).filter((name) => name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after))
    return inside.map((name) => name.slice(before.length, name.length - after.length)).filter(isName).slice(0, MAX_MADE)
  } catch (error) {
    return `${folder} cannot be read: ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}`
  }
}
