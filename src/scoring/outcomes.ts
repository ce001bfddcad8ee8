/**
 * What rules, classifier, lists, correspondents and engines found, as the
 * policy sees it. Pure. Each brings its points, and the names that stand in
 * `X-Spam-Status`. What could not be found out is `temperror` and counts nothing.
 */
import { NOT_SEARCHED, type CheckOutcome, type OutcomePart } from '../policy/outcome.ts'
import type { KnownOutcome } from '../reputation/correspondents.ts'
import type { UriListOutcome } from '../reputation/uri-lists.ts'
import type { Classification } from '../spam/bayes/classifier.ts'
import type { EngineReport } from '../spam/engines/create-engines.ts'
import type { RuleOutcome } from '../spam/rules/rule.ts'

/** RFC 3463 §3.8: other security or policy status. */
const POLICY_CODE = [7, 1] as const
const CONTENT_TEXT = 'Message refused: its content has too many marks of spam'
const MAX_PARTS = 200

export function contentOutcome({ hits, score, incomplete }: RuleOutcome): CheckOutcome {
  const parts = hits.slice(0, MAX_PARTS).map(({ id, score: points, why, excerpt }): OutcomePart => ({ name: id, points, why: excerpt === undefined ? why : `${why}: ${excerpt}` }))
  const common = { check: 'content', code: POLICY_CODE, text: CONTENT_TEXT, weight: score, ...(parts.length > 0 && { parts }) } as const
  const result = incomplete === undefined ? `${hits.length} rules` : `${hits.length} rules, and not all could be tried: ${incomplete}`
  if (hits.length === 0) return incomplete === undefined ? { ...common, status: 'none', result: 'none' } : { ...common, status: 'temperror', flows: true, result: 'temperror', weight: 0 }
  return { ...common, status: score < 0 ? 'pass' : 'fail', result }
}

/** Content that could not be read or judged at all. */
export function contentTrouble(): CheckOutcome {
  return { check: 'content', status: 'temperror', flows: true, result: 'temperror', code: POLICY_CODE, text: CONTENT_TEXT, weight: 0 }
}

/** From, in hundredths, and what filters know such a result as. */
const BAYES_NAMES: readonly (readonly [from: number, name: string])[] = [
  [0.999, 'BAYES_999'], [0.99, 'BAYES_99'], [0.95, 'BAYES_95'], [0.8, 'BAYES_80'], [0.6, 'BAYES_60'], [0.4, 'BAYES_50'], [0.2, 'BAYES_40'], [0.05, 'BAYES_20'], [0.01, 'BAYES_05'], [0, 'BAYES_00'],
]

export function bayesName(probability: number): string {
  return BAYES_NAMES.find(([from]) => probability >= from)?.[1] ?? 'BAYES_00'
}

export function bayesOutcome(found: Classification): CheckOutcome {
  const common = { check: 'bayes', code: POLICY_CODE, text: 'Message refused: it looks like what was learned as spam here' } as const
  if (found.status === 'untrained') return { ...common, status: 'none', result: 'untrained', weight: 0 }
  const { probability, points } = found
  const name = bayesName(probability)
  const why = `the classifier takes it for spam with a probability of ${probability.toFixed(4)}`
  return { ...common, status: points < 0 ? 'pass' : points > 0 ? 'fail' : 'none', result: probability.toFixed(4), weight: points, parts: [{ name, points, why }] }
}

/** The classifier could not be asked. */
export function bayesTrouble(): CheckOutcome {
  return { check: 'bayes', status: 'temperror', flows: true, result: 'temperror', code: POLICY_CODE, text: '', weight: 0 }
}

/** In one word. A list that is not believed is as if it were not configured: that is an operator's matter, and in the log. */
export function uriListWord(found: readonly UriListOutcome[]): 'listed' | 'temperror' | 'clean' | 'none' {
  if (found.some(({ status }) => status === 'listed')) return 'listed'
  if (found.some((one) => one.status === 'error' && one.stage === 'look-up')) return 'temperror'
  return found.some(({ status }) => status === 'not-listed') ? 'clean' : 'none'
}

export function uriListOutcomes(found: readonly UriListOutcome[]): readonly CheckOutcome[] {
  const common = { check: 'uri_list', code: POLICY_CODE } as const
  const word = uriListWord(found)
  switch (word) {
    case 'listed': {
      const listed = found.filter((one) => one.status === 'listed')
      const parts = listed.map((one): OutcomePart => ({ name: listName(one.zone), points: one.weight, why: `${one.zone} lists ${one.listings.map(({ item }) => item).join(', ')}` }))
      const zones = listed.map(({ zone }) => zone).join(', ')
      return [{
        ...common, status: 'fail', result: word, weight: round(parts.reduce((sum, { points }) => sum + points, 0)), parts,
        text: `Message refused: it links to what is in a block list (${zones})`, warnings: [`this message links to what is in a black list at ${zones}`],
      }]
    }
    case 'temperror': return [uriListTrouble()]
    case 'clean': return [{ ...common, status: 'pass', result: word, text: '', weight: 0 }]
    case 'none': return []
  }
}

/** Whether it is listed could not be found out: where a listing would refuse, the message comes again. */
export function uriListTrouble(): CheckOutcome {
  return { check: 'uri_list', status: 'temperror', result: 'temperror', code: POLICY_CODE, text: 'The links in this message could not be looked up in a block list; try again later', weight: 0 }
}

/** `URI_DBL_SPAMHAUS_ORG` */
function listName(zone: string): string {
  return `URI_${zone.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}`
}

export function correspondentOutcome(found: KnownOutcome, credit: number): CheckOutcome {
  const common = { check: 'correspondent', code: POLICY_CODE, text: '' } as const
  switch (found.status) {
    case 'known': return { ...common, status: 'pass', result: 'known', weight: -credit, parts: [{ name: 'KNOWN_CORRESPONDENT', points: -credit, why: 'a user has written to this author before' }] }
    case 'unknown': return { ...common, status: 'none', result: 'unknown', weight: 0 }
    // What it would have taken away is no reason to refuse for good.
    case 'temperror': return { ...common, status: 'temperror', flows: true, result: 'temperror', weight: -credit }
  }
}

export function engineOutcomes(report: EngineReport): readonly CheckOutcome[] {
  const outcome = report.kind === 'clamav' ? scannerTrouble(report) ?? engineOutcome(report) : engineOutcome(report)
  if (outcome === undefined) return []
  // clamd names what it finds first, and looks no further: behind what stands for spam there may be a virus.
  return report.kind === 'clamav' && report.outcome.status === 'scored' ? [unsearched('not to the end'), outcome] : [outcome]
}

export function engineOutcome({ engine, kind, outcome, contribution, down, tooBig, least }: EngineReport): CheckOutcome | undefined {
  const common = { check: 'engine', code: POLICY_CODE, text: `Message refused: ${engine} takes it for spam` } as const
  switch (outcome.status) {
    case 'scored': {
      const points = contribution?.points ?? 0
      const parts: OutcomePart[] = [{ name: engine.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_'), points, why: symbolsText(contribution?.symbols ?? outcome.symbols) }]
      return { ...common, status: points < 0 ? 'pass' : points > 0 ? 'fail' : 'none', result: `${engine} ${outcome.score}${outcome.threshold === undefined ? '' : ` of ${outcome.threshold}`}`, weight: points, parts }
    }
    case 'virus': return virusOutcome('fail', engine, outcome.name)
    case 'clean': return virusOutcome('pass', engine, 'clean')
    case 'too-big': return kind === 'clamav' ? (tooBig === 'reject' ? unsearchable() : unsearched('too large')) : undefined
    // What it would have taken away is no reason to refuse for good.
    case 'temperror': return { ...common, status: 'temperror', flows: down === 'flow', result: `${engine}: ${outcome.cause}`, text: 'Not all that looks at mail here has answered; try again later', weight: least }
  }
}

/** Not a failure: it is what the configuration says. That nobody has searched it is to be seen. */
function unsearched(why: string): CheckOutcome {
  return { check: 'virus', status: 'none', result: `${NOT_SEARCHED}: ${why}`, code: POLICY_CODE, text: '' }
}

/** RFC 3463 §3.4: message too big for system. What is done with viruses is done with it, but it has no points of theirs. */
function unsearchable(): CheckOutcome {
  return { check: 'virus', status: 'fail', result: `${NOT_SEARCHED}: too large`, code: [3, 4], text: 'Message refused: it is too large to be searched for viruses', warnings: ['this message was not searched for viruses: it is too large'], weight: 0 }
}

/** Of a virus scanner. What it could not look at is its own check's trouble, so that the policy for viruses decides. */
export function scannerTrouble({ engine, outcome, down }: EngineReport): CheckOutcome | undefined {
  return outcome.status === 'temperror' ? { ...virusOutcome('temperror', engine, outcome.cause), flows: down === 'flow' } : undefined
}

function virusOutcome(status: 'fail' | 'pass' | 'temperror', engine: string, found: string): CheckOutcome {
  return {
    check: 'virus', status, result: status === 'fail' ? `${engine}: ${found}` : status === 'pass' ? 'clean' : 'temperror', code: POLICY_CODE,
    text: status === 'temperror' ? 'This message could not be searched for viruses; try again later' : `Message refused: it contains a virus (${found})`, warnings: [`this message contains a virus: ${found}`],
  }
}

const MAX_SYMBOLS_SHOWN = 30

function symbolsText(symbols: readonly { readonly name: string; readonly score: number }[]): string {
  return symbols.slice(0, MAX_SYMBOLS_SHOWN).map(({ name, score }) => `${name} ${score}`).join(', ')
}

function round(points: number): number {
  return Math.round(points * 1000) / 1000
}
