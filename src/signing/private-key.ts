/**
 * A private key out of the text of its file, fit to sign mail: RSA of 2048 to
 * 4096 bits (RFC 8301 §3.2) or Ed25519 (RFC 8463), in PEM form (PKCS#1 or
 * PKCS#8), or the base64 of an Ed25519 seed, as dkimpy writes it. Everything
 * else is refused with a reason that holds no part of the text. Nothing throws.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { SigningAlgorithm } from '../auth/dkim/signing-order.ts'

export interface PrivateKey {
  readonly privateKey: KeyObject
  readonly algorithm: SigningAlgorithm
  readonly bits: number
  /** the `p=` of its record: base64 of SubjectPublicKeyInfo for RSA (RFC 6376 §3.6.1), of the 32 bytes for Ed25519 (RFC 8463 §4.2) */
  readonly publicData: string
}

export interface Refusal {
  readonly status: 'refused'
  readonly problem: string
  readonly allowed: string
}

export type KeyReading = { readonly status: 'read'; readonly key: PrivateKey } | Refusal

export const MIN_RSA_BITS = 2048
/** RFC 8301 §3.2: verifiers need not know longer ones. */
export const MAX_RSA_BITS = 4096
export const KEY_ALLOWED = `an RSA key of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits or an Ed25519 key, in PEM form (PKCS#8 or PKCS#1), without a passphrase`

/** PrivateKeyInfo of an Ed25519 key (RFC 8410 §7) up to its 32 bytes. */
const ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SEED = /^\s*[A-Za-z0-9+/]{43}=\s*$/

/** @param minRsaBits 1024 where an installation of before is taken over (RFC 8301 §3.2: the least that signers may use) */
export function readPrivateKey(text: string, minRsaBits: number = MIN_RSA_BITS): KeyReading {
  if (SEED.test(text)) return checked(seedKey(text))
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----/g)].map(([, label = '']) => label)
  const label = blocks.find((one) => one.endsWith('PRIVATE KEY'))
  if (label === undefined) return refused(blocks.length === 0 ? 'holds no PEM key' : `holds no private key, but ${blocks[0]?.toLowerCase() ?? ''}`)
  if (label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type:.*ENCRYPTED/m.test(text)) return refused('has a passphrase, which nobody could give at a restart')
  if (label === 'OPENSSH PRIVATE KEY') return refused('is in the form of OpenSSH')
  const key = parse(text.slice(text.indexOf(`-----BEGIN ${label}-----`)))
  return key === undefined ? refused('holds a private key that cannot be read') : checked(key, minRsaBits)
}

/** A key as OpenDKIM's KeyTable may hold it: base64 of DER, without armour. */
export function readBareKey(base64: string): KeyReading {
  const der = Buffer.from(base64, 'base64')
  for (const type of ['pkcs1', 'pkcs8'] as const) {
    const key = parse({ key: der, format: 'der', type })
    if (key !== undefined) return checked(key)
  }
  return refused('is neither the path of a key (which begins with /, ./ or ../) nor a key in base64')
}

export function isPublicKeyOnly(text: string): boolean {
  return /-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(text) && !text.includes('PRIVATE KEY-----')
}

function seedKey(text: string): KeyObject {
  return createPrivateKey({ key: Buffer.concat([ED25519_PREFIX, Buffer.from(text.trim(), 'base64')]), format: 'der', type: 'pkcs8' })
}

function parse(input: Parameters<typeof createPrivateKey>[0]): KeyObject | undefined {
  try {
    return createPrivateKey(input)
  } catch {
    // OpenSSL's reasons tell an operator nothing; that it cannot be read is the outcome.
    return undefined
  }
}

function checked(privateKey: KeyObject, minRsaBits = MIN_RSA_BITS): KeyReading {
  const type = privateKey.asymmetricKeyType
  if (type === 'ed25519') return { status: 'read', key: { privateKey, algorithm: 'ed25519-sha256', bits: 256, publicData: publicDataOf(privateKey) } }
  if (type !== 'rsa') return refused(`holds a key of the kind ${type ?? 'unknown'}`)
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < 1024) return refused(`holds an RSA key of ${bits} bits, which receivers must not accept (RFC 8301)`)
  if (bits < minRsaBits) return refused(`holds an RSA key of ${bits} bits, which is too weak to sign with (RFC 8301): make a new one with "postern dkim keygen"`)
  if (bits > MAX_RSA_BITS) return refused(`holds an RSA key of ${bits} bits, which receivers need not know (RFC 8301)`)
  return { status: 'read', key: { privateKey, algorithm: 'rsa-sha256', bits, publicData: publicDataOf(privateKey) } }
}

/** @param key private or public */
export function publicDataOf(key: KeyObject): string {
  const der = (key.type === 'public' ? key : createPublicKey(key)).export({ format: 'der', type: 'spki' })
  // RFC 8463 §4.2: the bytes alone, which are the last 32.
  return (key.asymmetricKeyType === 'ed25519' ? der.subarray(-32) : der).toString('base64')
}

function refused(problem: string): Refusal {
  return { status: 'refused', problem, allowed: KEY_ALLOWED }
}
