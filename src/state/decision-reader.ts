/**
 * Reads decisions for `postern why`, beside a gateway that goes on writing them.
 * The database is opened for reading only, so that whoever may read it needs to
 * be nobody else; nothing is made and nothing brought up to date.
 *
 * A decision that cannot be read is a DamagedDecision; what SQLite and the
 * operating system throw goes on.
 */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { DATABASE_FILE, DATABASE_VERSION } from './database.ts'
import type { StoredDecision } from './decisions.ts'

const BUSY_MS = 2000
const SQLITE_READONLY = 8
const SQLITE_CANTOPEN = 14

export type Opening =
  | { readonly status: 'open'; readonly database: DatabaseSync }
  | { readonly status: 'missing'; readonly path: string }
  /** its tables are those of another version */
  | { readonly status: 'other-version'; readonly why: string }

/** @param directory the state directory */
export function openForReading(directory: string): Opening {
  const path = join(directory, DATABASE_FILE)
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return { status: 'missing', path }
  // The operating system says it more plainly than SQLite.
  accessSync(path, constants.R_OK)
  const { database, version } = openFile(path)
  if (version === DATABASE_VERSION) return { status: 'open', database }
  database.close()
  const [whose, advice] = version < DATABASE_VERSION ? ['an older', 'the gateway brings it up to date when it starts'] : ['a newer', 'ask that one']
  return { status: 'other-version', why: `${path} was written by ${whose} Postern (version ${version} of its tables, known here: ${DATABASE_VERSION}); ${advice}` }
}

interface Opened {
  readonly database: DatabaseSync
  readonly version: number
}

function openFile(path: string): Opened {
  try {
    return asked(new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS }))
  } catch (error) {
    const code = primaryCode(error)
    // Where nobody has the file open, SQLite would make its index of the log beside it. Who may not do that reads the file as it lies there.
    if ((code !== SQLITE_CANTOPEN && code !== SQLITE_READONLY) || existsSync(`${path}-wal`)) throw error
    const url = pathToFileURL(path)
    url.searchParams.set('immutable', '1')
    return asked(new DatabaseSync(url, { readOnly: true }))
  }
}

/** SQLite's result code, without what an extended one says more; undefined of any other error. */
export function primaryCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

/** The file is opened in earnest by the first question. */
function asked(database: DatabaseSync): Opened {
  try {
    return { database, version: Number(database.prepare('PRAGMA user_version').get()?.['user_version']) }
  } catch (error) {
    database.close()
    throw error
  }
}

export type FoundDecision =
  | { readonly status: 'found'; readonly decision: StoredDecision }
  /** at most ten of them */
  | { readonly status: 'ambiguous'; readonly ids: readonly string[] }
  | { readonly status: 'none' }

/** A decision in which the shadow policy disagrees. */
export interface Disagreement {
  readonly id: string
  readonly at: number
  readonly record: unknown
}

/** How often one verdict stood where another would have. */
export interface DisagreementCount {
  readonly live: CountedVerdict
  readonly shadow: CountedVerdict
  readonly count: number
}

export interface CountedVerdict {
  readonly action: string
  readonly tagged: boolean
  readonly by: string | undefined
}

export interface Disagreements {
  /** newest first */
  readonly listed: readonly Disagreement[]
  /** over all of them, the most frequent first */
  readonly counts: readonly DisagreementCount[]
  /** decisions of the time that were looked at, those that agree included */
  readonly decisions: number
  /** there are more than are looked at: the older ones are not counted */
  readonly cut: boolean
}

/** What is stored cannot be read. */
export class DamagedDecision extends Error {}

export const MIN_PREFIX = 4
const MAX_AMBIGUOUS = 10
const MAX_DECISIONS = 500_000
const MAX_COUNTS = 1000

/** As it begins in the JSON of a record with a shadow verdict; inside a string its quotes would be escaped. */
const DISAGREES = `instr(record, '"shadow":{"action":') > 0`
const NEWEST = 'SELECT number, id, at, record FROM decisions WHERE at >= :since ORDER BY at DESC, number DESC LIMIT :decisions'

export class DecisionReader {
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** In any case; a beginning of at least four characters will do where it is that of one. */
  find(id: string): FoundDecision {
    const key = id.toUpperCase()
    const exact = this.#read(key)
    if (exact !== undefined) return { status: 'found', decision: exact }
    if (key.length < MIN_PREFIX) return { status: 'none' }
    // Every ID that begins so stands between the key and the key with the last of all characters behind it.
    const rows = this.#database.prepare('SELECT id FROM decisions WHERE id >= ? AND id < ? ORDER BY id LIMIT ?').all(key, `${key}\u{10ffff}`, MAX_AMBIGUOUS)
    const ids = rows.map((row) => String(row['id']))
    const [only] = ids
    if (only === undefined) return { status: 'none' }
    if (ids.length > 1) return { status: 'ambiguous', ids }
    const decision = this.#read(only)
    return decision === undefined ? { status: 'none' } : { status: 'found', decision }
  }

  /** @param since milliseconds since 1970 */
  disagreements({ since, limit }: { readonly since: number; readonly limit: number }): Disagreements {
    const bounds = { since, decisions: MAX_DECISIONS }
    const decisions = Number(this.#database.prepare('SELECT count(*) AS n FROM decisions WHERE at >= ?').get(since)?.['n'] ?? 0)
    const listed = this.#database.prepare(`SELECT id, at, record FROM (${NEWEST}) WHERE ${DISAGREES} ORDER BY at DESC, number DESC LIMIT :limit`).all({ ...bounds, limit })
    const counts = this.#database.prepare(`SELECT ${verdictColumns('verdict', 'live')}, ${verdictColumns('shadow', 'shadow')}, count(*) AS n
      FROM (${NEWEST}) WHERE ${DISAGREES} GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY n DESC, 1, 2, 3, 4, 5, 6 LIMIT :groups`).all({ ...bounds, groups: MAX_COUNTS })
    return {
      listed: listed.map((row) => ({ id: String(row['id']), at: Number(row['at']), record: parsed(String(row['id']), row['record']) })),
      counts: counts.map((row) => ({ live: verdictOf(row, 'live'), shadow: verdictOf(row, 'shadow'), count: Number(row['n']) })),
      decisions: Math.min(decisions, MAX_DECISIONS),
      cut: decisions > MAX_DECISIONS,
    }
  }

  #read(id: string): StoredDecision | undefined {
    const row = this.#database.prepare('SELECT at, action, record FROM decisions WHERE id = ?').get(id)
    if (row === undefined) return undefined
    return { id, at: Number(row['at']), action: String(row['action']), record: parsed(id, row['record']) }
  }
}

function verdictColumns(key: 'verdict' | 'shadow', name: string): string {
  return ['action', 'tagged', 'by'].map((one) => `json_extract(record, '$.${key}.${one}') AS ${name}_${one}`).join(', ')
}

function verdictOf(row: Readonly<Record<string, unknown>>, name: string): CountedVerdict {
  const by = row[`${name}_by`]
  return { action: String(row[`${name}_action`]), tagged: row[`${name}_tagged`] === 1, by: typeof by === 'string' ? by : undefined }
}

function parsed(id: string, record: unknown): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(String(record))
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // Said below, with its name.
  }
  throw new DamagedDecision(`the stored decision ${id} is damaged`)
}
