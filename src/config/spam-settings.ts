/** The settings of `spam`, as the program sees them: paths absolute, defaults filled in. */
import type { UriListSettings } from '../reputation/uri-settings.ts'
import type { EngineSettings } from '../spam/engines/settings.ts'
import type { LearnFolder } from './format-spam.ts'

export interface SpamSettings {
  readonly rules: RulesSettings
  readonly bayes: BayesSettings
  readonly uriLists: UriListSettings
  readonly correspondents: { readonly rememberMs: number }
  readonly senders: { readonly rememberMs: number }
  readonly engines: readonly EngineSettings[]
}

export interface RulesSettings {
  /** those that come with Postern */
  readonly shipped: boolean
  /** files and folders */
  readonly paths: readonly string[]
  /** instead of the rules' own */
  readonly scores: ReadonlyMap<string, number>
  /** SpamAssassin's: files and folders */
  readonly spamassassin: readonly string[]
}

export interface BayesSettings {
  /** of each class */
  readonly minMessages: number
  readonly maxTokens: number
  readonly expireMs: number
  readonly learn: readonly LearnFolder[]
  /** points, without the classifier's; undefined: nothing is learned by itself */
  readonly autoLearn: { readonly spam: number; readonly ham: number } | undefined
}
