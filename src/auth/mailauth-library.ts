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
import type { MailauthResolve } from './mailauth-resolver.ts'

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

/** A header field as mailauth takes it. */
export interface HeaderRow {
  /** in lower case */
  readonly key: string
  /** all of it but its last line end */
  readonly line: Buffer
}

interface TagMap {
  readonly [tag: string]: { readonly value?: string | number } | undefined
}

/** What mailauth's parser makes of an ARC-Authentication-Results field: methods by name, `dkim` as a list. */
export type LibraryAuthenticationResults = Readonly<Record<string, unknown>>

export interface ArcSet {
  readonly i: number
  readonly 'arc-seal': { readonly parsed: TagMap }
  readonly 'arc-message-signature': { readonly original: Buffer }
  readonly 'arc-authentication-results': { readonly parsed: LibraryAuthenticationResults; readonly original: Buffer }
}

export interface Mailauth {
  readonly spf: (options: LibrarySpfOptions) => Promise<LibrarySpfResult>
  readonly evaluateDmarc: (options: LibraryDmarcOptions) => Promise<LibraryDmarcEvaluation>
  /** the sets by their instance; throws where they make no chain, false where there are none */
  readonly getARChain: (headers: { parsed: readonly HeaderRow[] }, options: { strict: true }) => readonly ArcSet[] | false
  readonly verifyASChain: (data: { chain: readonly ArcSet[] }, options: { resolver: MailauthResolve; minBitLength: number; strict: true }) => Promise<boolean>
}

const load = createRequire(import.meta.url)
let loaded: Mailauth | undefined

/** Loads mailauth, the first time: it reads some hundred files, so never for the first time in the middle of a session if it can be helped. */
export function mailauth(): Mailauth {
  loaded ??= {
    spf: (load('mailauth/lib/spf/index.js') as Pick<Mailauth, 'spf'>).spf,
    evaluateDmarc: (load('mailauth/lib/dmarc/index.js') as Pick<Mailauth, 'evaluateDmarc'>).evaluateDmarc,
    ...(load('mailauth/lib/arc/index.js') as Pick<Mailauth, 'getARChain' | 'verifyASChain'>),
  }
  return loaded
}
