/**
 * DKIM verification (RFC 6376; algorithms by RFC 8301 and RFC 8463; words of
 * the results by RFC 8601 §2.7.1). Input is the message's bytes, read once and
 * not held; the evaluation is that of message-signatures.ts.
 *
 * Each signature has its own result. A key that could not be asked for is
 * `temperror`, never a failure of the signature; RSA keys under 1024 bits and
 * rsa-sha1 are `policy`; what is malformed, and what has no key, is `neutral`;
 * what is not evaluated because of its size is `permerror`. Nothing throws.
 */
import { domainToASCII } from 'node:url'
import type { Resolver } from '../dns/resolver.ts'
import type { SignatureHeader } from './mailauth-library.ts'
import { failureText, recordingResolver } from './mailauth-resolver.ts'
import type { FailedLookup } from './mailauth-resolver.ts'
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
  const asked = recordingResolver(resolver)
  return dkimOutcome(await readSignatures(message, asked, now), asked.failures)
}

export function dkimOutcome(reading: SignatureReading, failures: readonly FailedLookup[]): DkimOutcome {
  switch (reading.status) {
    case 'unreadable':
      return { status: 'temperror', signatures: [], unexamined: 0, cause: reading.cause }
    case 'refused':
    case 'failed':
      return { status: 'permerror', signatures: [], unexamined: 0, cause: reading.cause }
    case 'read': {
      const signatures = [...reading.signatures.map((one) => signature(one, failures)), ...reading.rejected.map(rejected)]
      return { status: best(signatures), signatures, unexamined: reading.unexamined, cause: '' }
    }
  }
}

function best(signatures: readonly DkimSignature[]): DkimOutcome['status'] {
  return ORDER.find((status) => signatures.some((one) => one.status === status)) ?? 'none'
}

function signature({ header, result }: VerifiedSignature, failures: readonly FailedLookup[]): DkimSignature {
  const { status, cause } = statusOf({ header, result }, failures)
  const at = header.identity?.lastIndexOf('@') ?? -1
  const local = strangerText(header.identity?.slice(0, Math.max(at, 0)) ?? '', MAX_IDENTITY_CHARACTERS)
  const domain = domainOf(header.signingDomain)
  return {
    status,
    domain,
    selector: domainOf(header.selector),
    algorithm: strangerText(tag(header, 'a'), 32).toLowerCase(),
    bits: result.modulusLength ?? (result.publicKey !== undefined && header.signAlgo === 'ed25519' ? 256 : null),
    identity: at < 0 || domain === '' ? '' : `${local}@${domainOf(header.identity?.slice(at + 1) ?? '')}`,
    testing: result.status.testing ?? false,
    bodyLength: result.canonBodyLengthLimited === true ? { signed: result.canonBodyLength ?? 0, total: result.canonBodyLengthTotal ?? 0 } : null,
    headerFields: tag(header, 'h').split(':').map((name) => strangerText(name, MAX_NAME_CHARACTERS).toLowerCase()).filter((name) => name !== ''),
    signatureStart: strangerText(tag(header, 'b'), MAX_SIGNATURE_CHARACTERS).replaceAll(' ', '').slice(0, 8),
    cause,
  }
}

const MAX_SIGNATURE_CHARACTERS = 2048

function statusOf({ header, result }: VerifiedSignature, failures: readonly FailedLookup[]): { status: DkimStatus; cause: string } {
  const { result: word, comment, policy } = result.status
  const rule = policy?.['dkim-rules']
  const said = comment === undefined || comment === false ? (rule ?? '') : comment
  switch (word) {
    case 'pass':
      return { status: 'pass', cause: '' }
    case 'fail':
    case 'neutral':
    case 'policy':
    case 'permerror':
      return { status: word, cause: causeText(said === '' ? word : said) }
    case 'temperror': {
      const failed = keyFailure(header, failures)
      // mailauth calls every error at a key temporary. One that did not come out of the DNS comes again with the same record.
      return failed === undefined ? { status: 'permerror', cause: causeText(`the key cannot be used: ${said}`) } : { status: 'temperror', cause: causeText(failureText(failed)) }
    }
    default:
      return { status: 'permerror', cause: causeText(`mailauth says ${word}, which is no result of a signature`) }
  }
}

/** The failed look-up of a signature's key. */
export function keyFailure(header: Pick<SignatureHeader, 'selector' | 'signingDomain'>, failures: readonly FailedLookup[]): FailedLookup | undefined {
  const name = `${header.selector}._domainkey.${header.signingDomain}`
  const ascii = domainToASCII(name)
  return failures.find((failed) => failed.name === name.toLowerCase() || failed.name === ascii)
}

function rejected(cause: string): DkimSignature {
  return { status: 'permerror', domain: '', selector: '', algorithm: '', bits: null, identity: '', testing: false, bodyLength: null, headerFields: [], signatureStart: '', cause: `not evaluated: ${cause}` }
}

function tag(header: SignatureHeader, name: string): string {
  const value = header.parsed[name]?.value
  return value === undefined ? '' : String(value)
}

/** A name in lower case as A-labels, without a dot at the end; '' where it cannot be one. */
function domainOf(name: string): string {
  const bare = name.replace(/\.$/, '').toLowerCase()
  const ascii = /[^\x00-\x7f]/.test(bare) ? domainToASCII(bare) : bare
  return ascii.length <= MAX_NAME_CHARACTERS && /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$/.test(ascii) ? ascii : ''
}
