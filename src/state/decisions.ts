/**
 * The decisions of the last days, for `postern why`.
 *
 * `add` only puts a decision into memory; `flush` writes what has gathered, in
 * one transaction. Nothing on the path to a reply waits for the disk. A crash
 * loses the explanations of the last second and no mail. Where the disk cannot
 * be written, decisions gather up to a bound and the oldest are dropped; the
 * log says so once.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Log } from '../observe/log.ts'
import { inTransaction, isBusy } from './database.ts'

export interface StoredDecision {
  readonly id: string
  /** milliseconds since 1970 */
  readonly at: number
  /** accept, tempfail, reject … */
  readonly action: string
  /** all that `postern why` prints, as JSON data */
  readonly record: Readonly<Record<string, unknown>>
}

export interface DecisionBounds {
  readonly maxAgeMs: number
  readonly maxCount: number
}

/** As text: the objects of a second would be many for the garbage collector, and hold what they were made of. */
interface Waiting extends Omit<StoredDecision, 'record'> {
  readonly text: string
}

/** What waits to be written, at most. */
const MAX_WAITING = 10_000
/** An hour's worth at once would hold up sessions. Where so many went, there may be more. */
export const PRUNE_ROWS = 2000
const BUSY_TIMES = 10
const MAX_RECORD_CHARACTERS = 256 * 1024

export class DecisionStore {
  readonly #database: DatabaseSync
  readonly #log: Log
  readonly #insert: StatementSync
  readonly #find: StatementSync
  #waiting: Waiting[] = []
  #dropped = 0
  /** times in a row */
  #busy = 0
  #failing = false

  constructor(database: DatabaseSync, log: Log) {
    this.#database = database
    this.#log = log
    this.#insert = database.prepare('INSERT OR REPLACE INTO decisions (id, at, action, record) VALUES (?, ?, ?, ?)')
    this.#find = database.prepare('SELECT at, action, record FROM decisions WHERE id = ?')
  }

  add(decision: StoredDecision): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting.shift()
      this.#dropped++
    }
    const { id, at, action, record } = decision
    this.#waiting.push({ id, at, action, text: bounded(record) })
  }

  /** Writes what waits. Call it every second, and at the end. */
  flush(): void {
    if (this.#waiting.length === 0) return
    const batch = this.#waiting
    try {
      inTransaction(this.#database, () => {
        for (const { id, at, action, text } of batch) this.#insert.run(id, at, action, text)
      })
    } catch (error) {
      // Another worker writes: it waits for the next second, and only one that goes on for long is news.
      if (isBusy(error) && ++this.#busy < BUSY_TIMES) return
      if (!this.#failing) this.#log.error({ cause: error instanceof Error ? error.message : String(error) }, 'decisions cannot be written; postern why will not know them')
      this.#failing = true
      return
    }
    this.#waiting = []
    this.#busy = 0
    if (this.#failing) this.#log.info({ dropped: this.#dropped }, 'decisions are written again')
    this.#failing = false
    this.#dropped = 0
  }

  /** Any case: the ID may have been read out on the telephone. */
  find(id: string): StoredDecision | undefined {
    const key = id.toUpperCase()
    const waiting = this.#waiting.find((one) => one.id === key)
    if (waiting !== undefined) return { id: key, at: waiting.at, action: waiting.action, record: recordOf(waiting.text) }
    const row = this.#find.get(key)
    if (row === undefined) return undefined
    const { at, action, record } = row
    if (typeof at !== 'number' || typeof action !== 'string' || typeof record !== 'string') throw new Error(`the stored decision ${key} is damaged`)
    return { id: key, at, action, record: recordOf(record) }
  }

  /** Removes some of what is too old or too many; returns how many. Call it now and then. */
  prune({ maxAgeMs, maxCount }: DecisionBounds, nowMs: number): number {
    const old = this.#database.prepare('DELETE FROM decisions WHERE number IN (SELECT number FROM decisions WHERE at < ? ORDER BY at LIMIT ?)').run(nowMs - maxAgeMs, PRUNE_ROWS)
    const count = Number(this.#database.prepare('SELECT count(*) AS n FROM decisions').get()?.['n'] ?? 0)
    const surplus = Math.min(PRUNE_ROWS, count - maxCount)
    if (surplus <= 0) return Number(old.changes)
    const more = this.#database.prepare('DELETE FROM decisions WHERE number IN (SELECT number FROM decisions ORDER BY at LIMIT ?)').run(surplus)
    return Number(old.changes) + Number(more.changes)
  }
}

function recordOf(text: string): StoredDecision['record'] {
  return JSON.parse(text) as StoredDecision['record']
}

/** A record that is too long says so in its place. */
function bounded(record: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(record)
  return text.length <= MAX_RECORD_CHARACTERS ? text : JSON.stringify({ tooLong: text.length })
}
