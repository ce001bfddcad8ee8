/**
 * For commands that only look into the database of a gateway, whether it runs
 * or not. What goes wrong is an ExitError: 65 where the database or what is
 * asked of it cannot be understood, 75 where it is busy; 77 is the operating
 * system's word.
 */
import type { DatabaseSync } from 'node:sqlite'
import { DamagedDecision, openForReading, primaryCode } from '../state/decision-reader.ts'
import { EXIT, ExitError } from './exit-codes.ts'

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6

interface Reading<T> {
  readonly read: (database: DatabaseSync) => T
  /** @param path of the file that is not there */
  readonly missing: (path: string) => T
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
    if (error instanceof DamagedDecision) throw new ExitError(EXIT.data, error.message)
    const code = primaryCode(error)
    if (code === undefined || !(error instanceof Error)) throw error
    throw new ExitError(code === SQLITE_BUSY || code === SQLITE_LOCKED ? EXIT.temporary : EXIT.data, `the database cannot be read: ${error.message}`)
  }
}
