/**
 * For commands that only look into the database of a gateway, whether it runs
 * or not. What goes wrong is an ExitError: 65 where the database or what is
 * asked of it cannot be understood, 75 where it is busy, 77 where this user may
 * not.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { DATABASE_FILE } from '../state/database.ts'
import { DamagedDecision, openForReading, primaryCode } from '../state/decision-reader.ts'
import { EXIT, ExitError } from './exit-codes.ts'

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6

interface Reading<T> {
  readonly read: (database: DatabaseSync) => T
  /** @param path of the file that is not there */
  readonly missing: (path: string) => T
}

/** Whether there is one; an ExitError where this user cannot know. @param state the state directory */
export function hasDatabase(state: string): boolean {
  try {
    return statSync(join(state, DATABASE_FILE), { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    throw notAllowed(error, state) ?? error
  }
}

/** Undefined for every other error. */
function notAllowed(error: unknown, state: string): ExitError | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EACCES') return undefined
  return new ExitError(EXIT.permission, `${join(state, DATABASE_FILE)} may not be read by this user: ask as root, or as the user that the gateway runs as`)
}

/** @param state the state directory */
export function readDatabase<T>(state: string, { read, missing }: Reading<T>): T {
  try {
    const opening = openForReading(state)
    switch (opening.status) {
      case 'missing': return missing(opening.path)
      case 'other-version': throw new ExitError(EXIT.data, opening.why)
      case 'open':
        try {
          return read(opening.database)
        } finally {
          opening.database.close()
        }
    }
  } catch (error) {
    const denied = notAllowed(error, state)
    if (denied !== undefined) throw denied
    if (error instanceof DamagedDecision) throw new ExitError(EXIT.data, error.message)
    const code = primaryCode(error)
    if (code === undefined || !(error instanceof Error)) throw error
    throw new ExitError(code === SQLITE_BUSY || code === SQLITE_LOCKED ? EXIT.temporary : EXIT.data, `the database cannot be read: ${error.message}`)
  }
}
