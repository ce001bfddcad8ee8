/**
 * What waits to be written to the embedded database: one value a key, written
 * together in one transaction when `flush` is called, every second. Nothing on
 * the path to a reply waits for the disk.
 *
 * A value that is put in where one waits is merged with it. `put` says `full`
 * where too much waits, and takes nothing. Trouble loses nothing that waits; the
 * log hears of it once, and once when it is over. Another process that writes
 * is no trouble until it was in the way ten times on end. `flush` never throws.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { Log } from '../observe/log.ts'
import { inTransaction, isBusy } from './database.ts'

export interface WriteBufferSettings<Value> {
  /** keys */
  readonly maxWaiting: number
  readonly merge: (waiting: Value, added: Value) => Value
  /** inside the transaction */
  readonly write: (key: string, value: Value) => void
  readonly level: 'warn' | 'error'
  /** for the log, when it cannot be written */
  readonly failing: string
  readonly again: string
}

const BUSY_TIMES = 10

export class WriteBuffer<Value> {
  readonly #settings: WriteBufferSettings<Value>
  readonly #context: { readonly database: DatabaseSync; readonly log: Log }
  readonly #waiting = new Map<string, Value>()
  #failing = false
  /** times in a row that another process was writing */
  #busy = 0

  constructor(settings: WriteBufferSettings<Value>, context: { readonly database: DatabaseSync; readonly log: Log }) {
    this.#settings = settings
    this.#context = context
  }

  get size(): number {
    return this.#waiting.size
  }

  get(key: string): Value | undefined {
    return this.#waiting.get(key)
  }

  put(key: string, value: Value): 'taken' | 'full' {
    const waiting = this.#waiting.get(key)
    if (waiting === undefined && this.#waiting.size >= this.#settings.maxWaiting) return 'full'
    this.#waiting.set(key, waiting === undefined ? value : this.#settings.merge(waiting, value))
    return 'taken'
  }

  flush(): void {
    if (this.#waiting.size === 0) return
    const { database, log } = this.#context
    const { write, level, failing, again } = this.#settings
    try {
      inTransaction(database, () => {
        for (const [key, value] of this.#waiting) write(key, value)
      })
    } catch (error) {
      if (isBusy(error) && ++this.#busy < BUSY_TIMES) return
      if (!this.#failing) log[level]({ cause: error instanceof Error ? error.message : String(error) }, failing)
      this.#failing = true
      return
    }
    this.#waiting.clear()
    this.#busy = 0
    if (this.#failing) log.info({}, again)
    this.#failing = false
  }
}
