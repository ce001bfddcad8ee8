/**
 * The verdict: facts and policy in, action and reasons out. Pure: no I/O, no
 * clock, no state.
 *
 * Two rules hold whatever the policy says. A temporary error alone never ends
 * in a refusal for good: what could not be found out costs a 451 at most, and
 * so does a refusal whose exception could not be found out. And a refusal that
 * an exception may still excuse waits until the exception is known.
 */
import type { Reply } from '../smtp/reply.ts'
import { evaluate, type FactName, type FactValue } from './condition.ts'
import type { CheckOutcome } from './outcome.ts'
import type { Action, CheckName, Exception, Policy } from './policy.ts'
import type { Truth } from './truth.ts'

export type VerdictAction = 'accept' | 'quarantine' | 'tempfail' | 'reject' | 'disconnect'

/** What one outcome came to. */
export interface Effect {
  readonly check: CheckName
  readonly status: CheckOutcome['status']
  readonly result: string
  /** what the policy says of the check */
  readonly policy: Action
  /** what became of it here; nothing: it spoke for the message, or the check is only noted */
  readonly effect: 'nothing' | 'warn' | 'score' | 'quarantine' | 'tempfail' | 'reject' | 'disconnect' | 'excused' | 'deferred'
  readonly points: number
  /** reasons of the exceptions that excused it, or that it waits for */
  readonly exceptions: readonly string[]
}

export interface Verdict {
  readonly action: VerdictAction
  /** what decided it */
  readonly by: CheckName | 'score' | undefined
  /** of a refusal; without the decision ID */
  readonly reply: Reply | undefined
  /** values of `X-Warning` fields */
  readonly warnings: readonly string[]
  readonly score: number
  /** the score has reached the tag threshold */
  readonly tagged: boolean
  readonly effects: readonly Effect[]
}

/** Why what some checks found is no reason for anything, as far as it is known. */
export interface Excuse {
  /** undefined: all of them */
  readonly checks: readonly CheckName[] | undefined
  readonly truth: Truth
  /** for the log and `postern why` */
  readonly reason: string
}

export interface DecideInput {
  readonly outcomes: readonly CheckOutcome[]
  /** for the conditions of exceptions */
  readonly facts: (name: FactName) => FactValue
  /** beside the exceptions of the policy: entries of the allow list */
  readonly excuses?: readonly Excuse[]
  /** nothing more will be known: what is pending now is not so */
  readonly final: boolean
  /** no DNS server answers at all */
  readonly dnsDown: boolean
}

const RANK: Readonly<Record<VerdictAction, number>> = { accept: 0, quarantine: 1, tempfail: 2, reject: 3, disconnect: 4 }

export function decide(policy: Policy, input: DecideInput): Verdict {
  const effects = input.outcomes.map((outcome) => effectOf(outcome, policy, input))
  const score = round(effects.reduce((sum, { points }) => sum + points, 0))
  let action: VerdictAction = 'accept'
  let by: Verdict['by']
  let reply: Reply | undefined
  for (const [i, { effect, check }] of effects.entries()) {
    const outcome = input.outcomes[i]
    if (outcome === undefined || !isVerdict(effect) || RANK[effect] <= RANK[action]) continue
    action = effect
    by = check
    reply = effect === 'quarantine' ? undefined : { status: effect === 'tempfail' ? 451 : 550, subject: outcome.code[0], detail: outcome.code[1], text: outcome.text }
  }
  const scored = byScore(score, policy, input.final)
  if (RANK[scored] > RANK[action]) {
    action = scored
    by = 'score'
    reply = scored === 'reject' ? { status: 550, subject: 7, detail: 1, text: 'Message refused: it has too many marks of spam' } : undefined
  }
  return { action, by, reply, warnings: warningsOf(effects, input.outcomes), score, tagged: policy.spam.tag !== undefined && score >= policy.spam.tag, effects }
}

function isVerdict(effect: Effect['effect']): effect is Exclude<VerdictAction, 'accept'> {
  return effect === 'quarantine' || effect === 'tempfail' || effect === 'reject' || effect === 'disconnect'
}

function effectOf(outcome: CheckOutcome, policy: Policy, input: DecideInput): Effect {
  const { action, weight } = policy.checks[outcome.check]
  const { check, status, result } = outcome
  const made = (effect: Effect['effect'], exceptions: readonly string[] = []): Effect => ({
    check, status, result, policy: action, effect, points: effect === 'score' || effect === 'warn' ? (outcome.weight ?? weight) : 0, exceptions,
  })
  // What speaks for a message is not excused.
  if (status === 'pass' && action === 'score' && (outcome.weight ?? 0) < 0) return made('score')
  const wanted = wantedEffect(outcome, action, policy.dnsDown === 'accept' && input.dnsDown)
  if (wanted === 'nothing') return made('nothing')
  const excused = excuseOf(check, policy.exceptions, input)
  switch (excused.truth) {
    case 'true':
      return made('excused', excused.reasons)
    case 'pending':
      return made('deferred', excused.reasons)
    case 'temperror':
      // Whether it is excused could not be found out: that is no reason to refuse for good.
      return made(forUncertain(wanted), excused.reasons)
    case 'false':
      return made(outcome.uncertain === true ? forUncertain(wanted) : wanted)
  }
}

/** Points could add up to a refusal for good, and so they do not count either. */
function forUncertain(wanted: Wanted): Wanted {
  if (wanted === 'score' || wanted === 'warn') return 'nothing'
  return wanted === 'reject' || wanted === 'disconnect' ? 'tempfail' : wanted
}

type Wanted = Exclude<Effect['effect'], 'excused' | 'deferred'>

function wantedEffect({ status, demand, mild = false }: CheckOutcome, action: Action, dnsForgiven: boolean): Wanted {
  if (action === 'off' || action === 'note' || status === 'pass' || status === 'none') return 'nothing'
  if (status === 'temperror') {
    // DMARC that could not be found out is not a reason to keep mail out: RFC 9989 leaves it to the receiver, and mail flows.
    const refuses = action === 'tempfail' || action === 'reject' || action === 'disconnect'
    return refuses && !dnsForgiven ? 'tempfail' : 'nothing'
  }
  if (mild && action !== 'honour') return 'score'
  if (action !== 'honour') return action
  return demand === 'reject' || demand === 'quarantine' ? demand : 'nothing'
}

function excuseOf(check: CheckName, exceptions: readonly Exception[], input: DecideInput): { truth: Truth; reasons: readonly string[] } {
  const rules = exceptions.map(({ checks, when, reason }): Excuse => ({ checks, truth: evaluate(when, input.facts), reason }))
  const found = new Map<Truth, string[]>()
  for (const { checks, truth, reason } of [...rules, ...(input.excuses ?? [])]) {
    if (checks !== undefined && !checks.includes(check)) continue
    const settled = input.final && truth === 'pending' ? 'false' : truth
    found.set(settled, [...(found.get(settled) ?? []), reason])
  }
  for (const truth of ['true', 'pending', 'temperror'] as const) {
    const reasons = found.get(truth)
    if (reasons !== undefined) return { truth, reasons }
  }
  return { truth: 'false', reasons: [] }
}

/** The score is whole only at the end. */
function byScore(score: number, { spam }: Policy, final: boolean): 'accept' | 'quarantine' | 'reject' {
  if (!final) return 'accept'
  if (spam.reject !== undefined && score >= spam.reject) return 'reject'
  return spam.quarantine !== undefined && score >= spam.quarantine ? 'quarantine' : 'accept'
}

function warningsOf(effects: readonly Effect[], outcomes: readonly CheckOutcome[]): readonly string[] {
  return effects.flatMap(({ effect }, i) => (effect === 'warn' ? outcomes[i]?.warnings ?? [] : []))
}

/** Sums of tenths stay tenths. */
function round(points: number): number {
  return Math.round(points * 1000) / 1000
}
