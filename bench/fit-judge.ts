/**
 * What fitted scores do to mail that they were not fitted to: for each split
 * scores from its training part, and with them its tested part.
 */
import { fitMessage, type Mail, type Split } from './fit-mail.ts'
import { fitScores, lossOf, written, type FitPlan } from './fit-scores.ts'

export interface Judgement {
  readonly split: Split['name']
  /** the message's number in the mail */
  readonly at: number
  readonly unwanted: boolean
  /** points of the rules by scores that were fitted without it, and by their authors' */
  readonly rules: number
  readonly authors: number
  readonly classifier: number
  /** numbers of rules, and the points that each gave */
  readonly hits: readonly { readonly rule: number; readonly points: number }[]
}

export function judge(mail: Mail, splits: readonly Split[], plan: FitPlan): Judgement[] {
  return splits.flatMap(({ name, training, tested }) => {
    const scores = fitScores(mail.rules, training.map((one) => fitMessage(mail, one)), plan).map(written)
    return tested.map((one): Judgement => {
      const { unwanted, hits } = fitMessage(mail, one)
      const points = hits.map((rule) => ({ rule, points: scores[rule] ?? 0 }))
      const authors = hits.reduce((sum, rule) => sum + (mail.rules[rule]?.prior ?? 0), 0)
      return { split: name, at: one.at, unwanted, rules: hundredths(points.reduce((sum, hit) => sum + hit.points, 0)), authors: hundredths(authors), classifier: one.classifier, hits: points }
    })
  })
}

/** As the gateway adds up, so that 5 is 5. */
export function hundredths(points: number): number {
  return Math.round(points * 100) / 100
}

export interface Spread {
  readonly spread: number
  /** for each message that was held out, on the average over folds */
  readonly loss: number
  /** of that average */
  readonly error: number
}

export function trySpreads(mail: Mail, splits: readonly Split[], plans: readonly FitPlan[]): Spread[] {
  const folds = splits.filter(({ name }) => name === 'folds')
  const parts = folds.map(({ training, tested }) => ({ training: training.map((one) => fitMessage(mail, one)), tested: tested.map((one) => fitMessage(mail, one)) }))
  return plans.map((plan) => {
    const losses = parts.map(({ training, tested }) => lossOf(fitScores(mail.rules, training, plan), tested, plan) / Math.max(1, tested.length))
    const loss = losses.reduce((sum, one) => sum + one, 0) / losses.length
    const variance = losses.reduce((sum, one) => sum + (one - loss) ** 2, 0) / Math.max(1, losses.length - 1)
    return { spread: plan.spread, loss, error: Math.sqrt(variance / losses.length) }
  })
}

/** The least that does as well as the best, within what chance may do to it: other mail will be judged than this. */
export function chooseSpread(spreads: readonly Spread[]): number {
  const best = spreads.reduce((one, other) => (other.loss < one.loss ? other : one))
  return Math.min(...spreads.filter(({ loss }) => loss <= best.loss + best.error).map(({ spread }) => spread))
}
