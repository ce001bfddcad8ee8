/** The part of the configuration that the judgement of inbound mail is given; a reload makes a new one. Pure. */
import { networkMatcher } from './config/networks.ts'
import type { PolicySettings } from './config/policy-settings.ts'
import type { DomainSettings } from './config/settings.ts'
import type { InboundSettings } from './inbound/inbound.ts'
import type { Policy } from './policy/policy.ts'
import { policyToDecideBy, type WrittenPolicy } from './policy/written.ts'

export function inboundSettings({ hostname, domains, policy: given }: { readonly hostname: string; readonly domains: ReadonlyMap<string, DomainSettings>; readonly policy: PolicySettings }): InboundSettings {
  const { policy, shadow, exempt, earlyTalkerWaitMs, subjectPrefix, trustedSealers, partialSignatures, greylist } = given
  return {
    hostname, policy: ready(policy), shadow: shadow && ready(shadow), earlyTalkerWaitMs, subjectPrefix, trustedSealers, partialSignatures,
    domains: [...domains.keys()],
    thresholds: new Map([...domains].flatMap(([domain, { spam }]) => (spam === undefined ? [] : [[domain, spam] as const]))),
    shadowThresholds: new Map([...domains].flatMap(([domain, { shadowSpam }]) => (shadowSpam === undefined ? [] : [[domain, shadowSpam] as const]))),
    exempt: networkMatcher(exempt),
    greylistScore: greylist?.score ?? Infinity,
  }
}

function ready(written: WrittenPolicy): Policy {
  return policyToDecideBy(written, networkMatcher)
}
