/**
 * Whether the clock may be believed where something is removed for its age and is
 * not to be had again. Who asks now and then leaves when that was; where the clock is
 * days away from it at the next time, it was wrong or is, or the machine was off. Which
 * of them nobody can tell, so for some days nothing is removed: a clock that is wrong is
 * set right meanwhile. So it is at the first look. One statement, which several processes may run at once; it throws
 * what SQLite throws.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

const DAY_MS = 86_400_000
/** It is asked every few minutes. */
export const GAP_MS = 2 * DAY_MS
export const DOUBT_MS = 2 * DAY_MS

export class ClockWatch {
  readonly #name: string
  readonly #look: StatementSync

  /** @param name of what is removed by it */
  constructor(database: DatabaseSync, name: string) {
    this.#name = name
    // A little behind is whoever waited for the database.
    this.#look = database.prepare(`INSERT INTO clocks (name, seen, doubted_until) VALUES (:name, :now, :now + ${DOUBT_MS})
      ON CONFLICT (name) DO UPDATE SET seen = :now, doubted_until = CASE
        WHEN :now > seen + ${GAP_MS} OR :now < seen - ${GAP_MS} THEN :now + ${DOUBT_MS}
        WHEN :now < doubted_until THEN doubted_until
        ELSE NULL END
      RETURNING doubted_until`)
  }

  /** Until when it is doubted; undefined: it is believed. */
  doubtedUntil(nowMs: number): number | undefined {
    const until = this.#look.get({ name: this.#name, now: nowMs })?.['doubted_until']
    return typeof until === 'number' ? until : undefined
  }
}
