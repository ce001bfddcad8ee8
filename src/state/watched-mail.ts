/**
 * Which files of folders that teach were seen, in which folder, and what they
 * taught; by hashes of their names, which a Maildir gives to no second message.
 * So a file is read once, and again where its user has moved it to another of
 * these folders. Rows of files that are gone go after a while; where there are
 * too many that are not gone, none is taken any more (`isFull`), since a file that
 * was forgotten would teach again. Throws what SQLite throws.
 */
import { createHash } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { inTransaction } from './database.ts'

/** `delivered`: it came into this folder by itself, and nobody has put it there */
export type Taught = 'spam' | 'ham' | 'nothing' | 'delivered'

export interface WatchedFile {
  /** name without flags */
  readonly name: string
  readonly taught: Taught
}

const HASH_BYTES = 16
const KEPT_DAYS = 30
const PRUNED_ROWS = 2000
/** Some 100 MB. */
const MAX_ROWS = 1_000_000
/** What is written at once: others wait for it. */
const BATCH = 200

export interface FolderNotes {
  seen(file: WatchedFile): void
  /** it is still there */
  renewed(name: string): void
  /** to be called at the end, and before any of it is asked for */
  flush(): void
}

export class WatchedMail {
  readonly #database: DatabaseSync
  readonly #get: StatementSync
  readonly #put: StatementSync
  readonly #touch: StatementSync
  readonly #prune: StatementSync
  readonly #count: StatementSync
  readonly #maxRows: number
  /** at most so many */
  #rows: number | undefined

  constructor(database: DatabaseSync, maxRows: number = MAX_ROWS) {
    this.#database = database
    this.#maxRows = maxRows
    this.#count = database.prepare('SELECT count(*) AS n FROM watched_mail')
    this.#get = database.prepare('SELECT folder, taught, day FROM watched_mail WHERE key = ?')
    this.#put = database.prepare('INSERT INTO watched_mail (key, folder, taught, day) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET folder = excluded.folder, taught = excluded.taught, day = excluded.day')
    this.#touch = database.prepare('UPDATE watched_mail SET day = ? WHERE key = ?')
    this.#prune = database.prepare('DELETE FROM watched_mail WHERE key IN (SELECT key FROM watched_mail WHERE day < ? ORDER BY day LIMIT ?)')
  }

  /** What is known of a file; `here`: it was seen in this very folder. */
  find(folder: string, name: string): { readonly here: boolean; readonly taught: Taught; readonly day: number } | undefined {
    const row = this.#get.get(hashOf(name))
    if (row === undefined) return undefined
    const { folder: seen, taught, day } = row
    if (!(seen instanceof Uint8Array) || !isTaught(taught) || typeof day !== 'number') throw new Error('a record of a folder that teaches is damaged')
    return { here: hashOf(folder).equals(seen), taught, day }
  }

  /** Remembers files of one folder, in one transaction. */
  remember(folder: string, files: readonly WatchedFile[], day: number): void {
    const place = hashOf(folder)
    if (this.#rows !== undefined) this.#rows += files.length
    inTransaction(this.#database, () => {
      for (const { name, taught } of files) this.#put.run(hashOf(name), place, taught, day)
    })
  }

  /** They are still there. */
  touch(names: readonly string[], day: number): void {
    inTransaction(this.#database, () => {
      for (const name of names) this.#touch.run(day, hashOf(name))
    })
  }

  /** No more can be remembered. Counts only where it may be so. */
  isFull(): boolean {
    if (this.#rows === undefined || this.#rows >= this.#maxRows) this.#rows = Number(this.#count.get()?.['n'])
    return this.#rows >= this.#maxRows
  }

  /** What is found of one folder, written some at a time. */
  notes(folder: string, day: number): FolderNotes {
    const seen: WatchedFile[] = []
    const renewed: string[] = []
    const flush = (): void => {
      if (seen.length > 0) this.remember(folder, seen.splice(0), day)
      if (renewed.length > 0) this.touch(renewed.splice(0), day)
    }
    const flushFull = (): void => {
      if (seen.length + renewed.length >= BATCH) flush()
    }
    return {
      seen(file) {
        seen.push(file)
        flushFull()
      },
      renewed(name) {
        renewed.push(name)
        flushFull()
      },
      flush,
    }
  }

  /** Forgets some of the files that were not there for long; true where there may be more. */
  prune(day: number): boolean {
    return Number(this.#prune.run(day - KEPT_DAYS, PRUNED_ROWS).changes) >= PRUNED_ROWS
  }
}

function isTaught(value: unknown): value is Taught {
  return value === 'spam' || value === 'ham' || value === 'nothing' || value === 'delivered'
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, HASH_BYTES)
}
