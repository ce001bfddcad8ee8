/** The settings of `spam`, as the program sees them: paths absolute, defaults filled in. */
import type { UriListSettings } from '../reputation/uri-settings.ts'
import type { EngineSettings } from '../spam/engines/settings.ts'
import type { RuleFilesSettings } from '../scoring/rule-files.ts'
import type { LearningSettings } from '../scoring/learning-settings.ts'

export interface SpamSettings {
  readonly rules: RuleFilesSettings
  readonly bayes: LearningSettings
  readonly uriLists: UriListSettings
  readonly correspondents: { readonly rememberMs: number }
  readonly senders: { readonly rememberMs: number }
  readonly engines: readonly EngineSettings[]
}

