/**
 * What the classifier learnt, in a file of its own beside the embedded database
 * (it grows to tens of megabytes, and may be thrown away and taught again): the
 * BayesStore of one machine, shared by all workers and by the command line.
 *
 * Learning a message writes one row, with its tokens in it; that holds up nobody.
 * `maintain` adds many of those rows up at once (bayes-upkeep.ts).
 *
 * Rejects with what SQLite throws. A file with tokens of another version is
 * refused: what was learnt would count for other words.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import type { BayesCounts, BayesProgress, BayesStore, ForgetOutcome, KeptMessage, LearnOutcome, LearntMessage, MessageClass, TokenRows } from '../spam/bayes/store.ts'
import { BayesUpkeep, EXPIRY_HELD, UPKEEP_DEFAULTS, type UpkeepSettings } from './bayes-upkeep.ts'
import { inTransaction, openDatabase, OtherVersion, type DatabaseKind } from './database.ts'

const STEPS: readonly string[] = [
  // `kind` of a waiting row: what it adds to ham and to spam. The numbers of `tokens` are hashes.
  `CREATE TABLE messages (
     key BLOB PRIMARY KEY,
     class TEXT NOT NULL,
     day INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX messages_day ON messages (day);
   CREATE TABLE waiting (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     ham INTEGER NOT NULL,
     spam INTEGER NOT NULL,
     day INTEGER NOT NULL,
     tokens BLOB NOT NULL
   );
   CREATE TABLE tokens (
     key INTEGER PRIMARY KEY,
     ham INTEGER NOT NULL,
     spam INTEGER NOT NULL,
     day INTEGER NOT NULL
   );
   CREATE TABLE numbers (
     name TEXT PRIMARY KEY,
     value NUMERIC NOT NULL
   ) WITHOUT ROWID;
   INSERT INTO numbers (name, value) VALUES ('ham', 0), ('spam', 0), ('revision', 0);`,
  // Words of the latest messages, as hashes of 32 bits.
  `CREATE TABLE kept (
     number INTEGER PRIMARY KEY,
     key BLOB NOT NULL UNIQUE,
     class TEXT NOT NULL,
     day INTEGER NOT NULL,
     singles BLOB NOT NULL
   );
   CREATE INDEX kept_day ON kept (class, day);`,
]

export const BAYES_DATABASE: DatabaseKind = { file: 'bayes.db', steps: STEPS }

export interface BayesDatabaseSettings extends Partial<UpkeepSettings> {
  /** of the tokens that are learnt */
  readonly tokensVersion: number
  readonly busyMs?: number
}

const ROWS_AT_ONCE = 8192
const MESSAGES_AT_ONCE = 256

export class BayesDatabase implements BayesStore {
  readonly #database: DatabaseSync
  readonly #upkeep: BayesUpkeep
  readonly #classOf: StatementSync
  readonly #remember: StatementSync
  readonly #keep: StatementSync
  readonly #wait: StatementSync
  readonly #count: StatementSync

  /** Throws where the file cannot be had, or is not for these tokens. */
  constructor(directory: string, { tokensVersion, busyMs, ...upkeep }: BayesDatabaseSettings) {
    const database = openDatabase(directory, { kind: BAYES_DATABASE, ...(busyMs !== undefined && { busyMs }) })
    this.#database = database
    try {
      useTokens(database, tokensVersion)
      this.#upkeep = new BayesUpkeep(database, { ...UPKEEP_DEFAULTS, ...upkeep })
      this.#classOf = database.prepare('SELECT class FROM messages WHERE key = ?')
      this.#remember = database.prepare('INSERT INTO messages (key, class, day) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET class = excluded.class, day = excluded.day')
      this.#keep = database.prepare('INSERT INTO kept (key, class, day, singles) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET class = excluded.class, day = excluded.day, singles = excluded.singles')
      this.#wait = database.prepare('INSERT INTO waiting (ham, spam, day, tokens) VALUES (?, ?, ?, ?)')
      this.#count = database.prepare('UPDATE numbers SET value = max(0, value + ?) WHERE name = ?')
    } catch (error) {
      database.close()
      throw error
    }
  }

  // The embedded database is asked and answers at once: what it throws is a rejection all the same.
  // eslint-disable-next-line @typescript-eslint/require-await
  async learn(message: LearntMessage, as: MessageClass): Promise<LearnOutcome> {
    const { key, tokens, singles, day } = message
    return inTransaction(this.#database, () => {
      const before = this.#classOf.get(key)?.['class']
      if (before === as) return 'known'
      this.#remember.run(key, as, day)
      this.#keep.run(key, as, day, bytesOf(singles))
      const other = as === 'ham' ? 'spam' : 'ham'
      const moved = before === other ? -1 : 0
      this.#add(as === 'ham' ? { ham: 1, spam: moved } : { ham: moved, spam: 1 }, tokens, day)
      return moved === 0 ? 'learned' : 'moved'
    })
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async forget({ key, tokens, day }: LearntMessage): Promise<ForgetOutcome> {
    return inTransaction(this.#database, () => {
      const before = this.#classOf.get(key)?.['class']
      if (before !== 'ham' && before !== 'spam') return 'unknown'
      this.#database.prepare('DELETE FROM messages WHERE key = ?').run(key)
      this.#database.prepare('DELETE FROM kept WHERE key = ?').run(key)
      this.#add(before === 'ham' ? { ham: -1, spam: 0 } : { ham: 0, spam: -1 }, tokens, day)
      return 'forgotten'
    })
  }

  #add({ ham, spam }: { readonly ham: number; readonly spam: number }, tokens: Float64Array, day: number): void {
    this.#wait.run(ham, spam, day, bytesOf(tokens))
    if (ham !== 0) this.#count.run(ham, 'ham')
    if (spam !== 0) this.#count.run(spam, 'spam')
    this.#count.run(1, 'revision')
  }

  async counts(): Promise<BayesCounts> {
    return { ...await this.progress(), tokens: this.#rows('tokens') }
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async progress(): Promise<BayesProgress> {
    const numbers = new Map(this.#database.prepare('SELECT name, value FROM numbers').all().map(({ name, value }) => [name, Number(value)]))
    const of = (name: string): number => numbers.get(name) ?? 0
    const expiryHeld = numbers.get(EXPIRY_HELD)
    return { ham: of('ham'), spam: of('spam'), revision: of('revision'), kept: this.#kept(), waiting: this.#rows('waiting'), ...(expiryHeld !== undefined && { expiryHeld }) }
  }

  #kept(): BayesProgress['kept'] {
    const found = new Map(this.#database.prepare('SELECT class, count(*) AS n FROM kept GROUP BY class').all().map(({ class: one, n }) => [one, Number(n)]))
    return { hams: found.get('ham') ?? 0, spams: found.get('spam') ?? 0 }
  }

  #rows(table: 'tokens' | 'waiting'): number {
    return Number(this.#database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'])
  }

  maintain(day: number, signal?: AbortSignal): Promise<boolean> {
    return this.#upkeep.run(day, signal)
  }

  async *tokens(): AsyncGenerator<TokenRows> {
    const select = this.#database.prepare('SELECT key, ham, spam FROM tokens WHERE key > ? ORDER BY key LIMIT ?')
    select.setReturnArrays(true)
    for (let after = -1; ;) {
      // Arrays, after setReturnArrays: the types know only of objects.
      const rows = select.all(after, ROWS_AT_ONCE) as unknown as readonly (readonly number[])[]
      if (rows.length === 0) return
      yield { keys: Float64Array.from(rows, ([key = 0]) => key), ham: Uint32Array.from(rows, ([, ham = 0]) => ham), spam: Uint32Array.from(rows, ([, , spam = 0]) => spam) }
      after = rows.at(-1)?.[0] ?? Infinity
      await turn()
    }
  }

  async *kept(): AsyncGenerator<KeptMessage> {
    const select = this.#database.prepare('SELECT key, class, singles FROM kept WHERE key > ? ORDER BY key LIMIT ?')
    for (let after = new Uint8Array(0); ;) {
      const rows = select.all(after, MESSAGES_AT_ONCE)
      for (const row of rows) {
        const { key, singles } = row
        if (!(key instanceof Uint8Array && singles instanceof Uint8Array)) throw new Error('a row of bayes.db is damaged')
        yield { class: row['class'] === 'spam' ? 'spam' : 'ham', singles: new Uint32Array(singles.slice().buffer, 0, Math.trunc(singles.length / Uint32Array.BYTES_PER_ELEMENT)) }
        after = new Uint8Array(key)
      }
      if (rows.length < MESSAGES_AT_ONCE) return
      await turn()
    }
  }

  close(): void {
    this.#database.close()
  }
}

function bytesOf(numbers: Float64Array | Uint32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
}

/** A file that nobody taught anything yet takes any. */
function useTokens(database: DatabaseSync, version: number): void {
  const known = database.prepare('SELECT value FROM numbers WHERE name = \'tokens_version\'')
  const insert = (): unknown => database.prepare('INSERT INTO numbers (name, value) VALUES (\'tokens_version\', ?) ON CONFLICT DO NOTHING').run(version)
  if (known.get() === undefined) insert()
  const found = Number(known.get()?.['value'])
  if (found !== version) throw new OtherVersion(`${BAYES_DATABASE.file} has tokens of version ${found}, this Postern makes ${version}: remove it and train the classifier again`)
}
