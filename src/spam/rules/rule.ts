/**
 * A rule, what it says of a message, and what can be wrong with it. Types only.
 */
import type { ConfigurationError } from '../../config/problem.ts'
import type { Condition, Quantity } from './condition.ts'

export interface Rule {
  /** capitals, digits, underscores; `__` in front: a part of others, which scores nothing */
  readonly id: string
  /** undefined: a part of others; 0: switched off, but for others */
  readonly score: number | undefined
  readonly why: string
  readonly when: Condition
  /** its points tell nothing of what other spam is like: nothing is learned of them */
  readonly teaches?: false
  /** how often it counts where others count it; undefined: once */
  readonly times?: Quantity
}

export interface RuleHit {
  readonly id: string
  readonly score: number
  readonly why: string
  /** what it matched: text of a stranger, at most 80 characters */
  readonly excerpt?: string
}

export interface RuleOutcome {
  /** in the order of the files */
  readonly hits: readonly RuleHit[]
  /** of all hits, rounded to thousandths */
  readonly score: number
  /** which bound ended the look at the message before its end; undefined: none did */
  readonly incomplete: string | undefined
}

export interface RuleProblem extends ConfigurationError {
  /** the rule that is not used because of it; undefined where the file as a whole is at fault */
  readonly rule: string | undefined
}

export const MIN_SCORE = -1000
export const MAX_SCORE = 1000

export function isPart(id: string): boolean {
  return id.startsWith('__')
}
