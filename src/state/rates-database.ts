/**
 * `rates.db` in the state directory: what the workers tell each other of the
 * rates, and nothing else. After a crash it is worth nothing, so it waits for
 * no disk (synchronous = OFF), and a file of another version, or one that is
 * damaged, is made anew.
 *
 * Counts are summed by key and window; each row has the number of its last
 * change, so that a reader asks only for what is new. What is under way stands
 * with its process, which gives a sign of life. All methods may throw what
 * SQLite throws; `troubleOf` says what to do about it.
 */
import { chmodSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { COUNT_TIERS, tierOf } from './count-tiers.ts'
import { inTransaction } from './database.ts'

export const RATES_FILE = 'rates.db'

/** So long a session may be held up by another process that writes. */
const BUSY_MS = 50
const VERSION = 2

/** `ends`: from then on a row is in nobody's window. */
const TABLES = `
  CREATE TABLE counts (
    name TEXT NOT NULL,
    win INTEGER NOT NULL,
    n INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    tier INTEGER NOT NULL,
    PRIMARY KEY (name, win)
  ) WITHOUT ROWID;
  CREATE INDEX counts_ends ON counts (ends);
  CREATE INDEX counts_changed ON counts (changed);
  CREATE INDEX counts_tier ON counts (tier, changed);
  CREATE TABLE sequence (id INTEGER PRIMARY KEY, last INTEGER NOT NULL);
  INSERT INTO sequence (id, last) VALUES (0, 0);
  CREATE TABLE instances (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    beat INTEGER NOT NULL,
    version INTEGER NOT NULL,
    under_way TEXT NOT NULL
  );`

/** What one process adds to a count. */
export interface CountAddition {
  readonly name: string
  /** number of the window since 1970 */
  readonly win: number
  readonly amount: number
  readonly windowMs: number
}

export interface CountTotal {
  readonly name: string
  readonly win: number
  readonly total: number
}

export interface OtherInstance {
  readonly id: string
  readonly at: number
  readonly beat: number
  /** of what it has under way */
  readonly version: number
}

export interface SignOfLife {
  readonly id: string
  readonly at: number
  readonly beat: number
  readonly version: number
  /** only asked where the version is new, or the others have forgotten this one */
  readonly underWay: () => string
}

const MAX_INSTANCES = 256

export class RatesDatabase {
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #inode: number
  readonly #statements = new Map<string, StatementSync>()
  /** all changes up to this one are known */
  #known = 0
  #toldVersion = -1

  /** @param directory made where it is missing */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o750 })
    this.#path = join(directory, RATES_FILE)
    this.#database = new DatabaseSync(this.#path, { timeout: BUSY_MS })
    try {
      // Senders of other people's mail stand in it.
      chmodSync(this.#path, 0o640)
      this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;')
      this.#makeTables()
      this.#inode = statSync(this.#path).ino
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  close(): void {
    this.#database.close()
  }

  /** Somebody has removed the file or put another in its place: what is written here, nobody reads. */
  get isDetached(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino !== this.#inode
  }

  /** Runs `work` in one transaction. */
  write<T>(work: () => T): T {
    return inTransaction(this.#database, work)
  }

  /** What has changed since the last time, at most so many; the rest comes with the next call. */
  changes(most: number): readonly CountTotal[] {
    const last = Number(this.#get('SELECT last FROM sequence')?.['last'] ?? 0)
    const rows = this.#prepared('SELECT name, win, n, changed FROM counts WHERE changed > ? ORDER BY changed LIMIT ?').all(this.#known, most)
    const read = Number(rows.at(-1)?.['changed'] ?? this.#known)
    this.#known = rows.length < most ? Math.max(last, read) : read
    return rows.map((row) => ({ name: String(row['name']), win: Number(row['win']), total: Number(row['n']) }))
  }

  /** Within `write`; the totals with these. Afterwards `added`. */
  add(additions: readonly CountAddition[]): { readonly totals: readonly CountTotal[]; readonly upTo: number } {
    const upTo = Number(this.#get('UPDATE sequence SET last = last + ? RETURNING last', additions.length)?.['last'])
    let changed = upTo - additions.length
    const totals = additions.map(({ name, win, amount, windowMs }) => {
      changed++
      const row = this.#get(
        `INSERT INTO counts (name, win, n, ends, changed, tier) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (name, win) DO UPDATE SET n = min(n + excluded.n, ${Number.MAX_SAFE_INTEGER}), changed = excluded.changed RETURNING n`,
        name, win, amount, (win + 2) * windowMs, changed, tierOf(name),
      )
      return { name, win, total: Number(row?.['n'] ?? amount) }
    })
    return { totals, upTo }
  }

  /** What this process has written need not be read again, where nobody wrote in between. */
  added(count: number, upTo: number): void {
    if (this.#known === upTo - count) this.#known = upTo
  }

  /** Within `write`. */
  beat({ id, at, beat, version, underWay }: SignOfLife): void {
    const told = this.#toldVersion === version
      ? this.#run('UPDATE instances SET at = ?, beat = ? WHERE id = ?', at, beat, id)
      : 0
    if (told === 0) this.#run('INSERT OR REPLACE INTO instances (id, at, beat, version, under_way) VALUES (?, ?, ?, ?, ?)', id, at, beat, version, underWay())
  }

  /** After `write`: the others know what this one has under way. */
  told(version: number): void {
    this.#toldVersion = version
  }

  others(id: string): readonly OtherInstance[] {
    return this.#prepared('SELECT id, at, beat, version FROM instances WHERE id <> ? ORDER BY at DESC LIMIT ?').all(id, MAX_INSTANCES)
      .map((row) => ({ id: String(row['id']), at: Number(row['at']), beat: Number(row['beat']), version: Number(row['version']) }))
  }

  underWayOf(id: string): string {
    return String(this.#get('SELECT under_way FROM instances WHERE id = ?', id)?.['under_way'] ?? '[]')
  }

  forgetInstance(id: string): void {
    this.#run('DELETE FROM instances WHERE id = ?', id)
  }

  /** Removes some of what has ended; returns how many. */
  dropEnded(now: number, most: number): number {
    return this.#run('DELETE FROM counts WHERE (name, win) IN (SELECT name, win FROM counts WHERE ends < ? ORDER BY ends LIMIT ?)', now, most)
  }

  /** Some of what a clock counted that was ahead; reads all rows. */
  dropFuture(now: number, most: number): number {
    return this.#run('DELETE FROM counts WHERE (name, win) IN (SELECT name, win FROM counts WHERE ends - 3 * (ends / (win + 2)) > ? LIMIT ?)', now, most)
  }

  /** Those of a tier that nobody counted for longest. */
  dropOldest(tier: number, most: number): number {
    return this.#run('DELETE FROM counts WHERE (name, win) IN (SELECT name, win FROM counts WHERE tier = ? ORDER BY changed LIMIT ?)', tier, most)
  }

  /** By tier. */
  rows(): readonly number[] {
    const counted = new Map(this.#prepared('SELECT tier, count(*) AS n FROM counts GROUP BY tier').all().map((row) => [Number(row['tier']), Number(row['n'])]))
    return Array.from({ length: COUNT_TIERS }, (_, tier) => counted.get(tier) ?? 0)
  }

  /** Several workers may come here at once: the version is read again under the lock. */
  #makeTables(): void {
    const isOurs = (): boolean => this.#database.prepare('PRAGMA user_version').get()?.['user_version'] === VERSION
    if (isOurs()) return
    this.write(() => {
      if (isOurs()) return
      const tables = this.#database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all()
      for (const { name } of tables) this.#database.exec(`DROP TABLE "${String(name).replaceAll('"', '""')}"`)
      this.#database.exec(`${TABLES} PRAGMA user_version = ${VERSION};`)
    })
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #get(sql: string, ...values: readonly SQLInputValue[]): ReturnType<StatementSync['get']> {
    return this.#prepared(sql).get(...values)
  }

  #run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes)
  }
}

/** busy: another writes, try again. damaged: the file has to go. broken: open it anew. */
export function troubleOf(error: unknown): 'busy' | 'damaged' | 'broken' {
  // https://sqlite.org/rescode.html: the low byte is the primary code
  const code = typeof error === 'object' && error !== null && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0
  if (code === 5 || code === 6) return 'busy'
  return code === 11 || code === 26 ? 'damaged' : 'broken'
}

export function removeRatesFile(directory: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(directory, RATES_FILE + suffix), { force: true })
}
