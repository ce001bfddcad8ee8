/** The part of the configuration that scoring is given; a reload makes a new one. Pure. */
import type { SpamSettings } from './config/spam-settings.ts'
import type { ScoringSettings } from './scoring/scoring-services.ts'

interface Given {
  readonly state: string
  readonly hostname: string
  readonly domains: ReadonlyMap<string, unknown>
  readonly spam: SpamSettings
}

export function scoringSettings({ state, hostname, domains, spam }: Given): ScoringSettings {
  return { ...spam, state, hostname, domains: [...domains.keys()] }
}
