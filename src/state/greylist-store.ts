/**
 * What the greylist remembers, in the embedded database: the GreylistStore of
 * all workers.
 *
 * `put` only puts a record into memory; `flush` writes what has gathered, in
 * one transaction. Nothing on the path to a reply waits for the disk. So
 * another worker knows a record a second later, which is less than any delay,
 * and a crash makes those of the last second come back once more.
 *
 * Fails soft: `get` throws where the database cannot be read, and `put` where
 * too much waits to be written; createGreylist makes `unavailable` of both, and
 * nobody is kept out. Bounded in rows: `prune` removes what has expired, and of
 * too many those that would expire first, which are those who were asked to
 * come back and did not, before those who are known.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Log } from '../observe/log.ts'
import type { GreylistRecord, GreylistStore } from '../reputation/greylist.ts'
import { prune, PRUNED_ROWS } from './pruning.ts'
import { WriteBuffer } from './write-buffer.ts'

export interface GreylistStoreSettings {
  /** default 500,000 */
  readonly maxRecords?: number
  /** records that wait to be written; default 10,000 */
  readonly maxWaiting?: number
}

const MAX_RECORDS = 500_000
const MAX_WAITING = 10_000
export const GREYLIST_PRUNE_ROWS = PRUNED_ROWS

export class DatabaseGreylist implements GreylistStore {
  readonly #database: DatabaseSync
  readonly #now: () => number
  readonly #maxRecords: number
  readonly #get: StatementSync
  readonly #waiting: WriteBuffer<GreylistRecord>

  constructor(settings: GreylistStoreSettings, context: { readonly database: DatabaseSync; readonly log: Log; readonly now: () => number }) {
    const { database, now } = context
    this.#database = database
    this.#now = now
    this.#maxRecords = settings.maxRecords ?? MAX_RECORDS
    this.#get = database.prepare('SELECT first_seen_at, passed_at, expires_at FROM greylist WHERE key = ?')
    // Two workers may see somebody for the first time at once: the first try counts. One who has passed has passed, and the longest memory of it counts.
    const put = database.prepare(`INSERT INTO greylist (key, first_seen_at, passed_at, expires_at) VALUES (?, ?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET first_seen_at = excluded.first_seen_at, passed_at = excluded.passed_at, expires_at = excluded.expires_at
      WHERE CASE WHEN excluded.passed_at IS NULL
        THEN greylist.passed_at IS NULL AND (excluded.first_seen_at < greylist.first_seen_at OR excluded.first_seen_at >= greylist.expires_at)
        ELSE greylist.passed_at IS NULL OR excluded.expires_at > greylist.expires_at END`)
    this.#waiting = new WriteBuffer({
      maxWaiting: settings.maxWaiting ?? MAX_WAITING,
      merge: (_waiting, added) => added,
      write: (key, { firstSeenAt, passedAt, expiresAt }) => void put.run(key, firstSeenAt, passedAt ?? null, expiresAt),
      level: 'error',
      failing: 'the greylist cannot be written; other workers and the next start will not know who came',
      again: 'the greylist is written again',
    }, context)
  }

  get(key: string): GreylistRecord | undefined {
    const record = this.#waiting.get(key) ?? this.#stored(key)
    return record === undefined || this.#now() >= record.expiresAt ? undefined : record
  }

  put(key: string, record: GreylistRecord): void {
    if (this.#waiting.put(key, record) === 'full') throw new Error(`${this.#waiting.size} records wait to be written`)
  }

  /** Writes what waits. Call it every second, and at the end. Trouble is told in the log once; what waits stays. */
  flush(): void {
    this.#waiting.flush()
  }

  /** Removes some of what has expired or is too much; returns how many. Call it now and then; it throws what SQLite throws. */
  prune(): number {
    return prune(this.#database, { table: 'greylist', key: 'key', age: 'expires_at', upTo: this.#now(), maxRows: this.#maxRecords })
  }

  #stored(key: string): GreylistRecord | undefined {
    const row = this.#get.get(key)
    if (row === undefined) return undefined
    const { first_seen_at: firstSeenAt, passed_at: passedAt, expires_at: expiresAt } = row
    if (typeof firstSeenAt !== 'number' || typeof expiresAt !== 'number' || (passedAt !== null && typeof passedAt !== 'number')) throw new Error('a record of the greylist is damaged')
    return { firstSeenAt, passedAt: passedAt ?? undefined, expiresAt }
  }
}
