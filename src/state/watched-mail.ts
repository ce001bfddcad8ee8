/**
 * Which files of folders that teach were seen, in which folder, and what they
 * taught; by hashes of their names, which a Maildir gives to no second message.
 * So a file is read once, and again where its user has moved it to another of
 * these folders. Rows of files that are gone go after a while. Throws what
 * SQLite throws.
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

export class WatchedMail {
  readonly #database: DatabaseSync
  readonly #get: StatementSync
  readonly #put: StatementSync
  readonly #touch: StatementSync
  readonly #prune: StatementSync

  constructor(database: DatabaseSync) {
    this.#database = database
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
