/**
 * A secret of this installation, 32 random bytes in a file of the state
 * directory that only its owner reads. Made where there is none; of several
 * processes that make it at once one wins, and all have the same. One that is
 * damaged is replaced, which the log hears of. Throws where the directory cannot
 * be read or written.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../observe/log.ts'

const SECRET_BYTES = 32

/** @param name of the file */
export function openSecret(directory: string, name: string, log: Log): Buffer {
  mkdirSync(directory, { recursive: true, mode: 0o750 })
  const path = join(directory, name)
  const found = read(path)
  if (found?.length === SECRET_BYTES) return found
  if (found !== undefined) {
    log.warn({ file: path, bytes: found.length }, 'a secret in the state directory is damaged and made anew: what was hashed with it is forgotten')
    rmSync(path, { force: true })
  }
  make(path)
  const made = read(path)
  if (made?.length !== SECRET_BYTES) throw new Error(`${path} cannot be made: it must be a file of ${SECRET_BYTES} bytes`)
  return made
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** It has its name only when it is whole, and never takes that of another's. */
function make(path: string): void {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, randomBytes(SECRET_BYTES))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    linkSync(draft, path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
