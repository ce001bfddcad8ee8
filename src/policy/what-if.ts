/**
 * What would have changed a verdict, for `postern why`. Pure: it decides again
 * with one outcome passed, and, where no single one would have had the message
 * accepted, with two; and it says how far the score was from its thresholds.
 *
 * A check that had passed would also be known as passed to the conditions of
 * exceptions; facts beside it (which domain passed) stay as they were. What is
 * already a pass, and what had no effect, is not tried. Nothing throws.
 */
import type { FactName, FactValue } from './condition.ts'
import { decide, type DecideInput, type Effect, type Verdict, type VerdictAction } from './decide.ts'
import { NOT_SEARCHED, type CheckOutcome } from './outcome.ts'
import type { CheckName, Policy } from './policy.ts'

export interface WhatIf {
  /** the mildest first, of equal ones those that need less; at most 10 */
  readonly changes: readonly WhatIfChange[]
  /** undefined while the score is not whole */
  readonly score: ScoreDistance | undefined
  /** the same in plain words; empty where there is nothing to say */
  readonly sentences: readonly string[]
}

export interface WhatIfChange {
  /** one or two checks, had they passed */
  readonly changes: readonly CheckName[]
  readonly action: VerdictAction
}

export type ThresholdName = 'tag' | 'quarantine' | 'reject'

export interface ScoreDistance {
  readonly score: number
  /** the highest threshold that the score has reached, and how far it is above: it would have to lose more than that */
  readonly reached: { readonly threshold: ThresholdName; readonly at: number; readonly above: number } | undefined
  /** the one that comes next, and what is missing to it */
  readonly next: { readonly threshold: ThresholdName; readonly at: number; readonly missing: number } | undefined
}

const MAX_CHANGES = 10
/** From the mildest on. */
const ACTIONS: readonly VerdictAction[] = ['accept', 'quarantine', 'tempfail', 'reject', 'disconnect']

export function whatIf(policy: Policy, input: DecideInput, verdict: Verdict): WhatIf {
  const changes = verdict.action === 'accept' ? [] : changesOf(policy, input, verdict)
  const score = input.final ? distanceOf(policy, verdict.score) : undefined
  const sentences = changes.map((change) => sentenceOf(change, verdict.effects))
  if (verdict.action !== 'accept' && changes.length === 0) sentences.push('No one or two of the checks, had they passed, would have changed the verdict.')
  return { changes, score, sentences: score === undefined ? sentences : [...sentences, ...scoreSentences(score)] }
}

function changesOf(policy: Policy, input: DecideInput, verdict: Verdict): readonly WhatIfChange[] {
  const counted = new Set(verdict.effects.filter(({ effect, status }) => effect !== 'nothing' && status !== 'pass').map(({ check }) => check))
  const checks = [...counted]
  const tried = (...passed: readonly CheckName[]): VerdictAction => decide(policy, passedInput(input, passed)).action
  const alone = new Map(checks.map((check) => [check, tried(check)]))
  const changes: WhatIfChange[] = []
  for (const [check, action] of alone) if (rank(action) < rank(verdict.action)) changes.push({ changes: [check], action })
  if (!changes.some(({ action }) => action === 'accept')) {
    for (const [i, one] of checks.entries()) {
      for (const other of checks.slice(i + 1)) {
        const action = tried(one, other)
        // Both are needed only where neither alone does as much.
        const less = Math.min(rank(alone.get(one) ?? verdict.action), rank(alone.get(other) ?? verdict.action), rank(verdict.action))
        if (rank(action) < less) changes.push({ changes: [one, other], action })
      }
    }
  }
  return changes.toSorted((a, b) => rank(a.action) - rank(b.action) || a.changes.length - b.changes.length).slice(0, MAX_CHANGES)
}

function rank(action: VerdictAction): number {
  return ACTIONS.indexOf(action)
}

/** The words of a fact that its check gives when it passes. */
const PASSED: Readonly<Partial<Record<CheckName, readonly [fact: FactName, word: string]>>> = {
  rdns: ['rdns', 'pass'], fcrdns: ['fcrdns', 'pass'], generic_name: ['generic_name', 'no'], dnsbl: ['dnsbl', 'clean'],
  helo: ['helo', 'pass'], spf: ['spf', 'pass'], dkim: ['dkim', 'pass'], dmarc: ['dmarc', 'pass'],
}

function passedInput(input: DecideInput, passed: readonly CheckName[]): DecideInput {
  const words = new Map(passed.flatMap((check) => (PASSED[check] === undefined ? [] : [PASSED[check]])))
  return {
    ...input,
    outcomes: input.outcomes.map((outcome) => (passed.includes(outcome.check) ? passedOutcome(outcome) : outcome)),
    facts(name): FactValue {
      const word = words.get(name)
      return word === undefined ? input.facts(name) : { status: 'known', values: [word] }
    },
  }
}

/** A pass of its own, without points: what a list says for a client is not what is asked here. */
function passedOutcome({ check, code, text }: CheckOutcome): CheckOutcome {
  return { check, status: 'pass', result: 'pass', code, text }
}

function distanceOf({ spam }: Policy, score: number): ScoreDistance {
  const set = (['tag', 'quarantine', 'reject'] as const).flatMap((threshold) => (spam[threshold] === undefined ? [] : [{ threshold, at: spam[threshold] }])).sort((a, b) => a.at - b.at)
  const reached = set.findLast(({ at }) => score >= at)
  const next = set.find(({ at }) => score < at)
  return {
    score,
    reached: reached === undefined ? undefined : { ...reached, above: points(score - reached.at) },
    next: next === undefined ? undefined : { ...next, missing: points(next.at - score) },
  }
}

/** As the score is: to a thousandth. */
function points(number: number): number {
  return Math.round(number * 1000) / 1000
}

const PASSED_WORDS: Readonly<Record<CheckName, string>> = {
  early_talker: 'the client had waited for its turn to speak',
  rate: 'the rate had been within its limit',
  rdns: 'the client address had a name in reverse DNS',
  fcrdns: 'the name of the client had led back to its address',
  generic_name: 'the name of the client had not looked like one of a pool of addresses',
  dnsbl: 'the client had been on no block list',
  dnswl: 'the list of good clients had answered',
  helo: 'the name in HELO had been in order',
  sender_domain: 'the sender domain had been able to receive mail',
  spf: 'SPF had passed',
  dkim: 'DKIM had passed',
  dmarc: 'DMARC had passed',
  virus: 'no virus had been found',
  content: 'the rules about content had found nothing',
  bayes: 'the classifier had not known such mail',
  uri_list: 'no list had known its links',
  correspondent: 'the history of the sender had been readable',
  engine: 'the other spam engine had found nothing',
}

/** Where nothing was found since nobody answered, if that is no pass in itself. */
const ANSWERED_WORDS: Readonly<Partial<Record<CheckName, string>>> = {
  dnsbl: 'the block lists had answered, and the client had been on none',
  virus: 'the virus scanner had answered, and had found no virus',
  content: 'the rules about content could have been tried, and had found nothing',
  bayes: 'the classifier could have been asked, and had not known such mail',
  uri_list: 'the lists of links had answered, and had known none of them',
  engine: 'the other spam engine had answered, and had found nothing',
}

const SEARCHED_WORDS = 'it could have been searched for viruses, and none had been found'

const ACTION_WORDS: Readonly<Record<VerdictAction, string>> = {
  accept: 'accepted', quarantine: 'put into quarantine', tempfail: 'put off for later (451)', reject: 'refused (550)', disconnect: 'refused (550) and the session ended',
}

const THRESHOLD_WORDS: Readonly<Record<ThresholdName, string>> = { tag: 'be tagged', quarantine: 'go into quarantine', reject: 'be refused' }

function sentenceOf({ changes, action }: WhatIfChange, effects: readonly Effect[]): string {
  return `If ${changes.map((check) => passedWords(check, effects)).join(', and ')}, it would have been ${ACTION_WORDS[action]}.`
}

function passedWords(check: CheckName, effects: readonly Effect[]): string {
  const failed = effects.filter((effect) => effect.check === check && effect.status === 'fail')
  if (failed.length === 0) return ANSWERED_WORDS[check] ?? PASSED_WORDS[check]
  return check === 'virus' && failed.every(({ result }) => result.startsWith(NOT_SEARCHED)) ? SEARCHED_WORDS : PASSED_WORDS[check]
}

function scoreSentences({ score, reached, next }: ScoreDistance): readonly string[] {
  const sentences: string[] = []
  if (reached !== undefined) sentences.push(`The score of ${score} has reached ${reached.at}, from which on messages are to ${THRESHOLD_WORDS[reached.threshold]}${reached.above === 0 ? ', exactly' : `; it is ${reached.above} above`}.`)
  if (next !== undefined) sentences.push(`The score of ${score} is ${next.missing} below ${next.at}, from which on messages are to ${THRESHOLD_WORDS[next.threshold]}.`)
  return sentences
}
