/**
 * How often the entries of the allow list were of use, in the embedded
 * database: counted by all workers, shown by `postern allow list`.
 *
 * `hit` only counts in memory; `flush` writes what has gathered. Trouble with
 * the database costs counts and nothing else; the log says so once.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Log } from '../observe/log.ts'
import { isBusy } from './database.ts'
import type { AllowHits } from '../reputation/allow-list.ts'

export class DatabaseAllowHits implements AllowHits {
  readonly #log: Log
  readonly #put: StatementSync
  readonly #get: StatementSync
  #waiting = new Map<string, { count: number; lastAt: number }>()
  #failing = false

  constructor(database: DatabaseSync, log: Log) {
    this.#log = log
    this.#put = database.prepare(`INSERT INTO allow_hits (id, count, last_at) VALUES (?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET count = count + excluded.count, last_at = max(last_at, excluded.last_at)`)
    this.#get = database.prepare('SELECT count, last_at FROM allow_hits WHERE id = ?')
  }

  /** @param id of an entry, of which there is a bounded number */
  hit(id: string, at: number): void {
    this.#waiting.set(id, { count: (this.#waiting.get(id)?.count ?? 0) + 1, lastAt: at })
  }

  of(id: string): { readonly count: number; readonly lastAt: number } | undefined {
    const row = this.#get.get(id)
    const waiting = this.#waiting.get(id)
    if (row === undefined) return waiting
    const count = Number(row['count'])
    const lastAt = Number(row['last_at'])
    return waiting === undefined ? { count, lastAt } : { count: count + waiting.count, lastAt: Math.max(lastAt, waiting.lastAt) }
  }

  /** Writes what waits. Call it every second, and at the end. */
  flush(): void {
    if (this.#waiting.size === 0) return
    const batch = this.#waiting
    this.#waiting = new Map()
    try {
      for (const [id, { count, lastAt }] of batch) {
        this.#put.run(id, count, lastAt)
        batch.delete(id)
      }
      this.#failing = false
    } catch (error) {
      for (const [id, { count, lastAt }] of batch) this.#waiting.set(id, { count: count + (this.#waiting.get(id)?.count ?? 0), lastAt })
      if (isBusy(error)) return
      if (!this.#failing) this.#log.warn({ cause: error instanceof Error ? error.message : String(error) }, 'uses of the allow list cannot be counted')
      this.#failing = true
    }
  }
}
