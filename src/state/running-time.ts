/**
 * For how long gateways have run here, in all: an age by which something may be removed
 * that is not to be had again. A clock that is wrong, jumps or begins anew with each start
 * adds to it no more than `STEP_MS` a time, and it always goes on. Time in which none ran
 * does not count. Whoever has it looks every few minutes; between two looks that are
 * further apart nobody knows what the time did. One statement, which several processes may
 * run at once; it throws what SQLite throws.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** Twice what is between two looks. */
export const STEP_MS = 20 * 60_000

export class RunningTime {
  readonly #name: string
  readonly #look: StatementSync

  /** @param name of what is removed by it */
  constructor(database: DatabaseSync, name: string) {
    this.#name = name
    // Who waited for the database comes with a clock that is a little behind; what lies between was counted.
    this.#look = database.prepare(`INSERT INTO running (name, seen, ran) VALUES (:name, :now, 0)
      ON CONFLICT (name) DO UPDATE SET
        ran = ran + max(0, min(:now - seen, ${STEP_MS})),
        seen = CASE WHEN :now BETWEEN seen - ${STEP_MS} AND seen THEN seen ELSE :now END
      RETURNING ran`)
  }

  /** Milliseconds. */
  look(nowMs: number): number {
    return Number(this.#look.get({ name: this.#name, now: nowMs })?.['ran'])
  }
}
