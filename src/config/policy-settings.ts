/** The settings of the DNS, the policy and what is kept, as the program sees them: presets applied, paths absolute. */
import type { ServerAddress } from '../dns/exchange.ts'
import type { Preset } from '../policy/policy.ts'
import type { WrittenPolicy } from '../policy/written.ts'
import type { DnsListZone } from '../reputation/dnsbl.ts'
import type { GreylistSettings } from '../reputation/greylist.ts'
import type { RateSettings } from '../reputation/rates.ts'

/** What is undefined is the system's. */
export interface DnsSettings {
  readonly servers: readonly ServerAddress[] | undefined
  readonly timeoutMs: number | undefined
  readonly tries: number | undefined
  /** answers, per worker */
  readonly cacheEntries: number
}

export interface PolicySettings {
  readonly preset: Preset
  readonly policy: WrittenPolicy
  /** clients that nothing is checked of: CIDR, `unix` */
  readonly exempt: readonly string[]
  readonly earlyTalkerWaitMs: number
  readonly dnsLists: readonly DnsListZone[]
  readonly subjectPrefix: string | undefined
  readonly trustedSealers: readonly string[]
  readonly partialSignatures: 'ignore' | 'accept'
  /** file */
  readonly allow: string | undefined
  /** undefined: nobody is asked to come back */
  readonly greylist: (GreylistSettings & { readonly score: number }) | undefined
  readonly rates: RateSettings
  /** decided beside `policy`, without effect */
  readonly shadow: WrittenPolicy | undefined
}

export interface KeptSettings {
  readonly quarantine: { readonly maxAgeMs: number; readonly maxBytes: number }
  readonly decisions: { readonly maxAgeMs: number; readonly maxCount: number }
}
