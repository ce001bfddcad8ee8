/**
 * What is remembered of a decision for `postern why`: the transaction as the
 * log has it, each check with its result, duration and DNS answers, each rule
 * that had an effect with its points, the verdict, and what would have changed
 * it. Plain JSON data, bounded by what it is made of.
 */
import { isUnknown, type Effect, type Verdict } from '../policy/decide.ts'
import type { Thresholds } from '../policy/policy.ts'
import { whatIf } from '../policy/what-if.ts'
import type { CheckTrace } from './check-trace.ts'
import type { JudgementState } from './judgement.ts'

export interface DecisionRecord {
  /** as in the log line `message`; without the lists that stand below */
  readonly transaction: Readonly<Record<string, unknown>>
  readonly checks: readonly CheckTrace[]
  /** undefined: nothing was checked */
  readonly verdict: RecordedVerdict | undefined
  /** recipients that were refused by the policy; the first few */
  readonly refused: readonly { readonly recipient: string; readonly verdict: RecordedVerdict }[]
  /** of the shadow policy, where it would have decided otherwise */
  readonly shadow: RecordedVerdict | undefined
  /** points from which the policy does something; undefined where there was no verdict */
  readonly thresholds: Thresholds | undefined
  /** sentences */
  readonly changes: readonly string[]
}

export interface RecordedVerdict {
  readonly action: Verdict['action']
  readonly by: string | undefined
  readonly score: number
  readonly tagged: boolean
  readonly effects: readonly Effect[]
}

export function decisionRecord(transaction: Readonly<Record<string, unknown>>, state: JudgementState | undefined): DecisionRecord {
  const { verdict, input, policy, shadow } = state ?? {}
  const decided = verdict === undefined || input === undefined || policy === undefined ? undefined : { verdict, input, policy }
  const notable = decided !== undefined && (decided.verdict.action !== 'accept' || decided.verdict.tagged)
  return {
    transaction,
    checks: state?.traces ?? [],
    verdict: verdict === undefined ? undefined : recorded(verdict),
    refused: (state?.refusals ?? []).map((one) => ({ recipient: one.recipient, verdict: recorded(one.verdict) })),
    shadow: verdict === undefined || shadow === undefined || agree(verdict, shadow) ? undefined : recorded(shadow),
    thresholds: decided?.policy.spam,
    changes: notable ? whatIf(decided.policy, decided.input, decided.verdict).sentences : [],
  }
}

function agree(a: Verdict, b: Verdict): boolean {
  return a.action === b.action && a.tagged === b.tagged
}

function recorded({ action, by, score, tagged, effects }: Verdict): RecordedVerdict {
  return { action, by, score, tagged, effects: effects.filter(({ effect, status }) => effect !== 'nothing' || status === 'fail' || status === 'temperror') }
}

/** For the log: `spf=pass dkim=none dmarc=pass`, and what counted or could not be found out. */
export function summaryOf({ known, verdict, learned }: JudgementState): { readonly auth: string; readonly tests: readonly string[]; readonly score: number | undefined; readonly learned: JudgementState['learned'] } {
  const words = [
    ['iprev', known.iprev?.status], ['spf', known.spf?.status], ['dkim', known.dkim?.status], ['arc', known.arc?.status], ['dmarc', known.dmarc?.status],
  ].flatMap(([name, status]) => (status === undefined ? [] : [`${name ?? ''}=${status}`]))
  const tests = (verdict?.effects ?? []).filter(isTold).flatMap(wordsOf)
  return { auth: words.join(' '), tests, score: verdict?.score, learned }
}

/** The same words as `tests`, for who looks at what was kept: what decided comes first, then what has the most points. */
export function reasonsOf({ verdict }: Pick<JudgementState, 'verdict'>): readonly string[] {
  if (verdict === undefined) return []
  const decided = ({ check, effect }: Effect): number => Number(check === verdict.by && effect === verdict.action)
  const heaviest = verdict.effects.filter(isTold).map((effect): Effect => ({ ...effect, parts: effect.parts?.toSorted((a, b) => b.points - a.points) ?? [] }))
  return heaviest.sort((a, b) => decided(b) - decided(a) || b.points - a.points).flatMap(wordsOf)
}

function isTold(effect: Effect): boolean {
  return effect.effect !== 'nothing' || isUnknown(effect)
}

function wordsOf({ check, result, points, parts = [] }: Effect): readonly string[] {
  return [`${check}:${result}${points === 0 ? '' : ` ${points}`}`, ...parts.map((part) => `${part.name} ${part.points}`)]
}
