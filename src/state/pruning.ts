/**
 * Keeps a table of the embedded database in its bounds: removes what is too old,
 * and of too many rows those that are to go first, some at a time, because more
 * at once would hold up sessions. Throws what SQLite throws.
 */
import type { DatabaseSync } from 'node:sqlite'

export interface Pruned {
  readonly table: string
  readonly key: string
  /** the column that tells the age, and the value up to which a row goes */
  readonly age: string
  readonly upTo: number
  /** columns by which rows go where there are too many; `age` unless given */
  readonly order?: string
  readonly maxRows: number
}

/** Where so many went, there may be more. */
export const PRUNED_ROWS = 2000

/** How many went. */
export function prune(database: DatabaseSync, { table, key, age, upTo, order = age, maxRows }: Pruned): number {
  const expired = Number(database.prepare(`DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE ${age} <= ? ORDER BY ${age} LIMIT ?)`).run(upTo, PRUNED_ROWS).changes)
  const count = Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'])
  const surplus = Math.min(PRUNED_ROWS, count - maxRows)
  if (surplus <= 0) return expired
  return expired + Number(database.prepare(`DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} ORDER BY ${order} LIMIT ?)`).run(surplus).changes)
}
