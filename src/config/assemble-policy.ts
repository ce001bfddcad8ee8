/** Makes the settings of the DNS and the policy out of a section without errors: the preset, and on it what is set by itself. */
import { resolve } from 'node:path'
import { CHECKS, PRESET_ACTIONS, PRESET_THRESHOLDS, WEIGHTS } from '../policy/policy.ts'
import type { CheckName, CheckPolicy, Policy, Thresholds } from '../policy/policy.ts'
import type { WrittenPolicy } from '../policy/written.ts'
import type { RateSettings } from '../reputation/rates.ts'
import type { DomainThresholds } from './format-domain.ts'
import type { ValuesOf } from './leaf.ts'
import type { DNS, POLICY, RULES } from './policy-schema.ts'
import type { DnsSettings, PolicySettings } from './policy-settings.ts'

export type PolicyValues = ValuesOf<typeof POLICY>
export type RuleValues = ValuesOf<typeof RULES>

export function assembleDns({ servers, timeout, tries, cache }: ValuesOf<typeof DNS>): DnsSettings {
  return { servers, timeoutMs: timeout, tries, cacheEntries: cache }
}

export function assemblePolicy(values: PolicyValues, { base, shadow }: { base: string; shadow: WrittenPolicy | undefined }): PolicySettings {
  const { greylist } = values
  const suspicious = greylist.action ?? (values.preset === 'strict' ? 'suspicious' : 'off')
  return {
    preset: values.preset,
    policy: policyOf(values),
    exempt: values.exempt,
    earlyTalkerWaitMs: values.early_talker_wait,
    dnsLists: values.dnsbl.lists,
    subjectPrefix: values.subject_prefix,
    trustedSealers: values.trusted_sealers,
    partialSignatures: values.partial_signatures,
    allow: values.allow === undefined ? undefined : resolve(base, values.allow),
    greylist: suspicious === 'off' ? undefined : { score: greylist.score, delayMs: greylist.delay, windowMs: greylist.window, rememberMs: greylist.remember },
    rates: ratesOf(values.rate),
    shadow,
  }
}

/** The pure part: what `decide` is given is made of it. */
export function policyOf(values: RuleValues): WrittenPolicy {
  const checks = Object.fromEntries(CHECKS.map((check) => [check, checkPolicy(check, values)])) as Record<CheckName, CheckPolicy>
  return { checks, exceptions: values.exceptions, spam: thresholdsOf(values), dnsDown: values.dns_down }
}

function checkPolicy(check: CheckName, values: RuleValues): CheckPolicy {
  const given = check === 'dnsbl' ? values.dnsbl.action : check === 'rate' ? values.rate.action : values[check]
  const weights: Readonly<Partial<Record<CheckName, number | undefined>>> = values.weights
  return { action: given ?? PRESET_ACTIONS[values.preset][check], weight: weights[check] ?? WEIGHTS[check] }
}

/** Thresholds of one domain over those of a policy that is read already. */
export function thresholdsOver({ spam }: Pick<Policy, 'spam'>, over: DomainThresholds): Thresholds {
  const of = (name: keyof Thresholds): number | undefined => {
    const given = over[name]
    return given === 'never' ? undefined : given ?? spam[name]
  }
  return { tag: of('tag'), quarantine: of('quarantine'), reject: of('reject') }
}

/** @param over those of one domain */
export function thresholdsOf({ preset, spam }: Pick<RuleValues, 'preset' | 'spam'>, over?: DomainThresholds): Thresholds {
  const of = (name: keyof Thresholds): number | undefined => {
    const given = over?.[name] ?? spam[name]
    return given === 'never' ? undefined : given ?? PRESET_THRESHOLDS[preset][name]
  }
  return { tag: of('tag'), quarantine: of('quarantine'), reject: of('reject') }
}

function ratesOf(rate: PolicyValues['rate']): RateSettings {
  const { connections_per_address: ca, connections_per_network: cn, sessions_per_address: sa, sessions_per_network: sn } = rate
  const { messages_per_address: ma, messages_per_network: mn, messages_per_sender: ms, recipients_per_address: ra, recipients_per_sender: rs } = rate
  return {
    connections: { ...(ca && { address: ca }), ...(cn && { network: cn }) },
    messages: { ...(ma && { address: ma }), ...(mn && { network: mn }), ...(ms && { sender: ms }) },
    recipients: { ...(ra && { address: ra }), ...(rs && { sender: rs }) },
    sessions: { ...(sa && { address: sa }), ...(sn && { network: sn }) },
  }
}
