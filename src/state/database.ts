/**
 * The embedded database: one SQLite file in the state directory, shared by all
 * workers and by the command line.
 *
 * What is kept apart, as what the classifier learnt, is a kind of its own: another
 * file and other tables, opened in the same way.
 *
 * Opening makes the tables that are missing and brings older ones up to date,
 * each step in a transaction of its own, so that an upgrade that is cut short
 * goes on where it stopped. A file of a newer Postern is refused. Throws where
 * the file cannot be had; what the caller does without it is the caller's.
 */
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { whyNotOpened } from './not-opened.ts'

/** Nobody waits longer for another process that writes. */
const BUSY_MS = 2000
const RETRY_MS = 20
const SQLITE_BUSY = 5
const SQLITE_CANTOPEN = 14

/** What each version adds. Never change one that was released: add another. */
const STEPS: readonly string[] = [
  `CREATE TABLE decisions (
     id TEXT PRIMARY KEY,
     at INTEGER NOT NULL,
     action TEXT NOT NULL,
     record TEXT NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX decisions_at ON decisions (at);`,
  // An index of the files in `quarantine`, and who works on which of them (quarantine-index.ts).
  `CREATE TABLE quarantine (
     id TEXT PRIMARY KEY,
     at INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     sender TEXT NOT NULL,
     recipients TEXT NOT NULL,
     entry TEXT NOT NULL,
     holder TEXT,
     held_until INTEGER
   );
   CREATE INDEX quarantine_at ON quarantine (at, bytes);`,
  `CREATE TABLE greylist (
     key TEXT PRIMARY KEY,
     first_seen_at INTEGER NOT NULL,
     passed_at INTEGER,
     expires_at INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX greylist_expires_at ON greylist (expires_at);`,
  `CREATE TABLE allow_hits (
     id TEXT PRIMARY KEY,
     count INTEGER NOT NULL,
     last_at INTEGER NOT NULL
   ) WITHOUT ROWID;`,
  // Decisions in the order in which they come: under their random IDs each of them was a page of its own to write.
  `CREATE TABLE decisions_in_order (
     number INTEGER PRIMARY KEY,
     id TEXT NOT NULL,
     at INTEGER NOT NULL,
     action TEXT NOT NULL,
     record TEXT NOT NULL
   );
   INSERT INTO decisions_in_order (id, at, action, record) SELECT id, at, action, record FROM decisions ORDER BY at;
   DROP TABLE decisions;
   ALTER TABLE decisions_in_order RENAME TO decisions;
   CREATE UNIQUE INDEX decisions_id ON decisions (id);
   CREATE INDEX decisions_at ON decisions (at);`,
  // Whom our users write to, under keyed hashes (correspondents-store.ts).
  `CREATE TABLE correspondents (
     key BLOB PRIMARY KEY,
     messages INTEGER NOT NULL,
     last_at INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX correspondents_last_at ON correspondents (last_at);`,
  // Authenticated sender domains, by days since 1970 (domain-history-store.ts). Of too many, those that were hardly seen go first.
  `CREATE TABLE domain_history (
     domain TEXT PRIMARY KEY,
     first_day INTEGER NOT NULL,
     last_day INTEGER NOT NULL,
     messages INTEGER NOT NULL,
     spam INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX domain_history_last_day ON domain_history (last_day);
   CREATE INDEX domain_history_seldom ON domain_history (messages > 2, last_day);`,
  // Chores that one process does for all (lease.ts), and the files of folders that teach (watched-mail.ts).
  `CREATE TABLE leases (
     name TEXT PRIMARY KEY,
     holder TEXT NOT NULL,
     until INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE TABLE watched_mail (
     key BLOB PRIMARY KEY,
     folder BLOB NOT NULL,
     taught TEXT NOT NULL,
     day INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX watched_mail_day ON watched_mail (day);`,
  // When somebody last looked at the clock who removes things by it.
  `CREATE TABLE clocks (
     name TEXT PRIMARY KEY,
     seen INTEGER NOT NULL,
     doubted_until INTEGER
   ) WITHOUT ROWID;`,
  // For how long gateways have run here (running-time.ts), and had when a message came into the quarantine.
  `DROP TABLE clocks;
   CREATE TABLE running (
     name TEXT PRIMARY KEY,
     seen INTEGER NOT NULL,
     ran INTEGER NOT NULL
   ) WITHOUT ROWID;
   ALTER TABLE quarantine ADD COLUMN ran INTEGER NOT NULL DEFAULT 0;
   CREATE INDEX quarantine_ran ON quarantine (ran);`,
]

export const DATABASE_FILE = 'postern.db'
/** `user_version` of a database that is up to date. */
export const DATABASE_VERSION = STEPS.length

export interface DatabaseKind {
  /** its name in the directory */
  readonly file: string
  readonly steps: readonly string[]
}

const POSTERN: DatabaseKind = { file: DATABASE_FILE, steps: STEPS }

/**
 * @param directory made where it is missing
 * @param busyMs how long a statement waits for another process that writes, once the database is open
 */
export function openDatabase(directory: string, { busyMs = BUSY_MS, kind = POSTERN }: { readonly busyMs?: number; readonly kind?: DatabaseKind } = {}): DatabaseSync {
  mkdirSync(directory, { recursive: true, mode: 0o750 })
  const path = join(directory, kind.file)
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: BUSY_MS })
    // Envelopes of other people's mail stand in it.
    chmodSync(path, 0o640)
    useWriteAheadLog(database)
    database.exec('PRAGMA synchronous = NORMAL')
    upgrade(database, path, kind.steps)
    if (busyMs !== BUSY_MS) database.exec(`PRAGMA busy_timeout = ${busyMs}`)
    return database
  } catch (error) {
    // Before it is closed: what it holds may be what is missing.
    const told = withSystemsCause(path, error)
    database?.close()
    throw told
  }
}

/** The error with the file's name, and with the system's own reason where SQLite could not open the file. */
export function withSystemsCause(path: string, error: unknown): unknown {
  const told = isNotOpened(error) ? whatSystemSays(path, error) : error
  // "database or disk is full": which?
  if (told instanceof Error && !told.message.includes(path)) told.message = `${path}: ${told.message}`
  return told
}

/** To SQLite no permission, no room and no descriptor are the same. */
function whatSystemSays(path: string, cause: Error): Error {
  const found = whyNotOpened(path)
  // What it was has passed.
  return Object.assign(new Error(found?.message ?? cause.message, { cause }), { code: errnoOf(found) ?? 'EAGAIN' })
}

function errnoOf(error: Error | undefined): string | undefined {
  return error !== undefined && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** SQLite waits for nobody here, and the workers of a first start all come at once: it is tried again. */
function useWriteAheadLog(database: DatabaseSync): void {
  const deadline = performance.now() + BUSY_MS
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
    }
  }
}

/** Runs `work` as one transaction that writes; throws what it throws, and then nothing of it is there. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const made = work()
    database.exec('COMMIT')
    return made
  } catch (error) {
    // SQLite may have ended it by itself, as on a full disk.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** A file that is in order, and not for this Postern. */
export class OtherVersion extends Error {}

/** Another process writes; it may be tried again. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY
}

function isNotOpened(error: unknown): error is Error {
  // An extended code says more in its upper bytes.
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === SQLITE_CANTOPEN
}

/** Several workers may come here at once: the version is read again under the lock. */
function upgrade(database: DatabaseSync, path: string, steps: readonly string[]): void {
  const versionNow = (): number => versionOf(database, path, steps.length)
  for (;;) {
    if (versionNow() === steps.length) return
    inTransaction(database, () => {
      const version = versionNow()
      const step = steps[version]
      if (step !== undefined) database.exec(`${step} PRAGMA user_version = ${version + 1};`)
    })
  }
}

function versionOf(database: DatabaseSync, path: string, known: number): number {
  const version = database.prepare('PRAGMA user_version').get()?.['user_version']
  if (typeof version !== 'number') throw new Error(`${path} has no version`)
  if (version > known) throw new OtherVersion(`${path} was written by a newer Postern (version ${version} of its tables, known here: ${known})`)
  return version
}
