/**
 * The history of sender domains in the embedded database: the DomainHistoryStore
 * of all workers.
 *
 * `add` counts in memory; `flush` adds what has gathered to what the others have
 * counted: differences, never totals. `get` and `beganOn` throw where the
 * database cannot be read. Where too much waits to be written, what comes more
 * is not counted, and the log says so once. Bounded in rows: `prune` removes
 * domains that were not seen for long, and of too many first those that were
 * hardly ever seen, so that a flood of throw-away domains drives out nobody else.
 *
 * The day on which all began is a row of its own, under a name that no domain has.
 * A clock may have been wrong then: a beginning in the future, or before there was
 * any Postern, is none, and the next message begins anew. Nobody was first seen
 * before the beginning.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Log } from '../observe/log.ts'
import type { DomainChange, DomainHistoryStore, DomainRecord } from '../reputation/domain-history.ts'
import { prune } from './pruning.ts'
import { WriteBuffer } from './write-buffer.ts'

export interface DomainHistoryStoreSettings {
  /** domains that were not seen for so long go */
  readonly rememberDays: number
  /** default 200,000 */
  readonly maxRecords?: number
  /** domains that wait to be written; default 10,000 */
  readonly maxWaiting?: number
}

export interface DomainHistoryStoreContext {
  readonly database: DatabaseSync
  readonly log: Log
  readonly now: () => number
}

/** What has gathered of one domain. */
interface Gathered {
  readonly firstDay: number
  readonly lastDay: number
  readonly messages: number
  readonly spam: number
}

export const DOMAIN_REMEMBER_DAYS = 365
const MAX_RECORDS = 200_000
const MAX_WAITING = 10_000
const DAY_MS = 86_400_000
const BEGINNING = ''
/** 2024-01-01. Of an earlier day a clock tells that was not set. */
const EARLIEST_DAY = 19_723
/** It is never too old, nor seldom. */
const NEVER_OLD = 1_000_000_000

export class DatabaseDomainHistory implements DomainHistoryStore {
  settings: DomainHistoryStoreSettings
  readonly #context: DomainHistoryStoreContext
  readonly #get: StatementSync
  readonly #waiting: WriteBuffer<Gathered>
  #began: number | undefined
  #full = false

  constructor(settings: DomainHistoryStoreSettings, context: DomainHistoryStoreContext) {
    const { database } = context
    this.settings = settings
    this.#context = context
    this.#get = database.prepare('SELECT first_day, last_day, messages, spam FROM domain_history WHERE domain = ?')
    this.#waiting = new WriteBuffer({
      maxWaiting: settings.maxWaiting ?? MAX_WAITING,
      merge: (waiting, { firstDay, lastDay, messages, spam }) => ({
        firstDay: Math.min(waiting.firstDay, firstDay), lastDay: Math.max(waiting.lastDay, lastDay), messages: waiting.messages + messages, spam: waiting.spam + spam,
      }),
      write: writer(database),
      level: 'warn',
      failing: 'the history of sender domains cannot be written; what is counted waits',
      again: 'the history of sender domains is written again',
    }, context)
  }

  get(domain: string): DomainRecord | undefined {
    const row = this.#get.get(domain)
    const waiting = this.#waiting.get(domain)
    const stored = row === undefined ? undefined : { firstDay: Number(row['first_day']), lastDay: Number(row['last_day']), messages: Number(row['messages']), spam: Number(row['spam']) }
    const found = stored === undefined || waiting === undefined ? stored ?? waiting : sumOf(stored, waiting)
    return found === undefined ? undefined : { ...found, firstDay: Math.max(found.firstDay, this.beganOn() ?? 0) }
  }

  add(domain: string, { day, messages, spam }: DomainChange): void {
    const change = { firstDay: day, lastDay: day, messages, spam }
    const full = this.#waiting.put(domain, change) === 'full'
    // The first one stays, whoever writes another.
    if (day >= EARLIEST_DAY && !this.#isPossible(this.#began)) this.#waiting.put(BEGINNING, change)
    if (full && !this.#full) this.#context.log.warn({ waiting: this.#waiting.size }, 'the history of sender domains counts no more for now: too much waits to be written')
    this.#full = full
  }

  beganOn(): number | undefined {
    if (!this.#isPossible(this.#began)) {
      const row = this.#get.get(BEGINNING)
      this.#began = row === undefined ? undefined : Number(row['first_day'])
    }
    return this.#isPossible(this.#began) ? this.#began : this.#waiting.get(BEGINNING)?.firstDay
  }

  #isPossible(day: number | undefined): boolean {
    return day !== undefined && day >= EARLIEST_DAY && day <= Math.floor(this.#context.now() / DAY_MS)
  }

  /** Writes what waits. Call it every second, and at the end. */
  flush(): void {
    this.#waiting.flush()
  }

  /** Removes some of what is too old or too much; returns how many. Call it now and then; it throws what SQLite throws. */
  prune(): number {
    const { rememberDays, maxRecords = MAX_RECORDS } = this.settings
    const { database, now } = this.#context
    const upTo = Math.floor(now() / DAY_MS) - rememberDays
    return prune(database, { table: 'domain_history', key: 'domain', age: 'last_day', upTo, order: 'messages > 2, last_day', maxRows: maxRecords + 1 })
  }
}

function sumOf(stored: DomainRecord, waiting: Gathered): DomainRecord {
  return { firstDay: stored.firstDay, lastDay: Math.max(stored.lastDay, waiting.lastDay), messages: stored.messages + waiting.messages, spam: stored.spam + waiting.spam }
}

function writer(database: DatabaseSync): (domain: string, gathered: Gathered) => void {
  const begin = database.prepare(`INSERT INTO domain_history (domain, first_day, last_day, messages, spam) VALUES (?1, ?2, ?3, ?4, 0)
    ON CONFLICT (domain) DO UPDATE SET first_day = ?2 WHERE domain_history.first_day > ?2 OR domain_history.first_day < ?5`)
  // Who was there first stays: a clock that goes wrong for a moment makes nobody old.
  const put = database.prepare(`INSERT INTO domain_history (domain, first_day, last_day, messages, spam) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (domain) DO UPDATE SET last_day = max(last_day, excluded.last_day),
      messages = messages + ?4, spam = spam + ?5`)
  return (domain, { firstDay, lastDay, messages, spam }) => {
    if (domain === BEGINNING) begin.run(BEGINNING, firstDay, NEVER_OLD, NEVER_OLD, EARLIEST_DAY)
    else put.run(domain, firstDay, lastDay, messages, spam)
  }
}
