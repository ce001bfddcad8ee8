/**
 * What the judgement of inbound mail is given: settings that a reload replaces,
 * and the services of the worker that it asks.
 */
import type { CachingResolver } from '../dns/cache.ts'
import type { Policy, Thresholds } from '../policy/policy.ts'
import type { AllowHits, AllowList } from '../reputation/allow-list.ts'
import type { DnsLists } from '../reputation/dnsbl.ts'
import type { Greylist } from '../reputation/greylist.ts'
import type { Rates } from '../reputation/rates.ts'
import type { Company } from './company.ts'
import type { Crowd } from './crowd.ts'
import type { Scoring } from './scoring.ts'

export interface InboundSettings {
  readonly hostname: string
  /** those we take mail for */
  readonly domains: readonly string[]
  /** nothing is checked of such a client; undefined: a unix socket */
  readonly exempt: (address: string | undefined) => boolean
  readonly policy: Policy
  /** thresholds of domains that have their own; no others */
  readonly thresholds: ReadonlyMap<string, Thresholds>
  /** the same for the shadow policy */
  readonly shadowThresholds: ReadonlyMap<string, Thresholds>
  /** decided beside it, without effect */
  readonly shadow: Policy | undefined
  readonly earlyTalkerWaitMs: number
  readonly subjectPrefix: string | undefined
  readonly trustedSealers: readonly string[]
  /** DKIM signatures that leave a part of the body open: do they speak for their domain? */
  readonly partialSignatures: 'ignore' | 'accept'
  /** points from which a client is suspicious enough for greylisting */
  readonly greylistScore: number
}

export interface InboundServices {
  readonly resolver: CachingResolver
  readonly lists: DnsLists
  readonly rates: Rates
  readonly crowd: Crowd
  /** of messages that are whole, before their checks */
  readonly company: Company
  /** undefined: nobody is asked to come back */
  readonly greylist: Greylist | undefined
  readonly allowList: () => AllowList
  readonly allowHits: AllowHits
  readonly wait: (ms: number) => Promise<void>
  /** milliseconds on a clock that only goes forward */
  readonly now: () => number
  readonly date: () => Date
}

export interface Inbound {
  readonly settings: InboundSettings
  readonly services: InboundServices
  /** undefined: nobody looks at content */
  readonly scoring: Scoring | undefined
}
