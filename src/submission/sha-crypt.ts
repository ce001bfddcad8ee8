/**
 * SHA256-CRYPT and SHA512-CRYPT, crypt(3)'s `$5$` and `$6$`, after "Unix crypt
 * using SHA-256 and SHA-512" (Ulrich Drepper, version 0.6, 2016); the steps
 * are numbered as there. Takes milliseconds and more, and blocks: for a thread
 * of its own.
 */
import { hash as digest } from 'node:crypto'

export type ShaCryptScheme = 'sha256-crypt' | 'sha512-crypt'

export const SHA_CRYPT_DEFAULT_ROUNDS = 5000
export const SHA_CRYPT_MIN_ROUNDS = 1000
export const SHA_CRYPT_MAX_SALT = 16

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

const VARIANTS = {
  'sha256-crypt': { name: 'sha256', bytes: 32, turn: 2, triples: 10, rest: [31, 30] },
  'sha512-crypt': { name: 'sha512', bytes: 64, turn: 1, triples: 21, rest: [63] },
} as const

/**
 * The last part of the crypt string.
 *
 * @param salt at most 16 bytes; what is longer is cut, as the specification has it
 * @param rounds within what the specification allows
 */
export function shaCrypt(scheme: ShaCryptScheme, password: string, { salt, rounds }: { readonly salt: string; readonly rounds: number }): string {
  const { name, bytes } = VARIANTS[scheme]
  const sha = (...parts: readonly Buffer[]): Buffer => digest(name, Buffer.concat(parts), 'buffer')
  const key = Buffer.from(password, 'utf8')
  const saltBytes = Buffer.from(salt, 'utf8').subarray(0, SHA_CRYPT_MAX_SALT)
  // 4 to 8
  const b = sha(key, saltBytes, key)
  // 1 to 3, 9 to 12
  const parts = [key, saltBytes, repeated(b, key.length)]
  for (let left = key.length; left > 0; left >>= 1) parts.push(left & 1 ? b : key)
  let a = sha(...parts)
  // 13 to 16
  const p = repeated(sha(repeated(key, key.length * key.length)), key.length)
  // 17 to 20
  const s = repeated(sha(repeated(saltBytes, saltBytes.length * (16 + (a[0] ?? 0)))), saltBytes.length)
  // 21; one buffer for all rounds, for there are many
  const round = Buffer.alloc(2 * (bytes + key.length) + saltBytes.length)
  for (let i = 0; i < rounds; i++) {
    let at = (i & 1 ? p : a).copy(round, 0)
    if (i % 3 !== 0) at += s.copy(round, at)
    if (i % 7 !== 0) at += p.copy(round, at)
    at += (i & 1 ? a : p).copy(round, at)
    a = digest(name, round.subarray(0, at), 'buffer')
  }
  return encoded(a, scheme)
}

function repeated(from: Buffer, length: number): Buffer {
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, from)
}

/** 22: three bytes of the digest, a third of it apart, are four characters; which of them is first goes round. */
function encoded(bytes: Buffer, scheme: ShaCryptScheme): string {
  const { turn, triples, rest } = VARIANTS[scheme]
  let text = ''
  for (let i = 0; i < triples; i++) {
    text += characters([0, 1, 2].map((k) => bytes[i + ((k + i * turn) % 3) * triples] ?? 0), 4)
  }
  return text + characters(rest.map((at) => bytes[at] ?? 0), rest.length + 1)
}

function characters(bytes: readonly number[], count: number): string {
  let value = bytes.reduce((sum, byte) => (sum << 8) | byte, 0)
  let text = ''
  for (let i = 0; i < count; i++, value >>= 6) text += ALPHABET[value & 63] ?? ''
  return text
}
