/**
 * The body hashes of one message (RFC 6376 §3.7) for everything that is signed
 * in it, in one pass: one canonicaliser for each canonicalisation that is
 * wanted, one SHA-256 for each length of it. Nothing of the body is held but
 * what a hash is fed at a time. Nothing throws.
 */
import { createHash } from 'node:crypto'
import { bodyCanonicalizer } from './canonical-body.ts'
import type { BodyCanonicalizer, BodySink } from './canonical-body.ts'
import type { Canonicalization } from './signing-order.ts'

export interface BodyHash {
  /** base64 */
  readonly digest: string
  /** octets of the canonical body that are hashed, and that there are */
  readonly hashed: number
  readonly total: number
}

export class BodyHashes {
  readonly #wanted = new Map<string, LengthHash>()
  readonly #bodies = new Map<Canonicalization, { readonly sink: HashSink; readonly body: BodyCanonicalizer }>()

  /**
   * Before the first byte of the body; the same twice is hashed once.
   * @param limit `l=`: octets of the canonical body; undefined: all
   * @returns gives the hash when the body has ended
   */
  want(canonicalization: Canonicalization, limit?: number): () => BodyHash {
    const name = `${canonicalization} ${limit ?? 'all'}`
    let hash = this.#wanted.get(name)
    if (hash === undefined) {
      hash = new LengthHash(limit ?? Infinity)
      this.#wanted.set(name, hash)
      this.#sinkOf(canonicalization).add(hash)
    }
    const found = hash
    return () => found.result()
  }

  /** whether anything is hashed */
  get wanted(): boolean {
    return this.#bodies.size > 0
  }

  write(piece: Uint8Array): void {
    for (const { body } of this.#bodies.values()) body.write(piece)
  }

  end(): void {
    for (const { sink, body } of this.#bodies.values()) {
      body.end()
      sink.end()
    }
  }

  #sinkOf(canonicalization: Canonicalization): HashSink {
    let found = this.#bodies.get(canonicalization)
    if (found === undefined) {
      const sink = new HashSink()
      found = { sink, body: bodyCanonicalizer(canonicalization, sink) }
      this.#bodies.set(canonicalization, found)
    }
    return found.sink
  }
}

/** A call of a hash takes as long as hashing some hundred bytes: less than that is gathered. */
const SMALL_BYTES = 512
const GATHERED_BYTES = 2048

/** Spreads the canonical body over the hashes of each length. */
class HashSink implements BodySink {
  readonly #hashes: LengthHash[] = []
  #gathered: Buffer | undefined
  #length = 0

  add(hash: LengthHash): void {
    this.#hashes.push(hash)
  }

  write(bytes: Uint8Array): void {
    if (bytes.length >= SMALL_BYTES) {
      this.#flush()
      this.#update(bytes)
      return
    }
    this.#gathered ??= Buffer.allocUnsafe(GATHERED_BYTES)
    if (this.#length + bytes.length > GATHERED_BYTES) this.#flush()
    if (bytes.length === 1) this.#gathered[this.#length] = bytes[0] ?? 0
    else this.#gathered.set(bytes, this.#length)
    this.#length += bytes.length
  }

  end(): void {
    this.#flush()
  }

  #flush(): void {
    if (this.#length === 0 || this.#gathered === undefined) return
    this.#update(this.#gathered.subarray(0, this.#length))
    this.#length = 0
  }

  #update(bytes: Uint8Array): void {
    for (const hash of this.#hashes) hash.update(bytes)
  }
}

class LengthHash {
  readonly #limit: number
  readonly #hash = createHash('sha256')
  #total = 0
  #result: BodyHash | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  update(bytes: Uint8Array): void {
    const room = this.#limit - this.#total
    this.#total += bytes.length
    if (room >= bytes.length) this.#hash.update(bytes)
    else if (room > 0) this.#hash.update(bytes.subarray(0, room))
  }

  result(): BodyHash {
    this.#result ??= { digest: this.#hash.digest('base64'), hashed: Math.min(this.#limit, this.#total), total: this.#total }
    return this.#result
  }
}
