/**
 * Who corresponds with whom, in the embedded database: the CorrespondentStore of
 * all workers.
 *
 * A pair is kept under the first half of an HMAC-SHA-256 of it, with a key that
 * lies in a file of its own (secret-file.ts): the database, and any copy of it,
 * holds no addresses and nothing that addresses could be guessed by. Without the
 * key all are forgotten, and nothing else is lost.
 *
 * `add` counts in memory; `flush` adds what has gathered to what the others have
 * counted. `get` throws where the database cannot be read, `add` where too much
 * waits to be written. Bounded in rows: `prune` removes those who were not
 * written to for long, and of too many those longest ago.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Log } from '../observe/log.ts'
import type { CorrespondentRecord, CorrespondentStore } from '../reputation/correspondents.ts'
import { prune } from './pruning.ts'
import { WriteBuffer } from './write-buffer.ts'

export interface CorrespondentsStoreSettings {
  /** rows that were not renewed for so long go */
  readonly rememberMs: number
  /** default 500,000 */
  readonly maxRecords?: number
  /** pairs that wait to be written; default 10,000 */
  readonly maxWaiting?: number
}

export interface CorrespondentsStoreContext {
  readonly database: DatabaseSync
  readonly log: Log
  readonly now: () => number
  /** of the hashes */
  readonly secret: Buffer
}

const MAX_RECORDS = 500_000
const MAX_WAITING = 10_000
const HASH_BYTES = 16

export class DatabaseCorrespondents implements CorrespondentStore {
  settings: CorrespondentsStoreSettings
  readonly #context: CorrespondentsStoreContext
  /** To make it of bytes for each hash takes five times as long as the hash. */
  readonly #key: KeyObject
  readonly #get: StatementSync
  readonly #waiting: WriteBuffer<CorrespondentRecord>

  constructor(settings: CorrespondentsStoreSettings, context: CorrespondentsStoreContext) {
    const { database } = context
    this.settings = settings
    this.#context = context
    this.#key = createSecretKey(context.secret)
    this.#get = database.prepare('SELECT messages, last_at FROM correspondents WHERE key = ?')
    const put = database.prepare(`INSERT INTO correspondents (key, messages, last_at) VALUES (?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET messages = messages + excluded.messages, last_at = max(last_at, excluded.last_at)`)
    this.#waiting = new WriteBuffer({
      maxWaiting: settings.maxWaiting ?? MAX_WAITING,
      merge: together,
      write: (key, { messages, lastAt }) => void put.run(Buffer.from(key, 'hex'), messages, lastAt),
      level: 'warn',
      failing: 'known correspondents cannot be written; mail from new ones has no credit with other workers and after the next start',
      again: 'known correspondents are written again',
    }, context)
  }

  get(pair: string): CorrespondentRecord | undefined {
    const key = this.#hash(pair)
    const row = this.#get.get(key)
    const waiting = this.#waiting.get(key.toString('hex'))
    if (row === undefined) return waiting
    const stored = { messages: Number(row['messages']), lastAt: Number(row['last_at']) }
    return waiting === undefined ? stored : together(stored, waiting)
  }

  add(pair: string, at: number): void {
    if (this.#waiting.put(this.#hash(pair).toString('hex'), { messages: 1, lastAt: at }) === 'full') throw new Error(`${this.#waiting.size} correspondents wait to be written`)
  }

  /** Writes what waits. Call it every second, and at the end. */
  flush(): void {
    this.#waiting.flush()
  }

  /** Removes some of what is too old or too much; returns how many. Call it now and then; it throws what SQLite throws. */
  prune(): number {
    const { rememberMs, maxRecords = MAX_RECORDS } = this.settings
    return prune(this.#context.database, { table: 'correspondents', key: 'key', age: 'last_at', upTo: this.#context.now() - rememberMs, maxRows: maxRecords })
  }

  #hash(pair: string): Buffer {
    return createHmac('sha256', this.#key).update(pair).digest().subarray(0, HASH_BYTES)
  }
}

function together(one: CorrespondentRecord, other: CorrespondentRecord): CorrespondentRecord {
  return { messages: one.messages + other.messages, lastAt: Math.max(one.lastAt, other.lastAt) }
}
