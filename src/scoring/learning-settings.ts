/** What is learned without being told, from where, and where it is kept. Types only. */
import type { RedisSettings } from '../state/redis-settings.ts'

export interface LearnFolder {
  /** with `*` for one name */
  readonly folder: string
  readonly as: 'spam' | 'ham'
}

/** Where what is learned is kept. */
export type LearningStore = { readonly kind: 'embedded' } | { readonly kind: 'redis'; readonly redis: RedisSettings }

export interface LearningSettings {
  readonly store: LearningStore
  /** of each class, before the classifier has a say */
  readonly minMessages: number
  /** that tagged mail is given; undefined: none */
  readonly subjectPrefix?: string | undefined
  readonly maxTokens: number
  readonly expireMs: number
  readonly learn: readonly LearnFolder[]
  /** points, without the classifier's; undefined: nothing is learned by itself */
  readonly autoLearn: { readonly spam: number; readonly ham: number } | undefined
}
