/**
 * Makes a key and its file. The file is whole and on disk before it has its
 * name, is never put over another one, and nobody but its owner can read it
 * (or who could read the key that it follows). Throws what the operating system
 * says, or an ExitError where there is a file of that name.
 */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { randomBytes } from 'node:crypto'
import { closeSync, fchmodSync, fchownSync, fsyncSync, linkSync, openSync, rmSync, writeFileSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { escapeControls } from '../observe/readable.ts'
import { EXIT, ExitError } from './exit-codes.ts'
import type { KeyType } from './dkim-command.ts'

const make = promisify(generateKeyPair)

export async function newKey(type: KeyType, bits: number): Promise<KeyObject> {
  const { privateKey } = type === 'rsa' ? await make('rsa', { modulusLength: bits }) : await make('ed25519', {})
  return privateKey
}

/** @param like the file of the key that this one follows: it gets its owner, group and mode */
export function writeKey(path: string, key: KeyObject, like?: Pick<Stats, 'uid' | 'gid' | 'mode'>): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`
  const descriptor = openSync(temporary, 'wx', 0o600)
  try {
    writeFileSync(descriptor, key.export({ type: 'pkcs8', format: 'pem' }))
    if (like !== undefined) giveTo(descriptor, like)
    fsyncSync(descriptor)
    // Unlike a rename, a link fails where the name is taken.
    linkSync(temporary, path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw new ExitError(EXIT.data, `${escapeControls(path)} is there already, and no key is put over another one`)
    throw error
  } finally {
    closeSync(descriptor)
    rmSync(temporary, { force: true })
  }
  const folder = openSync(dirname(path), 'r')
  fsyncSync(folder)
  closeSync(folder)
}

function giveTo(descriptor: number, { uid, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>): void {
  // Only root may give files away; a key of our own is ours again.
  if (process.geteuid?.() === 0) fchownSync(descriptor, uid, gid)
  // Nothing more than the rules of key files allow.
  fchmodSync(descriptor, mode & 0o640)
}
