/**
 * Makes the password of a users file, `{SCHEME}…`, as Dovecot reads it too (but
 * for {SCRYPT}, which it does not know). With the cost that is usual today; the
 * time it takes is the time of each login.
 */
import { argon2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import bcrypt from 'bcryptjs'
import { hmacContexts } from './md5.ts'
import { scryptKey } from './password-work.ts'
import { opaqueString } from './prepare.ts'
import { scramSecret } from './scram-keys.ts'
import { shaCrypt } from './sha-crypt.ts'
import type { WrittenScheme } from './written-schemes.ts'

const ARGON2 = { memory: 65_536, passes: 3, parallelism: 1, tagLength: 32 }
const SCRYPT = { ln: 16, blockSize: 8, lanes: 1 }
const BCRYPT_COST = 10
const SHA_CRYPT_ROUNDS = 100_000
const SCRAM_ITERATIONS = 15_000

const hashArgon2 = promisify(argon2)

/** @param password one of which `passwordProblem` says nothing */
export async function hashPassword(password: string, scheme: WrittenScheme): Promise<string> {
  const prepared = opaqueString(password)
  switch (scheme) {
    case 'argon2id': {
      const nonce = randomBytes(16)
      const tag = await hashArgon2('argon2id', { message: prepared, nonce, ...ARGON2 })
      return `{ARGON2ID}$argon2id$v=19$m=${ARGON2.memory},t=${ARGON2.passes},p=${ARGON2.parallelism}$${phc(nonce)}$${phc(tag)}`
    }
    case 'scrypt': {
      const salt = randomBytes(16)
      const key = await scryptKey({ scheme: 'scrypt', ...SCRYPT, salt, key: Buffer.alloc(32) }, prepared)
      return `{SCRYPT}$scrypt$ln=${SCRYPT.ln},r=${SCRYPT.blockSize},p=${SCRYPT.lanes}$${phc(salt)}$${phc(key)}`
    }
    case 'bcrypt': return `{BLF-CRYPT}${await bcrypt.hash(prepared, BCRYPT_COST)}`
    case 'sha512-crypt':
    case 'sha256-crypt': {
      const salt = randomBytes(12).toString('base64').replaceAll('+', '.')
      return `{${scheme.toUpperCase()}}$${scheme === 'sha512-crypt' ? 6 : 5}$rounds=${SHA_CRYPT_ROUNDS}$${salt}$${shaCrypt(scheme, prepared, { salt, rounds: SHA_CRYPT_ROUNDS })}`
    }
    case 'scram-sha-256': {
      const { iterations, salt, storedKey, serverKey } = await scramSecret(password, { salt: randomBytes(16), iterations: SCRAM_ITERATIONS })
      return `{SCRAM-SHA-256}${[iterations, ...[salt, storedKey, serverKey].map((part) => part.toString('base64'))].join(',')}`
    }
    case 'cram-md5': return `{CRAM-MD5}${hmacContexts(Buffer.from(prepared)).toString('hex')}`
  }
}

/** What of a password the scheme does not look at; undefined where it looks at all of it. */
export function schemeLimit(password: string, scheme: WrittenScheme): string | undefined {
  return scheme === 'bcrypt' && Buffer.byteLength(opaqueString(password)) > 72 ? 'bcrypt looks at the first 72 bytes only; choose another scheme, or a shorter password' : undefined
}

function phc(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
