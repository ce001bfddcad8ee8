/**
 * Reads a key record (RFC 6376 §3.6.1, §6.1.2; RFC 8301 §3.2; RFC 8463 §4).
 * What a record says follows from its text alone, so readings are remembered by
 * it: to make a key of one takes longer than to verify with it. Bounded by the
 * number of records and by their length. Nothing throws.
 *
 * Keys that are too weak, or so large that a stranger could keep us busy with
 * them, are `policy`; whatever else is of no use is `neutral`, with the cause
 * in a few words.
 */
import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { colonList, parseTagList, withoutSpace } from './tag-list.ts'
import type { Tag } from './tag-list.ts'

export interface PublicKey {
  readonly status: 'key'
  readonly type: 'rsa' | 'ed25519'
  readonly object: KeyObject
  /** of the modulus; 256 for Ed25519 */
  readonly bits: number
  /** t=y: the owner is testing */
  readonly testing: boolean
  /** t=s: the domain of i= must be that of d= */
  readonly strict: boolean
}

export interface NoKey {
  readonly status: 'neutral' | 'policy'
  readonly cause: string
}

/** RFC 8301 §3.2: less must not be taken. */
export const MIN_RSA_BITS = 1024
/** RFC 8301 §3.2 wants 4096. Verifying takes time in the square of the bits. */
export const MAX_RSA_BITS = 8192
/** In use are 3 and 65537; a long one makes verifying as slow as signing. */
const MAX_RSA_EXPONENT = 2n ** 33n

const MAX_RECORD_CHARACTERS = 16 * 1024
/** An RSA key of 4096 bits has 750; whoever has more is read each time. */
const MAX_REMEMBERED_CHARACTERS = 2000
const MAX_REMEMBERED = 1000
const remembered = new Map<string, PublicKey | NoKey>()

/** @param text the strings of the record, joined */
export function readKeyRecord(text: string): PublicKey | NoKey {
  const known = remembered.get(text)
  if (known !== undefined) return known
  const made = read(text)
  if (text.length <= MAX_REMEMBERED_CHARACTERS) {
    // They come back with the next messages: no need to know which was used last.
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(text, made)
  }
  return made
}

/**
 * The record to read where a selector has several. RFC 6376 §6.1.2 leaves the
 * choice to the verifier: the first that is a key of the wanted type, otherwise
 * the first that is a key at all.
 */
export function chooseRecord(texts: readonly string[], type: PublicKey['type']): string {
  if (texts.length < 2) return texts[0] ?? ''
  const keys = texts.map((text) => ({ text, tags: text.length <= MAX_RECORD_CHARACTERS ? parseTagList(text).tags : NO_TAGS })).filter(({ tags }) => tags.has('p'))
  return (keys.find(({ tags }) => (tags.get('k')?.value.toLowerCase() ?? 'rsa') === type) ?? keys[0])?.text ?? texts[0] ?? ''
}

const NO_TAGS: ReadonlyMap<string, Tag> = new Map()

function read(text: string): PublicKey | NoKey {
  if (text.length > MAX_RECORD_CHARACTERS) return neutral('invalid public key')
  const { tags, first, fault } = parseTagList(text)
  const list = (name: string): string[] | undefined => { const tag = tags.get(name); return tag === undefined ? undefined : colonList(tag.value) }
  const version = tags.get('v')
  if (version !== undefined && (version.value !== 'DKIM1' || first !== 'v')) return neutral('unknown key version')
  if (fault !== null) return neutral('invalid public key')
  const type = (tags.get('k')?.value ?? 'rsa').toLowerCase()
  if (type !== 'rsa' && type !== 'ed25519') return neutral('unknown key type')
  const hashes = list('h')
  if (hashes !== undefined && !hashes.includes('sha256')) return neutral('inappropriate hash algorithm')
  const services = list('s')
  if (services !== undefined && !services.some((service) => service === '*' || service === 'email')) return neutral('key not for email')
  const data = tags.get('p')
  if (data === undefined) return neutral('invalid public key')
  const base64 = withoutSpace(data.value)
  if (base64 === '') return neutral('key revoked')
  const flags = list('t') ?? []
  return publicKey(base64, { type, testing: flags.includes('y'), strict: flags.includes('s') })
}

function neutral(cause: string): NoKey {
  return { status: 'neutral', cause }
}

function publicKey(base64: string, { type, testing, strict }: Pick<PublicKey, 'type' | 'testing' | 'strict'>): PublicKey | NoKey {
  const bytes = Buffer.from(base64, 'base64')
  const object = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? (type === 'ed25519' ? ed25519Key(bytes) : rsaKey(bytes)) : undefined
  if (object?.asymmetricKeyType !== type) return neutral('invalid public key')
  if (type === 'ed25519') return { status: 'key', type, object, bits: 256, testing, strict }
  const { modulusLength: bits = 0, publicExponent: exponent = 0n } = object.asymmetricKeyDetails ?? {}
  if (bits < MIN_RSA_BITS) return { status: 'policy', cause: 'weak-key' }
  if (bits > MAX_RSA_BITS) return { status: 'policy', cause: `a key of ${bits} bits, at most ${MAX_RSA_BITS} are verified with` }
  if (exponent > MAX_RSA_EXPONENT) return { status: 'policy', cause: 'a public exponent of more than 33 bits' }
  return { status: 'key', type, object, bits, testing, strict }
}

/** SubjectPublicKeyInfo of RFC 8410 §4 before the bytes of the key, which stand alone in a record (RFC 8463 §4.2). */
const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

function ed25519Key(bytes: Buffer): KeyObject | undefined {
  return bytes.length === 32 ? keyOf({ key: Buffer.concat([ED25519_PREFIX, bytes]), format: 'der', type: 'spki' }) : undefined
}

/** In use are SubjectPublicKeyInfo, and the RSAPublicKey that RFC 6376 §3.6.1 names. */
function rsaKey(key: Buffer): KeyObject | undefined {
  return keyOf({ key, format: 'der', type: 'spki' }) ?? keyOf({ key, format: 'der', type: 'pkcs1' })
}

function keyOf(from: { readonly key: Buffer; readonly format: 'der'; readonly type: 'spki' | 'pkcs1' }): KeyObject | undefined {
  try {
    return createPublicKey(from)
  } catch {
    // Not such a structure: there is no other way to ask.
    return undefined
  }
}
