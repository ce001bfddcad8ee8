/**
 * The thread that computes bcrypt and SHA-crypt, of which node:crypto has no
 * form that does not block. Gets one job at a time as a message, answers each
 * with `{ id, matches }`, and does nothing else. Started by hash-thread.ts.
 */
import { timingSafeEqual } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import bcrypt from 'bcryptjs'
import type { BcryptHash, ShaCryptHash } from './password-hash.ts'
import { shaCrypt } from './sha-crypt.ts'

/** `$2b$10$` and 22 characters. */
const BCRYPT_SALT_END = 29

export interface HashJob {
  readonly id: number
  readonly hash: BcryptHash | ShaCryptHash
  /** it matches if one of these does */
  readonly forms: readonly string[]
}

export interface HashAnswer {
  readonly id: number
  readonly matches: boolean
}

parentPort?.on('message', ({ id, hash, forms }: HashJob) => {
  // Each is computed, also behind one that matches: the time says nothing.
  const found = forms.map((form) => matches(hash, form))
  const answer: HashAnswer = { id, matches: found.includes(true) }
  parentPort?.postMessage(answer)
})

function matches(hash: BcryptHash | ShaCryptHash, password: string): boolean {
  // Of bcrypt only what was computed: the last character of a salt may be spelt in several ways.
  const computed = Buffer.from(hash.scheme === 'bcrypt' ? bcrypt.hashSync(password, hash.text.slice(0, BCRYPT_SALT_END)).slice(BCRYPT_SALT_END) : shaCrypt(hash.scheme, password, hash))
  const stored = Buffer.from(hash.scheme === 'bcrypt' ? hash.text.slice(BCRYPT_SALT_END) : hash.hash)
  return computed.length === stored.length && timingSafeEqual(computed, stored)
}
