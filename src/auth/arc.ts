/**
 * ARC validation (RFC 8617 §5.2): every seal, the newest message signature, the
 * structure of the chain; up to fifty sets. The message signature is verified
 * by our own engine, seals and structure by mailauth in strict mode.
 *
 * The result is that of the chain. `none`: no ARC header fields. `temperror`: a
 * key could not be asked for and nothing else is wrong. What the sealers claim is given only for a chain
 * that passes, and is worth what the sealers are worth: whoever trusts one
 * looks at its own hop, not at what stands below it. Nothing throws.
 */
import type { Resolver } from '../dns/resolver.ts'
import { askingOnce } from './dkim/key-source.ts'
import { MIN_RSA_BITS } from './dkim/key-record.ts'
import { mailauth } from './mailauth-library.ts'
import type { ArcSet, LibraryAuthenticationResults } from './mailauth-library.ts'
import { LookupError, failureText, recordingResolver } from './mailauth-resolver.ts'
import { readSignatures } from './message-signatures.ts'
import type { ArcChain, ReadableMessage, SignatureReading } from './message-signatures.ts'
import { causeText, strangerText, thrownText } from './stranger-text.ts'

/** A result that a hop says it has found (RFC 8601 §2.2). */
export interface ClaimedResult {
  /** spf, dkim, dmarc, arc, iprev, … in lower case */
  readonly method: string
  /** in lower case, as it is written: pass, fail, … */
  readonly result: string
  /** by `ptype.property`, as `header.d` or `smtp.mailfrom` */
  readonly properties: Readonly<Record<string, string>>
}

export interface ArcHop {
  readonly instance: number
  /** d= of the seal, in lower case */
  readonly sealer: string
  readonly selector: string
  readonly authservId: string
  /** of a method that stands there several times, all for dkim and the last for any other */
  readonly results: readonly ClaimedResult[]
  /** the ARC-Authentication-Results as they stand there, unfolded, behind `i=N;` */
  readonly text: string
}

export interface ArcOutcome {
  readonly status: 'none' | 'pass' | 'fail' | 'temperror'
  /** the highest of the chain; 0 where there is no chain, or none that can be read */
  readonly instance: number
  /** of a chain that passes, newest first; otherwise empty */
  readonly sealers: readonly string[]
  readonly hops: readonly ArcHop[]
  /** why it does not pass; '' where it does, and where there is nothing */
  readonly cause: string
}

const MAX_TEXT_CHARACTERS = 16 * 1024
const MAX_VALUE_CHARACTERS = 512

export async function verifyArc(message: ReadableMessage, resolver: Resolver, now: Date): Promise<ArcOutcome> {
  const asked = askingOnce(resolver)
  return arcOutcome(await readSignatures(message, asked, now), asked)
}

/** @param resolver asks each question once: the keys of the seals are mostly those of the signatures */
export async function arcOutcome(reading: SignatureReading, resolver: Resolver): Promise<ArcOutcome> {
  switch (reading.status) {
    case 'unreadable':
      return bad('temperror', 0, reading.cause)
    case 'refused':
      return bad('fail', 0, reading.cause)
    case 'read':
      if (reading.arc === null) return { status: 'none', instance: 0, sealers: [], hops: [], cause: '' }
      if (typeof reading.arc === 'string') return bad('fail', 0, reading.arc)
      return chainOutcome(reading.arc, resolver)
  }
}

async function chainOutcome(chain: ArcChain, resolver: Resolver): Promise<ArcOutcome> {
  const { sets, newest } = chain
  const seals = await sealsTrouble(sets, resolver)
  const signature = signatureTrouble(chain)
  // A definite failure counts before one that may go away.
  const trouble = [seals, signature].find((one) => one?.status === 'fail') ?? seals ?? signature
  if (trouble !== null) return bad(trouble.status, newest.i, trouble.cause)
  const hops = [...sets].reverse().map(hop)
  return { status: 'pass', instance: newest.i, sealers: hops.map(({ sealer }) => sealer), hops, cause: '' }
}

interface Trouble {
  readonly status: 'fail' | 'temperror'
  readonly cause: string
}

async function sealsTrouble(chain: readonly ArcSet[], resolver: Resolver): Promise<Trouble | null> {
  try {
    const sealed = await mailauth().verifyASChain({ chain }, { resolver: recordingResolver(resolver).resolve, minBitLength: MIN_RSA_BITS, strict: true })
    return sealed ? null : { status: 'fail', cause: 'there is no set in the chain' }
  } catch (error) {
    if (error instanceof LookupError && error.failed !== null) return { status: 'temperror', cause: failureText(error.failed) }
    return { status: 'fail', cause: thrownText(error) }
  }
}

function signatureTrouble({ newest, signature: { status, cause } }: ArcChain): Trouble | null {
  switch (status) {
    case 'pass':
      return null
    case 'temperror':
      return { status, cause }
    case 'fail':
    case 'neutral':
    case 'policy':
      return { status: 'fail', cause: `i=${newest.i}: ARC-Message-Signature: ${cause}` }
  }
}

function bad(status: 'fail' | 'temperror', instance: number, cause: string): ArcOutcome {
  return { status, instance, sealers: [], hops: [], cause: causeText(cause) }
}

function hop(set: ArcSet): ArcHop {
  const field = set['arc-authentication-results']
  const value = field.original.toString('utf8').replace(/^[^:]*:/, '').replace(/\r?\n/g, '')
  const { value: authservId } = field.parsed
  return {
    instance: set.i,
    sealer: strangerText(sealTag(set, 'd'), MAX_VALUE_CHARACTERS).toLowerCase(),
    selector: strangerText(sealTag(set, 's'), MAX_VALUE_CHARACTERS).toLowerCase(),
    // RFC 8601 §2.2: behind the authserv-id a version may stand
    authservId: strangerText(typeof authservId === 'string' ? authservId : '', MAX_VALUE_CHARACTERS).split(' ', 1)[0] ?? '',
    results: claims(field.parsed),
    text: strangerText(value.slice(value.indexOf(';') + 1), MAX_TEXT_CHARACTERS),
  }
}

function sealTag(set: ArcSet, name: string): string {
  const value = set['arc-seal'].parsed[name]?.value
  return value === undefined ? '' : String(value)
}

/** mailauth's parse: a method's name with an object, or a list of them for dkim; `value` is its result, objects in it are ptypes. */
function claims(parsed: LibraryAuthenticationResults): ClaimedResult[] {
  return Object.entries(parsed).flatMap(([method, entry]) => (Array.isArray(entry) ? (entry as unknown[]) : [entry]).flatMap((one) => {
    if (method === 'i' || typeof one !== 'object' || one === null) return []
    const { value, ...ptypes } = one as Record<string, unknown>
    if (typeof value !== 'string') return []
    return [{ method: strangerText(method, MAX_VALUE_CHARACTERS), result: strangerText(value, MAX_VALUE_CHARACTERS).toLowerCase(), properties: properties(ptypes) }]
  }))
}

function properties(ptypes: Readonly<Record<string, unknown>>): Record<string, string> {
  const found: [string, string][] = []
  for (const [ptype, held] of Object.entries(ptypes)) {
    if (typeof held !== 'object' || held === null) continue
    for (const [name, value] of Object.entries(held as Record<string, unknown>)) {
      if (typeof value === 'string') found.push([strangerText(`${ptype}.${name}`, MAX_VALUE_CHARACTERS).toLowerCase(), strangerText(value, MAX_VALUE_CHARACTERS)])
    }
  }
  return Object.fromEntries(found)
}
