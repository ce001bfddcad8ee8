/**
 * What the judgement of `postern scan` stands on: the code and the policy of the
 * gateway, and services that leave nothing behind. Nothing is counted, nobody is
 * remembered, nobody waits. What a file cannot tell is not checked: rates, and
 * whether the client waits for its turn to speak.
 */
import { AllowListFile } from '../inbound/allow-list-file.ts'
import { ALONE } from '../inbound/company.ts'
import { Crowd } from '../inbound/crowd.ts'
import type { Inbound } from '../inbound/inbound.ts'
import { inboundSettings } from '../inbound-settings.ts'
import type { Settings } from '../config/settings.ts'
import { cachingResolver } from '../dns/cache.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Log } from '../observe/log.ts'
import type { CheckName, Policy } from '../policy/policy.ts'
import { createDnsLists, type DnsLists } from '../reputation/dnsbl.ts'
import type { Greylist } from '../reputation/greylist.ts'
import type { Rates } from '../reputation/rates.ts'
import { openScanScoring, type ScanScoring } from '../scoring/scan-scoring.ts'
import { scoringSettings } from '../scoring-settings.ts'

export interface ScanGround {
  readonly inbound: Inbound
  readonly content: ScanScoring
  readonly lists: DnsLists
}

interface Context {
  readonly resolver: Resolver
  readonly log: Log
  /** milliseconds since 1970 */
  readonly now: () => number
  /** checks to be left out */
  readonly without: readonly CheckName[]
}

const MINUTE_MS = 60_000

export async function scanGround(settings: Settings, { resolver, log, now, without }: Context): Promise<ScanGround> {
  const { dns, policy } = settings
  const { greylist } = policy
  const decided = inboundSettings(settings)
  const off: readonly CheckName[] = ['rate', 'early_talker', ...without]
  const caching = cachingResolver(resolver, { maxEntries: dns.cacheEntries, now: () => performance.now() })
  const lists = createDnsLists({ zones: policy.dnsLists }, { resolver: caching, now, log })
  const allowList = new AllowListFile(policy.allow, { log, now })
  const content = await openScanScoring(scoringSettings(settings), { log, resolver: caching })
  return {
    lists, content,
    inbound: {
      scoring: content.scoring,
      settings: {
        ...decided,
        policy: leftOut(decided.policy, off), shadow: decided.shadow === undefined ? undefined : leftOut(decided.shadow, off),
        earlyTalkerWaitMs: 0,
      },
      services: {
        resolver: caching, lists, rates: NO_RATES, crowd: new Crowd(), company: ALONE, greylist: greylist === undefined ? undefined : notAsked(greylist.delayMs),
        allowList: () => allowList.current,
        allowHits: { hit: () => undefined, of: () => undefined },
        wait: () => Promise.resolve(),
        now: () => performance.now(),
        date: () => new Date(now()),
      },
    },
  }
}

function leftOut(policy: Policy, names: readonly CheckName[]): Policy {
  const checks = Object.fromEntries(Object.entries(policy.checks).map(([name, check]) => [name, (names as readonly string[]).includes(name) ? { ...check, action: 'off' } : check]))
  return { ...policy, checks: checks as Policy['checks'] }
}

const NO_RATES: Rates = {
  count: () => ({ status: 'within' }),
  begin: () => ({ outcome: { status: 'within' }, end: () => undefined }),
}

/** Whoever is asked here would be asked to come back. */
function notAsked(delayMs: number): Greylist {
  const minutes = Math.max(1, Math.ceil(delayMs / MINUTE_MS))
  return () => Promise.resolve({ status: 'none', cause: `a client that is not known yet would be asked to come back in ${minutes} minute${minutes === 1 ? '' : 's'}` })
}
