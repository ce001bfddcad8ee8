/**
 * The word of the classifier on a message: a probability that it is unwanted,
 * and points for the score. It has none before it knows `MIN_MESSAGES` of each
 * class, or as many as the configuration says: what is common in few messages
 * is chance.
 *
 * Points follow the indicator of Fisher's method, which goes from −1 (wanted) to
 * 1 (unwanted) and is 0 where evidence is missing or contradicts itself:
 * `SPAM_POINTS` times what is above 0, `HAM_POINTS` times what is below. The
 * tag threshold is 5: a probability of 0.9 reaches it without a rule's help,
 * anything less needs one; and certainty that mail is wanted outweighs a few rules, but
 * not a message that breaks all of them – words are easily borrowed.
 *
 * Never throws.
 */
import { combine, Estimates, tellingTokens, type TellingToken, type Trained } from './combine.ts'
import type { TokenSet } from './token-set.ts'

export const MIN_MESSAGES = 200
export const SPAM_POINTS = 6.25
export const HAM_POINTS = 4
/** named in `scan` */
const MOST_TELLING = 30

export type Classification =
  /** how many it knows; both zero where there is no model */
  | { readonly status: 'untrained'; readonly ham: number; readonly spam: number; readonly points: 0 }
  | {
      readonly status: 'classified'
      /** that it is unwanted */
      readonly probability: number
      readonly points: number
      /** tokens that counted */
      readonly counted: number
      /** those that weighed most; [] unless the tokens have their names */
      readonly telling: readonly TellingToken[]
    }

const estimatesOf = new WeakMap<Trained, Estimates>()

/** @param minMessages of each class, before it has a say */
export function classify(tokens: TokenSet, trained: Trained | undefined, minMessages = MIN_MESSAGES): Classification {
  if (trained === undefined) return { status: 'untrained', ham: 0, spam: 0, points: 0 }
  const { ham, spam } = trained
  if (ham < minMessages || spam < minMessages) return { status: 'untrained', ham, spam, points: 0 }
  let estimates = estimatesOf.get(trained)
  if (estimates === undefined) {
    estimates = new Estimates(trained)
    estimatesOf.set(trained, estimates)
  }
  const { probability, telling } = combine(tokens, trained, estimates)
  return {
    status: 'classified', probability, points: pointsOf(probability), counted: telling,
    telling: tokens.names === undefined ? [] : tellingTokens(tokens, trained, MOST_TELLING),
  }
}

export function pointsOf(probability: number): number {
  const indicator = 2 * probability - 1
  return Math.round(indicator * (indicator > 0 ? SPAM_POINTS : HAM_POINTS) * 100) / 100
}
