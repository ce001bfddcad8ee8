/**
 * One signature of a message, from its field to its verdict (RFC 6376 §6.1;
 * words by RFC 8601 §2.7.1). The key is asked for when the check is made, and
 * comes while the body is hashed. Never rejects.
 */
import { createHash, verify } from 'node:crypto'
import type { Resolver } from '../../dns/resolver.ts'
import type { BodyHash, BodyHashes } from './body-hash.ts'
import { canonicalField, canonicalSignature, fieldsFor } from './canonical-header.ts'
import type { FieldsByName, SignableField } from './canonical-header.ts'
import type { PublicKey } from './key-record.ts'
import { keyOf } from './key-source.ts'
import type { KeyAnswer } from './key-source.ts'
import { readSignature, withoutPadding } from './signature.ts'
import type { ReadSignature, Signature, SignatureForm, SignatureKind } from './signature.ts'

export interface Verdict {
  readonly status: 'pass' | 'fail' | 'neutral' | 'policy' | 'temperror'
  /** why it does not pass; '' where it does */
  readonly cause: string
  /** null where it was not needed, or is none */
  readonly key: PublicKey | null
  /** l=, where it limits the body */
  readonly bodyLength: { readonly signed: number; readonly total: number } | null
}

export interface CheckedSignature {
  readonly read: ReadSignature
  /** when the body has been hashed */
  verdict(): Promise<Verdict>
}

export interface CheckGround {
  readonly resolver: Resolver
  readonly now: Date
  readonly hashes: BodyHashes
  readonly fields: FieldsByName
}

export function checkSignature(field: SignableField, kind: SignatureKind, ground: CheckGround): CheckedSignature {
  const read = readSignature(field, kind)
  const { reading } = read
  if (reading.status !== 'valid') {
    const status = reading.status === 'weak' ? 'policy' : 'neutral'
    return { read, verdict: () => Promise.resolve({ status, cause: reading.cause, key: null, bodyLength: null }) }
  }
  const check = new SignatureCheck(reading.signature, ground)
  return { read, verdict: () => check.verdict() }
}

class SignatureCheck {
  readonly #signature: Signature
  readonly #ground: CheckGround
  readonly #key: Promise<KeyAnswer>
  readonly #forms: readonly { readonly form: SignatureForm; readonly bodyHash: () => BodyHash }[]

  constructor(signature: Signature, ground: CheckGround) {
    this.#signature = signature
    this.#ground = ground
    this.#forms = signature.forms.map((form) => ({ form, bodyHash: ground.hashes.want(form.body, signature.bodyLimit) }))
    this.#key = keyOf(signature, ground.resolver)
  }

  async verdict(): Promise<Verdict> {
    let first: Verdict | undefined
    for (const { form, bodyHash } of this.#forms) {
      const { digest, hashed, total } = bodyHash()
      const bodyLength = this.#signature.bodyLimit === undefined ? null : { signed: hashed, total }
      const found = { ...await this.#verdictOf(form, { digest, hashed, total }), bodyLength }
      if (found.status === 'pass') return found
      first ??= found
    }
    if (first === undefined) throw new Error('a signature without a form')
    return first
  }

  async #verdictOf(form: SignatureForm, { digest, total }: BodyHash): Promise<Omit<Verdict, 'bodyLength'>> {
    const { bodyHash, bodyLimit = 0, identityDomain, domain } = this.#signature
    if (bodyLimit > total) return { status: 'fail', cause: `the body has ${total} octets, l= says ${bodyLimit}`, key: null }
    if (withoutPadding(digest) !== bodyHash) return { status: 'fail', cause: 'body hash did not verify', key: null }
    const key = await this.#key
    if (key.status !== 'key') return { status: key.status, cause: key.cause, key: null }
    if (key.strict && identityDomain !== domain) return { status: 'neutral', cause: 'domain mismatch', key }
    const verified = this.#verifies(form, key)
    if (verified === 'unusable') return { status: 'neutral', cause: 'the key cannot be used', key: null }
    if (verified === 'no') return { status: 'fail', cause: 'bad signature', key }
    const { expiresAt = Infinity } = this.#signature
    return expiresAt < this.#ground.now.getTime() / 1000 ? { status: 'neutral', cause: 'expired', key } : { status: 'pass', cause: '', key }
  }

  #verifies({ header }: SignatureForm, { type, object }: PublicKey): 'yes' | 'no' | 'unusable' {
    const { fieldNames, own, bytes } = this.#signature
    const lines = fieldsFor(fieldNames, this.#ground.fields).map((field) => canonicalField(header, field))
    lines.push(canonicalSignature(header, own))
    const data = Buffer.from(lines.join(''), 'latin1')
    try {
      // RFC 8463 §3: Ed25519 signs the hash.
      const good = type === 'rsa' ? verify('sha256', data, object, bytes) : verify(null, createHash('sha256').update(data).digest(), object, bytes)
      return good ? 'yes' : 'no'
    } catch {
      // A key that could be read and is none all the same: only the attempt shows it.
      return 'unusable'
    }
  }
}
