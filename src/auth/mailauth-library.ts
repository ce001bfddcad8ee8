/**
 * The one place that loads mailauth, and the shapes of what we use of it.
 *
 * Its own types are loose (`any` in many places) and absent for the verifier
 * class, so the shapes are written down here, as narrow as they are used. What
 * is loaded is the four checks and not the whole package: BIMI, MTA-STS and
 * their HTTP client stay on disk. That takes 75 ms and 32 MB (measured on
 * Node.js 24; the whole package 150 ms and 42 MB), so it is loaded when first
 * needed: a gateway that only signs or relays never does. `mailauth()` at the
 * start of a worker takes the wait out of its first session.
 */
import { createRequire } from 'node:module'
import type { Writable } from 'node:stream'
import type { MailauthResolve } from './mailauth-resolver.ts'

/** RFC 8301 §3.2: a verifier must not take RSA keys under 1024 bits. */
export const MIN_RSA_BITS = 1024

interface StatusOf {
  readonly result: string
  readonly comment?: string | false
}

export interface LibrarySpfResult {
  readonly domain: string
  readonly status: StatusOf
  readonly rr?: string
  readonly explanation?: string
  readonly lookups?: { readonly count: number; readonly void: number }
}

export interface LibrarySpfOptions {
  readonly sender: string
  readonly ip: string
  readonly helo: string
  readonly mta: string
  readonly maxResolveCount: number
  readonly maxVoidCount: number
  readonly maxElapsedTime: number
  readonly resolver: MailauthResolve
  readonly strict: true
}

export interface LibraryDmarcResponse {
  readonly status: StatusOf
  readonly domain?: string
  readonly policyDomain?: string
  readonly policy?: string
  readonly testMode?: boolean
  readonly rr?: string
  readonly error?: string
  readonly alignment?: {
    readonly spf: { readonly result?: string; readonly strict: boolean }
    readonly dkim: { readonly result?: string; readonly strict: boolean }
  }
}

export interface LibraryDmarcOptions {
  readonly headerFrom: string
  readonly spfDomains: readonly string[]
  readonly dkimDomains: readonly { readonly domain: string; readonly underSized?: number }[]
  readonly resolver: MailauthResolve
  readonly strict: true
}

export interface LibraryDmarcEvaluation {
  readonly response: LibraryDmarcResponse | false
  /** signing domains that align */
  readonly dkimAligned?: ReadonlySet<string>
  readonly reason?: string
}

/** A header field as mailauth splits it. */
export interface HeaderRow {
  /** in lower case; null where the line is no field */
  readonly key: string | null
  readonly line: Buffer
}

export interface ParsedHeaders {
  parsed: HeaderRow[]
  readonly original: Buffer
}

interface TagMap {
  readonly [tag: string]: { readonly value?: string | number } | undefined
}

export interface SignatureHeader {
  readonly type: 'DKIM' | 'ARC'
  readonly parsed: TagMap
  readonly signAlgo?: string
  readonly hashAlgo?: string
  readonly signingDomain: string
  readonly selector: string
  readonly identity?: string
  /** why it is not processed at all; why it is wrong before its key is looked up */
  readonly skip?: string
  readonly invalid?: string
  /** tried where the signature does not verify by its own canonicalization */
  fallbackCanonicalization?: string
}

export interface LibrarySignatureResult {
  readonly status: StatusOf & { readonly testing?: boolean; readonly policy?: Readonly<Record<string, string | undefined>> }
  readonly publicKey?: string
  readonly modulusLength?: number
  readonly canonBodyLength?: number
  readonly canonBodyLengthTotal?: number
  readonly canonBodyLengthLimited?: boolean
}

/** What mailauth's parser makes of an ARC-Authentication-Results field: methods by name, `dkim` as a list. */
export type LibraryAuthenticationResults = Readonly<Record<string, unknown>>

export interface ArcSet {
  readonly i: number
  readonly 'arc-seal': { readonly parsed: TagMap }
  readonly 'arc-message-signature': { readonly parsed: TagMap }
  readonly 'arc-authentication-results': { readonly parsed: LibraryAuthenticationResults; readonly original: Buffer }
  readonly messageSignature?: LibrarySignatureResult
}

export interface ArcData {
  readonly chain: readonly ArcSet[] | false
  readonly lastEntry?: ArcSet
  readonly error?: Error
}

export interface KeyCache {
  get(type: 'DKIM' | 'ARC', name: string, minBitLength: number, options?: { strict: boolean; hashAlgo?: string }): Promise<unknown>
}

export interface DkimVerifier extends Writable {
  headers: ParsedHeaders | false
  readonly signatureHeaders: readonly SignatureHeader[]
  readonly results: readonly LibrarySignatureResult[]
  readonly arc: ArcData
  keyCache: KeyCache
  messageHeaders(headers: ParsedHeaders): Promise<void>
  prepareSignature(header: SignatureHeader): void
  verifySignature(header: SignatureHeader, fallback?: boolean): Promise<LibrarySignatureResult>
}

export interface DkimVerifierOptions {
  readonly resolver: MailauthResolve
  readonly curTime: Date
  readonly minBitLength: number
  readonly strict: true
}

export interface Mailauth {
  readonly spf: (options: LibrarySpfOptions) => Promise<LibrarySpfResult>
  readonly evaluateDmarc: (options: LibraryDmarcOptions) => Promise<LibraryDmarcEvaluation>
  readonly DkimVerifier: new (options: DkimVerifierOptions) => DkimVerifier
  readonly verifyASChain: (data: ArcData, options: { resolver: MailauthResolve; minBitLength: number; strict: true }) => Promise<boolean>
  readonly createKeyCache: (resolver: MailauthResolve) => KeyCache
}

const load = createRequire(import.meta.url)
let loaded: Mailauth | undefined

/** Loads mailauth, the first time: it reads some hundred files, so never for the first time in the middle of a session if it can be helped. */
export function mailauth(): Mailauth {
  loaded ??= {
    spf: (load('mailauth/lib/spf/index.js') as Pick<Mailauth, 'spf'>).spf,
    evaluateDmarc: (load('mailauth/lib/dmarc/index.js') as Pick<Mailauth, 'evaluateDmarc'>).evaluateDmarc,
    DkimVerifier: (load('mailauth/lib/dkim/dkim-verifier.js') as Pick<Mailauth, 'DkimVerifier'>).DkimVerifier,
    verifyASChain: (load('mailauth/lib/arc/index.js') as Pick<Mailauth, 'verifyASChain'>).verifyASChain,
    createKeyCache: (load('mailauth/lib/tools.js') as Pick<Mailauth, 'createKeyCache'>).createKeyCache,
  }
  return loaded
}
