/**
 * One gateway at a time in a state directory. What is locked is an empty file, by
 * SQLite, which has the system lock it for this process: the lock ends with the
 * process however that ends, holds between containers of one machine, and is not
 * handed on to workers or to whatever else is started here. Commands do not ask for it.
 *
 * Who holds it stands in a file beside it, for people; nothing rests on that. Throws
 * where the directory cannot be written.
 */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isBusy, withSystemsCause } from './database.ts'

export const LOCK_FILE = 'gateway.lock'
export const HOLDER_FILE = 'gateway.holder'

export type StateLock =
  /** as long as nobody calls `release` and somebody could */
  | { readonly status: 'locked'; release(): void }
  /** by: what is known of who holds it */
  | { readonly status: 'held'; readonly by: string }

/** @param directory which is there */
export function lockState(directory: string): StateLock {
  const path = join(directory, LOCK_FILE)
  const holder = join(directory, HOLDER_FILE)
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 0 })
    chmodSync(path, 0o640)
    database.exec('BEGIN IMMEDIATE')
  } catch (error) {
    if (isBusy(error)) {
      database?.close()
      return { status: 'held', by: holderIn(holder) }
    }
    const told = withSystemsCause(path, error)
    database?.close()
    throw told
  }
  const locked = database
  sayWho(holder)
  return {
    status: 'locked',
    release: () => {
      removeHolder(holder)
      locked.close()
    },
  }
}

function sayWho(path: string): void {
  try {
    writeFileSync(path, `process ${process.pid} on ${hostname()}, since ${new Date().toISOString()}\n`, { mode: 0o640 })
  } catch {
    // A full disk, say. What was there before is of somebody else.
    removeHolder(path)
  }
}

function removeHolder(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // A disk that is read-only by now, say. The lock does not rest on it.
  }
}

function holderIn(path: string): string {
  try {
    // One line of ours, and no more whoever wrote there.
    return /^process \d{1,10} on [\w.-]{1,255}, since [\dT:.Z-]{1,30}$/m.exec(readFileSync(path, 'latin1'))?.[0] ?? 'unknown process'
  } catch {
    return 'unknown process'
  }
}
