/**
 * ARC validation (RFC 8617 §5.2): every seal, the newest message signature, the
 * structure of the chain. With mailauth in strict mode; up to fifty sets.
 *
 * The result is that of the chain. `none`: no ARC header fields. `temperror`: a
 * key could not be asked for and nothing else is wrong; mailauth knows no such
 * result and calls it `fail`. What the sealers claim is given only for a chain
 * that passes, and is worth what the sealers are worth: whoever trusts one
 * looks at its own hop, not at what stands below it. Nothing throws.
 */
import type { Resolver } from '../dns/resolver.ts'
import { keyFailure } from './dkim.ts'
import { MIN_RSA_BITS, mailauth } from './mailauth-library.ts'
import type { ArcData, ArcSet, LibraryAuthenticationResults } from './mailauth-library.ts'
import { LookupError, failureText, recordingResolver } from './mailauth-resolver.ts'
import type { FailedLookup, RecordingResolver } from './mailauth-resolver.ts'
import { readSignatures } from './message-signatures.ts'
import type { ReadableMessage, SignatureReading } from './message-signatures.ts'
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
  const asked = recordingResolver(resolver)
  return arcOutcome(await readSignatures(message, asked, now), asked)
}

export async function arcOutcome(reading: SignatureReading, asked: RecordingResolver): Promise<ArcOutcome> {
  switch (reading.status) {
    case 'unreadable':
      return bad('temperror', 0, reading.cause)
    case 'refused':
    case 'failed':
      return bad('fail', 0, reading.cause)
    case 'read':
      if (reading.arc === null) return { status: 'none', instance: 0, sealers: [], hops: [], cause: '' }
      if (typeof reading.arc === 'string') return bad('fail', 0, reading.arc)
      return chainOutcome(reading.arc, asked)
  }
}

async function chainOutcome(data: ArcData, asked: RecordingResolver): Promise<ArcOutcome> {
  if (data.error !== undefined) return bad('fail', 0, data.error.message)
  const newest = data.lastEntry
  if (data.chain === false || newest === undefined) return bad('fail', 0, 'there is no set in the chain')
  const seals = await sealsTrouble(data, asked)
  const signature = signatureTrouble(newest, asked.failures)
  // A definite failure counts before one that may go away.
  const trouble = [seals, signature].find((one) => one?.status === 'fail') ?? seals ?? signature
  if (trouble !== null) return bad(trouble.status, newest.i, trouble.cause)
  const hops = [...data.chain].reverse().map(hop)
  return { status: 'pass', instance: newest.i, sealers: hops.map(({ sealer }) => sealer), hops, cause: '' }
}

interface Trouble {
  readonly status: 'fail' | 'temperror'
  readonly cause: string
}

async function sealsTrouble(data: ArcData, asked: RecordingResolver): Promise<Trouble | null> {
  try {
    const sealed = await mailauth().verifyASChain(data, { resolver: asked.resolve, minBitLength: MIN_RSA_BITS, strict: true })
    return sealed ? null : { status: 'fail', cause: 'there is no set in the chain' }
  } catch (error) {
    if (error instanceof LookupError && error.failed !== null) return { status: 'temperror', cause: failureText(error.failed) }
    return { status: 'fail', cause: thrownText(error) }
  }
}

function signatureTrouble(set: ArcSet, failures: readonly FailedLookup[]): Trouble | null {
  const result = set.messageSignature
  if (result === undefined) return { status: 'fail', cause: `i=${set.i}: the ARC-Message-Signature cannot be evaluated` }
  const { result: word, comment } = result.status
  if (word === 'pass') return null
  if (word === 'temperror') {
    const failed = keyFailure({ selector: tag(set, 'arc-message-signature', 's'), signingDomain: tag(set, 'arc-message-signature', 'd') }, failures)
    if (failed !== undefined) return { status: 'temperror', cause: failureText(failed) }
  }
  return { status: 'fail', cause: `i=${set.i}: ARC-Message-Signature: ${comment === undefined || comment === false ? word : comment}` }
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
    sealer: strangerText(tag(set, 'arc-seal', 'd'), MAX_VALUE_CHARACTERS).toLowerCase(),
    selector: strangerText(tag(set, 'arc-seal', 's'), MAX_VALUE_CHARACTERS).toLowerCase(),
    // RFC 8601 §2.2: behind the authserv-id a version may stand
    authservId: strangerText(typeof authservId === 'string' ? authservId : '', MAX_VALUE_CHARACTERS).split(' ', 1)[0] ?? '',
    results: claims(field.parsed),
    text: strangerText(value.slice(value.indexOf(';') + 1), MAX_TEXT_CHARACTERS),
  }
}

function tag(set: ArcSet, field: 'arc-seal' | 'arc-message-signature', name: string): string {
  const value = set[field].parsed[name]?.value
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
