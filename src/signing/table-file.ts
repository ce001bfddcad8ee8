/**
 * Tables in the form of OpenDKIM's data sets (opendkim(8), DATA SETS): a flat
 * file (`file:/path`, or a path) or one of patterns (`refile:/path`). A line is
 * a key, blanks, and a value whose parts are parted by colons; `#` begins a
 * comment. Keys are compared without regard to case; of two that are the same
 * the first counts.
 *
 * Other kinds (db:, dsn:, ldap:, lua:, csl:, …) are refused by name. Bounds:
 * 4 MiB, 50,000 lines. Nothing throws.
 */
import { readFileSync, statSync } from 'node:fs'
import { quote } from '../config/problem.ts'
import type { SigningProblem } from './problem.ts'
import type { TableFile } from './settings.ts'
import { matchesWildcard } from './wildcard.ts'

const MAX_BYTES = 4 * 1024 * 1024
const MAX_LINES = 50_000
const TABLE_ALLOWED = '/path, file:/path or refile:/path'

/** What the configuration, or opendkim.conf, says a table is. */
export function tableFile(text: string): { readonly status: 'ok'; readonly table: TableFile } | { readonly status: 'refused'; readonly problem: string; readonly allowed: string } {
  const [, prefix, path = ''] = /^(?:([a-z]{2,10}):)?(.*)$/i.exec(text) ?? []
  const kind = prefix?.toLowerCase() ?? 'file'
  if (kind !== 'file' && kind !== 'refile') return { status: 'refused', problem: `${quote(text)} is a table of the kind ${kind}:, which is not read here`, allowed: TABLE_ALLOWED }
  if (path === '' || path.includes('\0')) return { status: 'refused', problem: `${quote(text)} names no file`, allowed: TABLE_ALLOWED }
  if (prefix === undefined && path.endsWith('.db')) return { status: 'refused', problem: `${quote(text)} is a Berkeley database, which is not read here`, allowed: TABLE_ALLOWED }
  return { status: 'ok', table: { kind, path } }
}

export interface TableLine {
  /** in lower case */
  readonly key: string
  readonly value: string
  /** counted from 1 */
  readonly line: number
}

export interface Table {
  readonly file: TableFile
  /** in the order of the file */
  readonly lines: readonly TableLine[]
  /** The lines for the key, in the order of the file: that with the same text, or, of a table of patterns, all that match it. */
  matching(key: string): Iterable<TableLine>
  /** The first of them. */
  find(key: string): TableLine | undefined
}

export type TableReading = { readonly status: 'read'; readonly table: Table } | { readonly status: 'refused'; readonly problems: readonly SigningProblem[] }

export function readTable(file: TableFile): TableReading {
  const text = readText(file.path)
  return typeof text === 'string' ? parseTable(text, file) : { status: 'refused', problems: [text] }
}

export function parseTable(text: string, file: TableFile): TableReading {
  const rows = text.split('\n')
  if (rows.length > MAX_LINES) return { status: 'refused', problems: [{ file: file.path, line: undefined, problem: `has ${rows.length} lines`, allowed: `at most ${MAX_LINES}` }] }
  const lines: TableLine[] = []
  const problems: SigningProblem[] = []
  for (const [index, row] of rows.entries()) {
    const content = row.replace(/#.*$/s, '').trim()
    if (content === '') continue
    const [, key = '', value = ''] = /^(\S+)\s*(.*)$/s.exec(content) ?? []
    if (value === '') problems.push({ file: file.path, line: index + 1, problem: `${quote(key)} stands there without a value`, allowed: 'a key, blanks, and its value' })
    else lines.push({ key: key.toLowerCase(), value, line: index + 1 })
  }
  if (problems.length > 0) return { status: 'refused', problems }
  return { status: 'read', table: file.kind === 'refile' ? patternTable(file, lines) : plainTable(file, lines) }
}

function plainTable(file: TableFile, lines: readonly TableLine[]): Table {
  const byKey = new Map<string, TableLine>()
  for (const line of lines) if (!byKey.has(line.key)) byKey.set(line.key, line)
  const find = (key: string): TableLine | undefined => byKey.get(key.toLowerCase())
  return { file, lines, find, matching: (key) => [find(key)].filter((line) => line !== undefined) }
}

function patternTable(file: TableFile, lines: readonly TableLine[]): Table {
  const index = new PatternIndex(lines)
  const matching = (key: string): Iterable<TableLine> => index.matching(key.toLowerCase())
  const find = (key: string): TableLine | undefined => {
    for (const line of matching(key)) return line
    return undefined
  }
  return { file, lines, find, matching }
}

/**
 * Most patterns of a signing table are `*@domain`, one for each of thousands
 * of domains: those are looked up, and only the others tried one by one.
 */
export class PatternIndex {
  readonly #byDomain = new Map<string, TableLine[]>()
  readonly #others: TableLine[] = []

  constructor(lines: readonly TableLine[]) {
    for (const line of lines) {
      const domain = line.key.startsWith('*@') ? line.key.slice(2) : '*'
      if (domain.includes('*') || domain.includes('@')) this.#others.push(line)
      else {
        const same = this.#byDomain.get(domain)
        if (same === undefined) this.#byDomain.set(domain, [line])
        else same.push(line)
      }
    }
  }

  /** Those that match, in the order of the file. @param text in lower case */
  *matching(text: string): Generator<TableLine> {
    const looked = text.includes('@') ? (this.#byDomain.get(text.slice(text.lastIndexOf('@') + 1)) ?? []) : []
    let next = 0
    for (const other of this.#others) {
      if (!matchesWildcard(other.key, text)) continue
      for (let line = looked[next]; line !== undefined && line.line < other.line; line = looked[++next]) yield line
      yield other
    }
    yield* looked.slice(next)
  }
}

function readText(path: string): string | SigningProblem {
  const problem = (text: string): SigningProblem => ({ file: path, line: undefined, problem: text, allowed: 'a table that can be read' })
  try {
    const stats = statSync(path)
    if (!stats.isFile()) return problem('is no file')
    if (stats.size > MAX_BYTES) return problem(`has ${stats.size} bytes; at most ${MAX_BYTES} are read`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return problem(code === 'ENOENT' ? 'is not there' : code === 'EACCES' ? 'cannot be read: no permission' : `cannot be read: ${code}`)
  }
}
