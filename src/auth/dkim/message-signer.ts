/**
 * Signs a message while it passes (RFC 6376 §5, RFC 8301, RFC 8463): one pass
 * over its bytes for all signatures, of which only the header section is held,
 * until it is whole.
 *
 * What cannot be signed is `failed`, with the cause, and nothing of it is ever
 * signed wrongly: a header section that readers take differently (a CR or LF
 * that is no line end, a line that is no field, a fold before a colon, more
 * than the reader looks at), one without From, a key that does not fit its
 * algorithm or is refused. Throws for fields put on top that are no fields,
 * which is a mistake of the caller.
 */
import { createHash, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { HeaderSectionReader } from '../../message/header-section.ts'
import type { AnomalyKind, HeaderSection } from '../../message/header-section.ts'
import { BodyHashes } from './body-hash.ts'
import type { BodyHash } from './body-hash.ts'
import { canonicalField, canonicalSignature, fieldsByName, fieldsFor } from './canonical-header.ts'
import type { SignableField } from './canonical-header.ts'
import { signatureField, signatureStart } from './signature-text.ts'
import type { SigningAlgorithm, SigningOrder } from './signing-order.ts'

export type SigningOutcome =
  | {
      readonly status: 'signed'
      /** DKIM-Signature fields, each ended by CRLF, in the order of the orders */
      readonly fields: Buffer
      readonly signatures: readonly SignatureMade[]
    }
  /** there are no orders */
  | { readonly status: 'unsigned' }
  | Unsigned

/** A message whose fault it is can never be signed; with a key things may be otherwise in an hour. */
export interface Unsigned {
  readonly status: 'failed'
  readonly fault: 'message' | 'key'
  readonly cause: string
}

export interface SignatureMade {
  readonly domain: string
  readonly selector: string
  readonly algorithm: SigningAlgorithm
}

export interface SigningEnd {
  /** whole fields, topmost first, that are put on top of the message before it is signed */
  readonly above: readonly Buffer[]
  readonly now: Date
}

/** A verifier may stop at so many names (ours at 500). */
const MAX_SIGNED_FIELDS = 400
/** RFC 8301 §3.2: what a verifier must take. */
const MIN_RSA_BITS = 1024
const MAX_LINE_CHARACTERS = 998

export class MessageSigner {
  readonly #choose: (section: HeaderSection) => readonly SigningOrder[]
  #reader: HeaderSectionReader | null = new HeaderSectionReader()
  #fed = 0
  readonly #hashes = new BodyHashes()
  #works: readonly SignatureWork[] = []
  #trouble: string | undefined

  /** @param choose called once, synchronously, as soon as the header section is whole; [] = nothing is hashed any more */
  constructor(choose: (section: HeaderSection) => readonly SigningOrder[]) {
    this.#choose = choose
  }

  /** The message as it will be sent, in pieces of any size. A piece may be written over afterwards. */
  write(piece: Buffer): void {
    const reader = this.#reader
    if (reader === null) {
      if (this.#works.length > 0) this.#hashes.write(piece)
      return
    }
    const before = this.#fed
    this.#fed += piece.length
    if (!reader.feed(Buffer.from(piece))) return
    const bodyStart = this.#begin(reader)
    if (this.#works.length > 0) this.#hashes.write(piece.subarray(bodyStart - before))
  }

  async finish({ above, now }: SigningEnd): Promise<SigningOutcome> {
    if (this.#reader !== null) this.#begin(this.#reader)
    if (this.#trouble !== undefined) return { status: 'failed', fault: 'message', cause: this.#trouble }
    if (this.#works.length === 0) return { status: 'unsigned' }
    this.#hashes.end()
    const onTop = fieldsOnTop(above)
    const signedAt = Math.floor(now.getTime() / 1000)
    const fields: string[] = []
    const signatures: SignatureMade[] = []
    for (const work of this.#works) {
      const { order: { key: { domain, selector, algorithm } } } = work
      const made = await signatureOf(work, onTop, signedAt)
      if (made.status === 'failed') return { ...made, cause: `${selector}._domainkey.${domain}: ${made.cause}` }
      fields.push(made.field)
      signatures.push({ domain, selector, algorithm })
    }
    return { status: 'signed', fields: Buffer.from(fields.join(''), 'latin1'), signatures }
  }

  /** The header section is whole; returns where the body begins. */
  #begin(reader: HeaderSectionReader): number {
    this.#reader = null
    const section = reader.finish()
    const orders = this.#choose(section)
    if (orders.length === 0) return section.bodyStart
    this.#trouble = sectionTrouble(section)
    if (this.#trouble === undefined) {
      const fields = section.fields.map(({ key, raw }) => ({ key, text: raw.toString('latin1') }))
      this.#works = orders.map((order) => ({ order, fields: wantedFields(order, fields), bodyHash: this.#hashes.want(order.canonicalization.body) }))
    }
    return section.bodyStart
  }
}

interface SignatureWork {
  readonly order: SigningOrder
  /** those of the message that are signed, from its top to its bottom */
  readonly fields: readonly SignableField[]
  readonly bodyHash: () => BodyHash
}

const UNCLEAR: Readonly<Partial<Record<AnomalyKind, string>>> = {
  'bare-line-end': 'there is a CR or LF in it that is no line end',
  'leading-continuation': 'it begins with a line that continues no field',
  'not-a-field': 'there is a line in it that is no field',
}

/** Why a section means different things to its readers. */
function sectionTrouble(section: HeaderSection): string | undefined {
  if (section.truncated !== null) return `the header section cannot be signed: it has more ${section.truncated} than are looked at`
  for (const [kind, why] of Object.entries(UNCLEAR)) {
    const anomaly = section.anomalies.get(kind as AnomalyKind)
    if (anomaly !== undefined) return `the header section cannot be signed: ${why} (byte ${anomaly.offset})`
  }
  const folded = section.anomalies.has('space-before-colon') ? section.fields.find(({ raw }) => /^[^:\r\n]*[\r\n]/.test(raw.toString('latin1'))) : undefined
  return folded === undefined ? undefined : `the header section cannot be signed: there is a fold before a colon in it (byte ${folded.start})`
}

/** Names of an order, as sets; the same order serves many messages. */
interface Names {
  readonly signed: ReadonlySet<string>
  readonly over: ReadonlySet<string>
}

const known = new WeakMap<SigningOrder, Names>()

/** From is signed whatever an order says (RFC 6376 §5.4). */
function namesOf(order: SigningOrder): Names {
  const found = known.get(order)
  if (found !== undefined) return found
  const { signedFields, oversignedFields } = order
  const names = { signed: new Set(['from', ...signedFields, ...oversignedFields]), over: new Set(oversignedFields) }
  known.set(order, names)
  return names
}

function wantedFields(order: SigningOrder, fields: readonly SignableField[]): SignableField[] {
  const { signed } = namesOf(order)
  return fields.filter(({ key }) => signed.has(key))
}

/** Each name as often as it occurs, and once more where none may be added. */
function namesSigned(order: SigningOrder, fields: readonly SignableField[]): string[] {
  const counts = new Map<string, number>()
  for (const { key } of fields) counts.set(key, (counts.get(key) ?? 0) + 1)
  const { signed, over } = namesOf(order)
  const names: string[] = []
  for (const name of signed) for (let times = (counts.get(name) ?? 0) + (over.has(name) ? 1 : 0); times > 0; times--) names.push(name)
  return names
}

type Made = { readonly status: 'made'; readonly field: string } | Unsigned

async function signatureOf({ order, fields, bodyHash }: SignatureWork, onTop: readonly SignableField[], signedAt: number): Promise<Made> {
  const { key, canonicalization, identity, lifetimeSeconds } = order
  const all = [...onTop, ...fields]
  if (!all.some((field) => field.key === 'from')) return { status: 'failed', fault: 'message', cause: 'there is no From, which must be signed' }
  const trouble = keyTrouble(key.algorithm, key.privateKey)
  if (trouble !== undefined) return { status: 'failed', fault: 'key', cause: trouble }
  const fieldNames = namesSigned(order, all)
  if (fieldNames.length > MAX_SIGNED_FIELDS) return { status: 'failed', fault: 'message', cause: `${fieldNames.length} header fields to sign, at most ${MAX_SIGNED_FIELDS} are` }
  const start = signatureStart({
    algorithm: key.algorithm, canonicalization, domain: key.domain, selector: key.selector, identity, signedAt,
    expiresAt: lifetimeSeconds === undefined ? undefined : signedAt + lifetimeSeconds, fieldNames, bodyHash: bodyHash().digest,
  })
  if (start.split('\r\n').some((line) => line.length > MAX_LINE_CHARACTERS)) return { status: 'failed', fault: 'key', cause: `a line of the signature would be longer than ${MAX_LINE_CHARACTERS} characters` }
  const signed = fieldsFor(fieldNames, fieldsByName(all)).map((field) => canonicalField(canonicalization.header, field))
  signed.push(canonicalSignature(canonicalization.header, { key: 'dkim-signature', text: start }))
  const signature = await signatureBytes(key.algorithm, key.privateKey, Buffer.from(signed.join(''), 'latin1'))
  return typeof signature === 'string' ? { status: 'failed', fault: 'key', cause: signature } : { status: 'made', field: signatureField(start, signature) }
}

function keyTrouble(algorithm: SigningAlgorithm, key: KeyObject): string | undefined {
  const wanted = algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519'
  if (key.type !== 'private') return 'the key is not a private key'
  if (key.asymmetricKeyType !== wanted) return `a key of type ${String(key.asymmetricKeyType)} cannot sign ${algorithm}`
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  return wanted === 'rsa' && bits < MIN_RSA_BITS ? `an RSA key of ${bits} bits, of which a verifier takes at least ${MIN_RSA_BITS}` : undefined
}

/**
 * A longer key is left to a thread; up to this the event loop signs by itself.
 *
 * Measured on Node.js 24, two cores, 0.3 ms of other work a message: a signature
 * of 2048 bits takes 0.25 ms; by a thread 0.02 to 0.04 ms more, whether one
 * message comes after the other or twenty at once, and no message is done
 * earlier where each core has its worker. 4096 bits take 1.5 ms, in which
 * nothing else would move. Ed25519 takes 0.03 ms.
 */
const MAX_BITS_AT_ONCE = 2048

/** The signature, or why the key gave none. Nothing of the key is in it. */
async function signatureBytes(algorithm: SigningAlgorithm, key: KeyObject, data: Buffer): Promise<Buffer | string> {
  try {
    // RFC 8463 §3: Ed25519 signs the hash.
    if (algorithm === 'ed25519-sha256') return sign(null, createHash('sha256').update(data).digest(), key)
    if ((key.asymmetricKeyDetails?.modulusLength ?? 0) <= MAX_BITS_AT_ONCE) return sign('sha256', data, key)
    return await new Promise<Buffer>((resolve, reject) => sign('sha256', data, key, (error, signature) => {
      if (error === null) resolve(signature)
      else reject(error)
    }))
  } catch (error) {
    return `the key refuses to sign (${error instanceof Error && 'code' in error ? String(error.code) : 'no code'})`
  }
}

/** Fields put on top, as fields of the message. */
function fieldsOnTop(above: readonly Buffer[]): SignableField[] {
  return above.map((raw) => {
    const reader = new HeaderSectionReader()
    reader.feed(raw)
    const { fields: [field], anomalies } = reader.finish()
    if (field?.raw.length !== raw.length || !raw.subarray(-2).equals(LINE_END) || anomalies.has('bare-line-end') || anomalies.has('space-before-colon')) throw new TypeError('what is put on top of a message is not one whole field')
    return { key: field.key, text: raw.toString('latin1') }
  })
}

const LINE_END = Buffer.from('\r\n')
