/**
 * A chore that one of several processes does for all: whoever holds its lease.
 * A lease that is not renewed runs out, so that another goes on where a process
 * has died. One that runs longer than any is given for was taken by a clock that
 * was ahead, and is none. All holders of a lease take it for about the same time.
 * Throws what SQLite throws.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** times its length; who waited for the database comes with a clock that is behind */
const AHEAD = 2

export class Lease {
  readonly #take: StatementSync
  readonly #drop: StatementSync
  readonly #name: string
  readonly #holder: string

  /** @param holder unlike that of every other process */
  constructor(database: DatabaseSync, { name, holder }: { readonly name: string; readonly holder: string }) {
    this.#name = name
    this.#holder = holder
    this.#take = database.prepare(`INSERT INTO leases (name, holder, until) VALUES (?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE leases.holder = excluded.holder OR leases.until <= ? OR leases.until > ?`)
    this.#drop = database.prepare('DELETE FROM leases WHERE name = ? AND holder = ?')
  }

  /** Takes or renews it. False: another has it. */
  hold({ now, forMs }: { readonly now: number; readonly forMs: number }): boolean {
    return Number(this.#take.run(this.#name, this.#holder, now + forMs, now, now + AHEAD * forMs).changes) === 1
  }

  /** Gives it up, where it is ours. */
  drop(): void {
    this.#drop.run(this.#name, this.#holder)
  }
}
