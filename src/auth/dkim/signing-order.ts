/**
 * What is to be signed, and with what: the order that the signing engine takes
 * (RFC 6376 §3.5, §5; RFC 8301 §3; RFC 8463). Data only.
 */
import type { KeyObject } from 'node:crypto'

/** RFC 6376 §3.4 */
export type Canonicalization = 'simple' | 'relaxed'

/** RFC 8301 §3.1: rsa-sha1 is neither signed nor accepted. */
export type SigningAlgorithm = 'rsa-sha256' | 'ed25519-sha256'

/** A private key under the name that its public half is published at. */
export interface DkimKey {
  /** `d=`, lower case, A-labels */
  readonly domain: string
  /** `s=`, lower case */
  readonly selector: string
  readonly algorithm: SigningAlgorithm
  /** RSA of at least 2048 bits (1024 where the owner insists), or Ed25519 */
  readonly privateKey: KeyObject
}

export interface SigningOrder {
  readonly key: DkimKey
  readonly canonicalization: { readonly header: Canonicalization; readonly body: Canonicalization }
  /** `i=`; it lies under `d=`. Undefined: the tag is left out. */
  readonly identity: string | undefined
  /** names in lower case: every occurrence that is there is signed */
  readonly signedFields: readonly string[]
  /** names in lower case: named once more than they occur, so that none can be added (RFC 6376 §5.4) */
  readonly oversignedFields: readonly string[]
  /** `x=` this long after `t=`, seconds; undefined: no `x=` */
  readonly lifetimeSeconds: number | undefined
}
