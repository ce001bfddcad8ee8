/**
 * How often the entries of the allow list were of use, in the embedded
 * database: counted by all workers, shown by `postern allow list`.
 *
 * `hit` only counts in memory; `flush` writes what has gathered. Trouble with
 * the database costs time and nothing else; the log says so once.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Log } from '../observe/log.ts'
import type { AllowHits } from '../reputation/allow-list.ts'
import { WriteBuffer } from './write-buffer.ts'

interface Hits {
  readonly count: number
  readonly lastAt: number
}

/** More than any list has entries. */
const MAX_WAITING = 100_000

export class DatabaseAllowHits implements AllowHits {
  readonly #get: StatementSync
  readonly #waiting: WriteBuffer<Hits>

  constructor(database: DatabaseSync, log: Log) {
    const put = database.prepare(`INSERT INTO allow_hits (id, count, last_at) VALUES (?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET count = count + excluded.count, last_at = max(last_at, excluded.last_at)`)
    this.#get = database.prepare('SELECT count, last_at FROM allow_hits WHERE id = ?')
    this.#waiting = new WriteBuffer({
      maxWaiting: MAX_WAITING,
      merge: together,
      write: (id, { count, lastAt }) => void put.run(id, count, lastAt),
      level: 'warn',
      failing: 'uses of the allow list cannot be counted',
      again: 'uses of the allow list are counted again',
    }, { database, log })
  }

  /** @param id of an entry, of which there is a bounded number */
  hit(id: string, at: number): void {
    this.#waiting.put(id, { count: 1, lastAt: at })
  }

  of(id: string): Hits | undefined {
    const row = this.#get.get(id)
    const waiting = this.#waiting.get(id)
    if (row === undefined) return waiting
    const stored = { count: Number(row['count']), lastAt: Number(row['last_at']) }
    return waiting === undefined ? stored : together(stored, waiting)
  }

  /** Writes what waits. Call it every second, and at the end. */
  flush(): void {
    this.#waiting.flush()
  }
}

function together(one: Hits, other: Hits): Hits {
  return { count: one.count + other.count, lastAt: Math.max(one.lastAt, other.lastAt) }
}
