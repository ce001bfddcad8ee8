/**
 * What a verdict rests on, for those who learn of it: neither the classifier nor
 * the history of a domain may be taught by what only tests a filter, by one rule
 * alone, or by its own opinion. Pure.
 */
import type { Effect, Verdict } from '../policy/decide.ts'
import type { Thresholds } from '../policy/policy.ts'
import { askedBy } from '../spam/rules/condition.ts'
import type { Rule, RuleHit } from '../spam/rules/rule.ts'
import type { RuleSet } from '../spam/rules/rule-set.ts'

/** Of the rules that held. */
export interface Evidence {
  /** points from which may be learned: of no rule more than its share */
  readonly taught: number
  /** points of rules that asked for the history of the domain, and of those that teach nothing */
  readonly ofHistory: number
}

export const NO_EVIDENCE: Evidence = { taught: 0, ofHistory: 0 }

/** The string for tests is worth 1000 points, and somebody's own rules may be. */
const MOST_OF_A_RULE = 5
/** Less than it takes: another filter that was tested with that string does not teach us. */
const MOST_OF_AN_ENGINE = 10

export function evidenceOf(hits: readonly RuleHit[], rules: RuleSet): Evidence {
  let taught = 0
  let ofHistory = 0
  const book = bookOf(rules)
  for (const { id, score } of hits) {
    const teaches = book.rule(id)?.teaches !== false
    if (teaches) taught += within(score, MOST_OF_A_RULE)
    if (!teaches || book.asksHistory(id)) ofHistory += score
  }
  return { taught: round(taught), ofHistory: round(ofHistory) }
}

/** Points that a lesson may rest on: without the classifier's own. */
export function lessonScore({ score, effects }: Verdict, { taught }: Evidence): number {
  return round(effects.reduce((sum, { check, points }) => {
    if (check === 'bayes') return sum - points
    if (check === 'engine') return sum - points + within(points, MOST_OF_AN_ENGINE)
    return check === 'content' && points !== 0 ? sum - points + taught : sum
  }, score))
}

/** Whether it was spam, had nobody known anything of the domain. */
export function wasSpam(verdict: Verdict, { tag, quarantine, reject }: Thresholds, { ofHistory }: Evidence): boolean {
  if (verdict.by !== undefined && verdict.by !== 'score') return true
  const counted = verdict.effects.some(isCountedContent)
  return round(verdict.score - (counted ? ofHistory : 0)) >= Math.min(tag ?? Infinity, quarantine ?? Infinity, reject ?? Infinity)
}

function isCountedContent({ check, effect }: Effect): boolean {
  return check === 'content' && (effect === 'score' || effect === 'warn')
}

/** What is found out of a set of rules when it is asked for. */
interface Book {
  rule(id: string): Rule | undefined
  /** itself, or by a rule that it refers to */
  asksHistory(id: string): boolean
}

const books = new WeakMap<RuleSet, Book>()

function bookOf(rules: RuleSet): Book {
  const known = books.get(rules)
  if (known !== undefined) return known
  const byId = new Map(rules.rules.map((rule) => [rule.id, rule]))
  const found = new Map<string, boolean>()
  // They lead back nowhere: that was seen to when they were loaded.
  const asksHistory = (id: string): boolean => {
    const before = found.get(id)
    const rule = byId.get(id)
    if (before !== undefined || rule === undefined) return before ?? false
    const { facts, rules: others } = askedBy(rule)
    const asks = [...facts].some((name) => name.startsWith('domain_')) || [...others].some(asksHistory)
    found.set(id, asks)
    return asks
  }
  const book: Book = { rule: (id) => byId.get(id), asksHistory }
  books.set(rules, book)
  return book
}

function within(points: number, most: number): number {
  return Math.max(-most, Math.min(most, points))
}

/** Sums of tenths stay tenths. */
function round(points: number): number {
  return Math.round(points * 1000) / 1000
}
