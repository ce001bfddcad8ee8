/**
 * A secret of this installation, 32 random bytes in a file of the state
 * directory that only its owner reads. Made where there is none; of several
 * processes that make it at once one wins, and all have the same. One that is
 * damaged is replaced, which the log hears of; by one process after the other,
 * for whom the database there stands guard, so that none takes away what another
 * has made. Throws where the directory or the database cannot be read or written.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../observe/log.ts'
import { inTransaction, openDatabase } from './database.ts'

const SECRET_BYTES = 32

/** @param name of the file */
export function openSecret(directory: string, name: string, log: Log): Buffer {
  mkdirSync(directory, { recursive: true, mode: 0o750 })
  const path = join(directory, name)
  const found = read(path)
  if (found?.length === SECRET_BYTES) return found
  if (found === undefined) make(path, linked)
  else {
    log.warn({ file: path, bytes: found.length }, 'a secret in the state directory is damaged and made anew: what was hashed with it is forgotten')
    replace(path, directory)
  }
  const made = read(path)
  if (made?.length !== SECRET_BYTES) throw new Error(`${path} cannot be made: it must be a file of ${SECRET_BYTES} bytes`)
  return made
}

function replace(path: string, directory: string): void {
  const database = openDatabase(directory)
  try {
    inTransaction(database, () => {
      // Another may have been quicker.
      if (read(path)?.length !== SECRET_BYTES) make(path, renameSync)
    })
  } finally {
    database.close()
  }
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** It has its name only when it is whole. */
function make(path: string, place: (draft: string, path: string) => void): void {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, randomBytes(SECRET_BYTES))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    place(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** It never takes the name of another's. */
function linked(draft: string, path: string): void {
  try {
    linkSync(draft, path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
