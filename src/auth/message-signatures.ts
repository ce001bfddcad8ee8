/**
 * One pass over a message for all that is signed in it: DKIM-Signatures (RFC
 * 6376) and the newest ARC-Message-Signature (RFC 8617), with mailauth's
 * verifier in strict mode. dkim.ts and arc.ts make results of what is found.
 *
 * mailauth's verifier class is not part of its documented interface; it is
 * extended because a stranger decides how much of everything there is. Bounded
 * are the signatures (the topmost ten), the ARC header fields (150: fifty sets)
 * and each of these fields (16 KiB, 500 colons, 256 octets of white space in a
 * row). The keys are asked for while the body is still being read.
 *
 * A message that cannot be read (the spool's I/O) is `unreadable`; one that
 * message-feed.ts refuses is `refused`. Nothing throws.
 */
import type { StoredMessage } from '../message/message.ts'
import { KeyMemory } from './key-memory.ts'
import { MIN_RSA_BITS, mailauth } from './mailauth-library.ts'
import type { ArcData, DkimVerifier, HeaderRow, KeyCache, LibrarySignatureResult, ParsedHeaders, SignatureHeader } from './mailauth-library.ts'
import type { MailauthResolve, RecordingResolver } from './mailauth-resolver.ts'
import { MessageFeed } from './message-feed.ts'
import { thrownText } from './stranger-text.ts'

/** A message whose bytes can be read, with CRLF line ends. */
export type ReadableMessage = Pick<StoredMessage, 'chunks'>

export const MAX_SIGNATURES = 10
export const MAX_ARC_SETS = 50
export const MAX_SIGNATURE_FIELD_BYTES = 16 * 1024
const MAX_COLONS = 500
const MAX_WHITE_SPACE = 256
const TOO_MUCH_SPACE = new RegExp(`\\s{${MAX_WHITE_SPACE + 1}}`)

const ARC_FIELDS: ReadonlySet<string | null> = new Set(['arc-seal', 'arc-message-signature', 'arc-authentication-results'])

export interface VerifiedSignature {
  readonly header: SignatureHeader
  readonly result: LibrarySignatureResult
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
      /** null where there are no ARC header fields; a sentence where there are too many or too large ones */
      readonly arc: ArcData | string | null
    }
  | { readonly status: 'refused' | 'unreadable' | 'failed'; readonly cause: string }

export async function readSignatures(message: ReadableMessage, asked: RecordingResolver, now: Date): Promise<SignatureReading> {
  try {
    const verifier = boundedVerifier(asked.resolve, now)
    const stopped = await feed(message, verifier)
    if (stopped === null) return verifier.reading()
    verifier.destroy()
    return stopped
  } catch (error) {
    return { status: 'failed', cause: `the signatures could not be evaluated: ${thrownText(error)}` }
  }
}

/** The message from its beginning to its end, or why it stopped before; rejects where the verifier does. */
async function feed(message: ReadableMessage, verifier: BoundedVerifier): Promise<SignatureReading | null> {
  const cutter = new MessageFeed()
  // Each step hears of an error by itself.
  verifier.on('error', () => undefined)
  let writing = false
  try {
    for await (const chunk of message.chunks()) {
      const step = cutter.push(chunk)
      if (step.status === 'refused') return step
      writing = true
      for (const piece of step.pieces) await written(verifier, piece)
      writing = false
    }
  } catch (error) {
    if (writing) throw error
    return { status: 'unreadable', cause: `the message could not be read: ${thrownText(error)}` }
  }
  const last = cutter.end()
  if (last.status === 'refused') return last
  for (const piece of last.pieces) await written(verifier, piece)
  await new Promise<void>((resolve, reject) => verifier.end((error?: Error | null) => settle(error, resolve, reject)))
  return null
}

/** One piece after the other: a pipeline of streams takes a tenth of the whole check. */
function written(verifier: BoundedVerifier, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => verifier.write(piece, (error) => settle(error, resolve, reject)))
}

function settle(error: Error | null | undefined, resolve: () => void, reject: (error: Error) => void): void {
  if (error instanceof Error) reject(error)
  else resolve()
}

interface BoundedVerifier extends DkimVerifier {
  reading(): SignatureReading
}

let verifierClass: (new (resolve: MailauthResolve, now: Date) => BoundedVerifier) | undefined

/** The class is made when mailauth is loaded, at the first message. */
function boundedVerifier(resolve: MailauthResolve, now: Date): BoundedVerifier {
  verifierClass ??= makeVerifierClass()
  return new verifierClass(resolve, now)
}

function makeVerifierClass(): new (resolve: MailauthResolve, now: Date) => BoundedVerifier {
  const { DkimVerifier: Base, createKeyCache } = mailauth()
  const memory = new KeyMemory()
  return class extends Base implements BoundedVerifier {
    readonly #keys: Readonly<Record<'rsa' | 'ed25519', KeyCache>>
    #rejected: readonly string[] = []
    #unexamined = 0
    #arcTrouble: string | null = null
    #hasArc = false

    constructor(resolve: MailauthResolve, now: Date) {
      super({ resolver: resolve, curTime: now, minBitLength: MIN_RSA_BITS, strict: true })
      const keysOf = (algorithm: 'rsa' | 'ed25519'): KeyCache => {
        const first = keyRecordFirst(resolve, algorithm)
        return memory.remembering(createKeyCache(first), first)
      }
      this.#keys = { rsa: keysOf('rsa'), ed25519: keysOf('ed25519') }
    }

    override async messageHeaders(headers: ParsedHeaders): Promise<void> {
      const chosen = chooseFields(headers.parsed)
      this.#rejected = chosen.rejected
      this.#unexamined = chosen.unexamined
      this.#arcTrouble = chosen.arcTrouble
      this.#hasArc = chosen.arc.length > 0
      // mailauth prepares what it is shown here; signed are the fields of the whole section.
      await super.messageHeaders({ parsed: [...chosen.signatures, ...chosen.arc], original: headers.original })
      this.headers = headers
      for (const header of this.signatureHeaders) this.#askForKey(header)
    }

    override prepareSignature(header: SignatureHeader): void {
      // The drafts of ARC, and sealers written by them, take relaxed/relaxed where c= is absent; RFC 8617 §4.1.2 takes simple/simple. The second is tried after the first.
      if (header.type === 'ARC' && header.parsed['c'] === undefined) header.fallbackCanonicalization = 'relaxed/relaxed'
      super.prepareSignature(header)
    }

    override async verifySignature(header: SignatureHeader, fallback?: boolean): Promise<LibrarySignatureResult> {
      this.keyCache = this.#keyCacheOf(header)
      try {
        return await super.verifySignature(header, fallback)
      } catch (error) {
        return { status: { result: 'permerror', comment: `not evaluated: ${thrownText(error)}` } }
      }
    }

    reading(): SignatureReading {
      const headers = this.signatureHeaders.filter(({ type }) => type === 'DKIM')
      // In strict mode each signature has its result, in order; where there is none the list holds one that says so.
      const signatures = headers.flatMap((header, i) => {
        const result = this.results[i]
        return result === undefined ? [] : [{ header, result }]
      })
      const arc = this.#arcTrouble ?? (this.#hasArc ? this.arc : null)
      return { status: 'read', signatures, rejected: this.#rejected, unexamined: this.#unexamined, arc }
    }

    #keyCacheOf(header: SignatureHeader): KeyCache {
      return header.signAlgo === 'ed25519' ? this.#keys.ed25519 : this.#keys.rsa
    }

    #askForKey(header: SignatureHeader): void {
      if (header.skip !== undefined || header.invalid !== undefined) return
      const options = header.hashAlgo === undefined ? { strict: true } : { strict: true, hashAlgo: header.hashAlgo }
      // The answer, good or bad, is kept for verifySignature, which says what it means.
      void this.#keyCacheOf(header).get(header.type, `${header.selector}._domainkey.${header.signingDomain}`, MIN_RSA_BITS, options).catch(() => undefined)
    }
  }
}

/** Which fields mailauth gets to see as signatures and ARC sets. */
function chooseFields(rows: readonly HeaderRow[]): { signatures: HeaderRow[]; arc: HeaderRow[]; rejected: string[]; unexamined: number; arcTrouble: string | null } {
  const present = rows.filter(({ key }) => key === 'dkim-signature')
  const examined = present.slice(0, MAX_SIGNATURES)
  const rejected: string[] = []
  const signatures: HeaderRow[] = []
  for (const row of examined) {
    const trouble = fieldTrouble(row.line)
    if (trouble === null) signatures.push(row)
    else rejected.push(trouble)
  }

  const arc = rows.filter(({ key }) => ARC_FIELDS.has(key))
  const arcTrouble = arc.length > 3 * MAX_ARC_SETS ? `more than ${MAX_ARC_SETS} ARC sets` : (arc.map(({ line }) => fieldTrouble(line)).find((trouble) => trouble !== null) ?? null)
  return { signatures, arc: arcTrouble === null ? arc : [], rejected, unexamined: present.length - examined.length, arcTrouble }
}

/** Why a field is not parsed, null where it is: parsing takes time in the square of its white space, verifying in that of its names. */
function fieldTrouble(line: Buffer): string | null {
  if (line.length > MAX_SIGNATURE_FIELD_BYTES) return `a field of ${line.length} bytes, at most ${MAX_SIGNATURE_FIELD_BYTES} are looked at`
  const text = line.toString('latin1')
  if (text.split(':').length - 1 > MAX_COLONS) return `a field with more than ${MAX_COLONS} names`
  if (TOO_MUCH_SPACE.test(text)) return `a field with more than ${MAX_WHITE_SPACE} octets of white space in a row`
  return null
}

/**
 * Where a selector has several TXT records, mailauth takes the first. RFC 6376
 * §6.1.2 leaves the choice to the verifier: the first that is a key of the
 * wanted type, otherwise the first that is a key at all.
 */
export function keyRecordFirst(resolve: MailauthResolve, algorithm: 'rsa' | 'ed25519'): MailauthResolve {
  return async (name, type) => {
    const records = await resolve(name, type)
    if (type !== 'TXT' || records.length < 2) return records
    const texts = records.map((record) => (Array.isArray(record) ? record.join('') : ''))
    const keys = texts.filter((text) => /(?:^|;)\s*p\s*=/.test(text))
    const wanted = keys.find((text) => (/(?:^|;)\s*k\s*=\s*([a-z0-9]+)/i.exec(text)?.[1] ?? 'rsa').toLowerCase() === algorithm)
    return [[wanted ?? keys[0] ?? texts[0] ?? '']]
  }
}
