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
import type { CheckOutcome, OutcomePart } from './outcome.ts'
import { CHECKS, type Action, type CheckName, type Exception, type Policy } from './policy.ts'
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
  /** what the points are made of, where the check says so */
  readonly parts?: readonly OutcomePart[]
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
  /** undefined: all of them but the rates and viruses */
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

/** RFC 5321 §4.5.3.1.5: a reply line has 512 octets, with code, decision ID and CRLF. */
const MAX_TEXT_CHARACTERS = 440

const RANK: Readonly<Record<VerdictAction, number>> = { accept: 0, quarantine: 1, tempfail: 2, reject: 3, disconnect: 4 }

export function decide(policy: Policy, input: DecideInput): Verdict {
  const excuses = excusesByCheck(policy.exceptions, input)
  const effects = input.outcomes.map((outcome) => effectOf(outcome, policy, { input, excuses }))
  const score = round(effects.reduce((sum, { points }) => sum + points, 0))
  let action: VerdictAction = 'accept'
  let by: Verdict['by']
  let reply: Reply | undefined
  for (const [i, { effect, check }] of effects.entries()) {
    const outcome = input.outcomes[i]
    if (outcome === undefined || !isVerdict(effect) || RANK[effect] <= RANK[action]) continue
    action = effect
    by = check
    reply = effect === 'quarantine' ? undefined : { status: effect === 'tempfail' ? 451 : 550, subject: outcome.code[0], detail: outcome.code[1], text: outcome.text.slice(0, MAX_TEXT_CHARACTERS) }
  }
  const scored = byScore(score, policy, { final: input.final, perhapsLess: perhapsLess(effects, input.outcomes) })
  if (RANK[scored] > RANK[action]) {
    action = scored
    by = 'score'
    reply = scoreReply(scored)
  }
  return { action, by, reply, warnings: warningsOf(effects, input.outcomes), score, tagged: policy.spam.tag !== undefined && score >= policy.spam.tag, effects }
}

/** Of checks that have a say: mail may go on, and nobody shall take it for what was looked at and is clean. */
export function isUnknown({ status, policy }: Effect): boolean {
  return status === 'temperror' && policy !== 'off' && policy !== 'note'
}

function isVerdict(effect: Effect['effect']): effect is Exclude<VerdictAction, 'accept'> {
  return effect === 'quarantine' || effect === 'tempfail' || effect === 'reject' || effect === 'disconnect'
}

function effectOf(outcome: CheckOutcome, policy: Policy, { input, excuses }: { readonly input: DecideInput; readonly excuses: Excuses }): Effect {
  const { action, weight } = policy.checks[outcome.check]
  const { check, status, result, parts } = outcome
  const made = (effect: Effect['effect'], exceptions: readonly string[] = []): Effect => ({
    check, status, result, policy: action, effect, points: effect === 'score' || effect === 'warn' ? (outcome.weight ?? weight) : 0, exceptions, ...(parts !== undefined && { parts }),
  })
  // What speaks for a message is not excused.
  if (status === 'pass' && action === 'score' && (outcome.weight ?? 0) < 0) return made('score')
  const wanted = wantedEffect(outcome, action, policy.dnsDown === 'accept' && input.dnsDown)
  if (wanted === 'nothing') return made('nothing')
  const excused = excuseOf(excuses.get(check))
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

function wantedEffect({ status, demand, mild = false, flows }: CheckOutcome, action: Action, dnsForgiven: boolean): Wanted {
  if (action === 'off' || action === 'note' || status === 'pass' || status === 'none') return 'nothing'
  if (status === 'temperror') {
    // Somebody has said that no mail goes by without this one, whatever is done about what it finds.
    if (flows === false) return 'tempfail'
    // Honour too: whoever could make us unable to ask would have a way around every policy.
    const refuses = action === 'tempfail' || action === 'reject' || action === 'disconnect' || action === 'honour'
    return refuses && !dnsForgiven && flows !== true ? 'tempfail' : 'nothing'
  }
  if (mild && action !== 'honour') return 'score'
  if (action !== 'honour') return action
  return demand === 'reject' || demand === 'quarantine' ? demand : 'nothing'
}

/** Reasons by what they come to; the first few of each. */
type Excuses = ReadonlyMap<CheckName, ReadonlyMap<Truth, readonly string[]>>

const MAX_REASONS = 10

/** Each condition is evaluated once, however many checks it excuses. */
function excusesByCheck(exceptions: readonly Exception[], input: DecideInput): Excuses {
  const byCheck = new Map<CheckName, Map<Truth, string[]>>()
  const add = ({ checks, truth, reason }: Excuse): void => {
    const settled = input.final && truth === 'pending' ? 'false' : truth
    if (settled === 'false') return
    // A limit that waits for the message would be none; and who is let through is not let through without bounds.
    for (const check of checks ?? BOUNDLESS) {
      if (check === 'rate' && settled === 'pending') continue
      const of = byCheck.get(check) ?? new Map<Truth, string[]>()
      byCheck.set(check, of)
      const reasons = of.get(settled)
      if (reasons === undefined) of.set(settled, [reason])
      else if (reasons.length < MAX_REASONS) reasons.push(reason)
    }
  }
  for (const { checks, when, reason } of exceptions) add({ checks, truth: evaluate(when, input.facts), reason })
  for (const excuse of input.excuses ?? []) add(excuse)
  return byCheck
}

/** Who is believed in everything else may still be flooded, or infected. */
const BOUNDLESS = CHECKS.filter((check) => check !== 'rate' && check !== 'virus')

function excuseOf(found: ReadonlyMap<Truth, readonly string[]> | undefined): { truth: Truth; reasons: readonly string[] } {
  for (const truth of ['true', 'pending', 'temperror'] as const) {
    const reasons = found?.get(truth)
    if (reasons !== undefined) return { truth, reasons }
  }
  return { truth: 'false', reasons: [] }
}

/** The score is whole only at the end; and what a list or an engine might have taken away is no reason to refuse for good. */
function byScore(score: number, { spam }: Policy, { final, perhapsLess }: { readonly final: boolean; readonly perhapsLess: number }): 'accept' | 'quarantine' | 'tempfail' | 'reject' {
  if (!final) return 'accept'
  if (spam.reject !== undefined && score >= spam.reject) return score - perhapsLess >= spam.reject ? 'reject' : 'tempfail'
  return spam.quarantine !== undefined && score >= spam.quarantine ? 'quarantine' : 'accept'
}

/** Points that lists and engines would perhaps have taken away, had they answered. */
function perhapsLess(effects: readonly Effect[], outcomes: readonly CheckOutcome[]): number {
  return effects.reduce((sum, { policy, status }, i) => sum + (status === 'temperror' && policy === 'score' ? Math.max(0, -(outcomes[i]?.weight ?? 0)) : 0), 0)
}

function scoreReply(action: 'accept' | 'quarantine' | 'tempfail' | 'reject'): Reply | undefined {
  switch (action) {
    case 'reject': return { status: 550, subject: 7, detail: 1, text: 'Message refused: it has too many marks of spam' }
    case 'tempfail': return { status: 451, subject: 7, detail: 1, text: 'Too many marks of spam, and not all that may speak for you has answered: try again later' }
    case 'accept':
    case 'quarantine': return undefined
  }
}

function warningsOf(effects: readonly Effect[], outcomes: readonly CheckOutcome[]): readonly string[] {
  return effects.flatMap(({ effect }, i) => (effect === 'warn' ? outcomes[i]?.warnings ?? [] : []))
}

/** Sums of tenths stay tenths. */
function round(points: number): number {
  return Math.round(points * 1000) / 1000
}
