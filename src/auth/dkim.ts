/**
 * DKIM verification (RFC 6376; algorithms by RFC 8301 and RFC 8463; words of
 * the results by RFC 8601 §2.7.1). Input is the message's bytes, read once and
 * not held, by our own engine (dkim/, message-signatures.ts).
 *
 * Each signature has its own result. A key that could not be asked for is
 * `temperror`, never a failure of the signature; RSA keys under 1024 bits and
 * rsa-sha1 are `policy`; what is malformed, and what has no key, is `neutral`;
 * what is not evaluated because of its size is `permerror`. Nothing throws.
 */
import type { Resolver } from '../dns/resolver.ts'
import { askingOnce } from './dkim/key-source.ts'
import { asciiName, quotedPrintable } from './dkim/signature.ts'
import { readSignatures } from './message-signatures.ts'
import type { ReadableMessage, SignatureReading, VerifiedSignature } from './message-signatures.ts'
import { causeText, strangerText } from './stranger-text.ts'

export type DkimStatus = 'pass' | 'fail' | 'neutral' | 'policy' | 'temperror' | 'permerror'

export interface DkimSignature {
  readonly status: DkimStatus
  /** d=, in lower case and as A-labels; '' where it is not a domain */
  readonly domain: string
  readonly selector: string
  /** a=, as `rsa-sha256` */
  readonly algorithm: string
  /** of the public key; null where there is none */
  readonly bits: number | null
  /** i=, or `@d` where there is none (RFC 6376 §3.5); the domain as A-labels */
  readonly identity: string
  /** the owner of the key says that it is being tested (t=y, RFC 6376 §3.6.1) */
  readonly testing: boolean
  /** l=: octets of the canonicalized body that are signed, and that there are; null where all are signed */
  readonly bodyLength: { readonly signed: number; readonly total: number } | null
  /** h=, in lower case, in order, repetitions kept */
  readonly headerFields: readonly string[]
  /** the first eight characters of b=, which tell signatures of one domain apart (header.b of RFC 6008) */
  readonly signatureStart: string
  /** why it does not pass; '' where it does */
  readonly cause: string
}

export interface DkimOutcome {
  /** of the best signature: pass, then temperror, policy, fail, neutral, permerror; `none` where nothing is signed */
  readonly status: DkimStatus | 'none'
  /** topmost first, at most MAX_SIGNATURES */
  readonly signatures: readonly DkimSignature[]
  /** signatures below those, which were not looked at */
  readonly unexamined: number
  /** why the message as a whole could not be evaluated; '' where it could */
  readonly cause: string
}

const MAX_NAME_CHARACTERS = 253
const MAX_IDENTITY_CHARACTERS = 320
const ORDER: readonly DkimStatus[] = ['pass', 'temperror', 'policy', 'fail', 'neutral', 'permerror']

export async function verifyDkim(message: ReadableMessage, resolver: Resolver, now: Date): Promise<DkimOutcome> {
  return dkimOutcome(await readSignatures(message, askingOnce(resolver), now))
}

export function dkimOutcome(reading: SignatureReading): DkimOutcome {
  switch (reading.status) {
    case 'unreadable':
      return { status: 'temperror', signatures: [], unexamined: 0, cause: reading.cause }
    case 'refused':
      return { status: 'permerror', signatures: [], unexamined: 0, cause: reading.cause }
    case 'read': {
      const signatures = [...reading.signatures.map(signature), ...reading.rejected.map(rejected)]
      return { status: best(signatures), signatures, unexamined: reading.unexamined, cause: '' }
    }
  }
}

/**
 * Where a signature leaves a part of the body open (`l=`, RFC 6376 §8.2), anybody
 * can have put it there: by local policy it speaks for nobody (RFC 8601 §2.7.1).
 */
export function withoutPartial(outcome: DkimOutcome): DkimOutcome {
  if (!outcome.signatures.some(isPartial)) return outcome
  const signatures = outcome.signatures.map((one) => (isPartial(one) ? { ...one, status: 'policy' as const, cause: partText(one) } : one))
  return { ...outcome, signatures, status: best(signatures) }
}

function isPartial({ status, bodyLength }: DkimSignature): boolean {
  return status === 'pass' && bodyLength !== null && bodyLength.signed < bodyLength.total
}

function partText({ bodyLength }: DkimSignature): string {
  return `only ${bodyLength?.signed ?? 0} of ${bodyLength?.total ?? 0} octets of the body are signed`
}

function best(signatures: readonly DkimSignature[]): DkimOutcome['status'] {
  return ORDER.find((status) => signatures.some((one) => one.status === status)) ?? 'none'
}

function signature({ read: { tags }, verdict: { status, cause, key, bodyLength } }: VerifiedSignature): DkimSignature {
  const tag = (name: string): string => tags.get(name)?.value ?? ''
  const domain = domainOf(tag('d'))
  const identity = tags.has('i') ? quotedPrintable(tag('i')) : `@${domain}`
  const at = identity.lastIndexOf('@')
  const local = strangerText(identity.slice(0, Math.max(at, 0)), MAX_IDENTITY_CHARACTERS)
  return {
    status,
    domain,
    selector: domainOf(tag('s')),
    algorithm: strangerText(tag('a'), 32).toLowerCase(),
    bits: key?.bits ?? null,
    identity: at < 0 || domain === '' ? '' : `${local}@${domainOf(identity.slice(at + 1))}`,
    testing: key?.testing ?? false,
    bodyLength,
    headerFields: tag('h').split(':').map((name) => strangerText(name, MAX_NAME_CHARACTERS).toLowerCase()).filter((name) => name !== ''),
    signatureStart: strangerText(tag('b'), MAX_SIGNATURE_CHARACTERS).replaceAll(' ', '').slice(0, 8),
    cause: causeText(cause),
  }
}

const MAX_SIGNATURE_CHARACTERS = 2048

function rejected(cause: string): DkimSignature {
  return { status: 'permerror', domain: '', selector: '', algorithm: '', bits: null, identity: '', testing: false, bodyLength: null, headerFields: [], signatureStart: '', cause: `not evaluated: ${cause}` }
}

/** A name in lower case as A-labels, without a dot at the end; '' where it cannot be one. */
function domainOf(name: string): string {
  const ascii = asciiName(name.replace(/\.$/, ''))
  return ascii.length <= MAX_NAME_CHARACTERS && /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$/.test(ascii) ? ascii : ''
}
