/**
 * A secret of this installation, made with the first start and kept in the
 * state directory: by it an unknown user's SCRAM salt is the same today and
 * tomorrow, in every worker. Whoever has it can tell unknown users from known
 * ones, no more. Throws what the file system throws.
 */
import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const SECRET_FILE = 'submission.secret'
const BYTES = 32

/** @param directory the state directory; made where it is missing */
export function loadServerSecret(directory: string): Buffer {
  const path = join(directory, SECRET_FILE)
  const known = read(path)
  if (known?.length === BYTES) return known
  mkdirSync(directory, { recursive: true, mode: 0o750 })
  const secret = randomBytes(BYTES)
  const temporary = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`
  writeFileSync(temporary, secret, { flag: 'wx', mode: 0o600 })
  try {
    // One that was cut short is worth nothing; of several workers that come here at once the first one's holds.
    if (known !== undefined) rmSync(path, { force: true })
    linkSync(temporary, path)
    return secret
  } catch (error) {
    const other = read(path)
    if (other?.length === BYTES) return other
    throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
