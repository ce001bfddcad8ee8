/** What is learned without being told, and from where. Types only. */

export interface LearnFolder {
  /** with `*` for one name */
  readonly folder: string
  readonly as: 'spam' | 'ham'
}

export interface LearningSettings {
  readonly maxTokens: number
  readonly expireMs: number
  readonly learn: readonly LearnFolder[]
  /** points, without the classifier's; undefined: nothing is learned by itself */
  readonly autoLearn: { readonly spam: number; readonly ham: number } | undefined
}
