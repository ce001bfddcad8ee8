/** The part of the configuration that scoring is given; a reload makes a new one. Pure. */
import type { SpamSettings } from './config/spam-settings.ts'
import type { ResolverSettings } from './dns/configured.ts'
import type { ScoringSettings } from './scoring/scoring-services.ts'

interface Given {
  readonly state: string
  readonly hostname: string
  readonly domains: ReadonlyMap<string, unknown>
  readonly dns: ResolverSettings
  readonly spam: SpamSettings
  readonly policy: { readonly exempt: readonly string[]; readonly subjectPrefix: string | undefined }
  readonly listeners: readonly { readonly role: string }[]
}

export function scoringSettings({ state, hostname, domains, dns, spam, policy, listeners }: Given): ScoringSettings {
  const judges = listeners.some(({ role }) => role === 'inbound') && !policy.exempt.includes('0.0.0.0/0')
  return { ...spam, bayes: { ...spam.bayes, subjectPrefix: policy.subjectPrefix }, state, hostname, dns, domains: [...domains.keys()], judges }
}
