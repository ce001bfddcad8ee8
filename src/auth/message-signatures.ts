/**
 * One pass over a message for all that is signed in it: DKIM-Signatures (RFC
 * 6376) and the newest ARC-Message-Signature (RFC 8617 §5.2 step 4), by our own
 * engine (dkim/). dkim.ts and arc.ts make results of what is found. The keys
 * are asked for while the body is read; where nothing is signed the body is not
 * read at all.
 *
 * A stranger decides how much of everything there is. Bounded are the header
 * section (by its reader), the signatures (the topmost ten), the ARC header
 * fields (150: fifty sets) and each of these fields (16 KiB, 500 colons, 256
 * octets of white space in a row). The body takes time in proportion to its
 * length whatever is in it, and no memory.
 *
 * A line that is no field belongs to the field above it, as in a mail client
 * that shows it there: so none can be put in behind a signed field. A message
 * that cannot be read (the spool's I/O) is `unreadable`; one whose header
 * section readers take differently, or that is too large, is `refused`. Nothing
 * throws.
 */
import type { Resolver } from '../dns/resolver.ts'
import { HeaderSectionReader, MAX_HEADER_BYTES, MAX_HEADER_FIELDS } from '../message/header-section.ts'
import type { HeaderSection } from '../message/header-section.ts'
import type { StoredMessage } from '../message/message.ts'
import { BodyHashes } from './dkim/body-hash.ts'
import { fieldsByName } from './dkim/canonical-header.ts'
import type { SignableField } from './dkim/canonical-header.ts'
import { checkSignature } from './dkim/signature-check.ts'
import type { CheckGround, CheckedSignature, Verdict } from './dkim/signature-check.ts'
import type { ReadSignature } from './dkim/signature.ts'
import { mailauth } from './mailauth-library.ts'
import type { ArcSet } from './mailauth-library.ts'
import { thrownText } from './stranger-text.ts'

/** A message whose bytes can be read, with CRLF line ends; and its header section, where that was read already. */
export type ReadableMessage = Pick<StoredMessage, 'chunks'> & Partial<Pick<StoredMessage, 'memory'>> & { readonly section?: HeaderSection }

export const MAX_SIGNATURES = 10
export const MAX_ARC_SETS = 50
export const MAX_SIGNATURE_FIELD_BYTES = 16 * 1024
const MAX_COLONS = 500
const MAX_WHITE_SPACE = 256
const TOO_MUCH_SPACE = new RegExp(`\\s{${MAX_WHITE_SPACE + 1}}`)

const ARC_FIELDS: ReadonlySet<string> = new Set(['arc-seal', 'arc-message-signature', 'arc-authentication-results'])

export interface VerifiedSignature {
  readonly read: ReadSignature
  readonly verdict: Verdict
}

/** A chain whose structure is right, and what its newest message signature is worth; its seals have still to be verified. */
export interface ArcChain {
  /** by their instance, from 1 */
  readonly sets: readonly ArcSet[]
  readonly newest: ArcSet
  readonly signature: Verdict
}

export type SignatureReading =
  | {
      readonly status: 'read'
      /** the DKIM-Signatures that were looked at, topmost first */
      readonly signatures: readonly VerifiedSignature[]
      /** why those that were not evaluated were not, one sentence each */
      readonly rejected: readonly string[]
      /** how many more there are than are looked at */
      readonly unexamined: number
      /** null where there are no ARC header fields; a sentence where they make no chain */
      readonly arc: ArcChain | string | null
    }
  | { readonly status: 'refused' | 'unreadable'; readonly cause: string }

/** @param resolver asks each question once (`askingOnce`) */
export async function readSignatures(message: ReadableMessage, resolver: Resolver, now: Date): Promise<SignatureReading> {
  const reader = new SignatureReader(message.section, resolver, now)
  if (message.memory !== undefined && message.memory !== null) {
    for (const piece of message.memory) if (reader.write(piece) === 'enough') break
    return reader.finish()
  }
  const chunks = message.chunks()[Symbol.asyncIterator]()
  for (;;) {
    const next = await nextChunk(chunks)
    if (next === null) return reader.finish()
    if (typeof next === 'string') return { status: 'unreadable', cause: `the message could not be read: ${next}` }
    if (reader.write(next) === 'enough') {
      await chunks.return?.()
      return reader.finish()
    }
  }
}

/** The next chunk, null at the end, or why there is none. */
async function nextChunk(chunks: AsyncIterator<Buffer>): Promise<Buffer | string | null> {
  try {
    const next = await chunks.next()
    return next.done === true ? null : next.value
  } catch (error) {
    return thrownText(error)
  }
}

/** What the header section says is to be verified. */
interface Plan {
  readonly signatures: readonly CheckedSignature[]
  readonly rejected: readonly string[]
  readonly unexamined: number
  readonly arc: { readonly sets: readonly ArcSet[]; readonly newest: ArcSet; readonly signature: CheckedSignature } | string | null
}

class SignatureReader {
  readonly #resolver: Resolver
  readonly #now: Date
  readonly #section: HeaderSection | undefined
  readonly #header = new HeaderSectionReader()
  readonly #pieces: Buffer[] = []
  #fed = 0
  readonly #hashes = new BodyHashes()
  #plan: Plan | undefined
  #refused: string | undefined

  constructor(section: HeaderSection | undefined, resolver: Resolver, now: Date) {
    this.#section = section
    this.#resolver = resolver
    this.#now = now
  }

  write(piece: Buffer): 'more' | 'enough' {
    if (this.#plan !== undefined) {
      this.#hashes.write(piece)
      return 'more'
    }
    const before = this.#fed
    this.#fed += piece.length
    this.#pieces.push(piece)
    if (this.#section === undefined ? !this.#header.feed(piece) : this.#fed < this.#section.bodyStart) return 'more'
    const bodyStart = this.#begin()
    if (this.#refused !== undefined || !this.#hashes.wanted) return 'enough'
    this.#hashes.write(piece.subarray(bodyStart - before))
    return 'more'
  }

  async finish(): Promise<SignatureReading> {
    if (this.#plan === undefined && this.#refused === undefined) this.#begin()
    if (this.#plan === undefined) return { status: 'refused', cause: this.#refused ?? '' }
    this.#hashes.end()
    const { signatures, rejected, unexamined, arc } = this.#plan
    return {
      status: 'read', rejected, unexamined,
      signatures: await Promise.all(signatures.map(async (one) => ({ read: one.read, verdict: await one.verdict() }))),
      arc: arc === null || typeof arc === 'string' ? arc : { sets: arc.sets, newest: arc.newest, signature: await arc.signature.verdict() },
    }
  }

  /** The header section is whole; returns where the body begins. */
  #begin(): number {
    const section = this.#section ?? this.#header.finish()
    this.#refused = sectionTrouble(section)
    if (this.#refused === undefined) this.#plan = this.#planOf(signableFields(section, this.#pieces))
    this.#pieces.length = 0
    return section.bodyStart
  }

  #planOf(fields: readonly SignableField[]): Plan {
    const ground: CheckGround = { resolver: this.#resolver, now: this.#now, hashes: this.#hashes, fields: fieldsByName(fields) }
    const present = fields.filter(({ key }) => key === 'dkim-signature')
    const examined = present.slice(0, MAX_SIGNATURES)
    const rejected: string[] = []
    const signatures: CheckedSignature[] = []
    for (const field of examined) {
      const trouble = fieldTrouble(field)
      if (trouble === null) signatures.push(checkSignature(field, 'dkim', ground))
      else rejected.push(trouble)
    }
    return { signatures, rejected, unexamined: present.length - examined.length, arc: arcPlan(fields.filter(({ key }) => ARC_FIELDS.has(key)), ground) }
  }
}

function arcPlan(fields: readonly SignableField[], ground: CheckGround): Plan['arc'] {
  if (fields.length === 0) return null
  if (fields.length > 3 * MAX_ARC_SETS) return `more than ${MAX_ARC_SETS} ARC sets`
  const trouble = fields.map(fieldTrouble).find((one) => one !== null)
  if (trouble !== undefined) return trouble
  try {
    const sets = mailauth().getARChain({ parsed: fields.map(({ key, text }) => ({ key, line: Buffer.from(text.replace(/\r\n$/, ''), 'latin1') })) }, { strict: true })
    const newest = sets === false ? undefined : sets.at(-1)
    if (sets === false || newest === undefined) return 'there is no set in the chain'
    const field = { key: 'arc-message-signature', text: newest['arc-message-signature'].original.toString('latin1') }
    return { sets, newest, signature: checkSignature(field, 'arc', ground) }
  } catch (error) {
    return thrownText(error)
  }
}

function sectionTrouble({ truncated, anomalies }: HeaderSection): string | undefined {
  if (truncated === 'bytes') return `the header section is larger than ${MAX_HEADER_BYTES} bytes`
  if (truncated === 'fields') return `the header section has more than ${MAX_HEADER_FIELDS} fields`
  // Its reader and a mail client could disagree on where a field ends.
  return anomalies.has('bare-line-end') ? 'the header section has a CR or LF that is not a line end' : undefined
}

/** Each field up to the next one. */
function signableFields({ fields, end, anomalies }: HeaderSection, pieces: readonly Buffer[]): SignableField[] {
  if (!anomalies.has('not-a-field')) return fields.map(({ key, raw }) => ({ key, text: raw.toString('latin1') }))
  const text = Buffer.concat(pieces).toString('latin1', 0, end)
  return fields.map(({ key, start }, i) => ({ key, text: text.slice(start, fields[i + 1]?.start) }))
}

/** Why a field is not parsed, null where it is: parsing takes time in the square of its white space, verifying in that of its names. */
function fieldTrouble({ text }: SignableField): string | null {
  if (text.length > MAX_SIGNATURE_FIELD_BYTES) return `a field of ${text.length} bytes, at most ${MAX_SIGNATURE_FIELD_BYTES} are looked at`
  if (text.split(':').length - 1 > MAX_COLONS) return `a field with more than ${MAX_COLONS} names`
  if (TOO_MUCH_SPACE.test(text)) return `a field with more than ${MAX_WHITE_SPACE} octets of white space in a row`
  return null
}
