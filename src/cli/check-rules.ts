/**
 * What cannot be used of the rules that a configuration names: the gateway runs without
 * it, and so it is a warning. Those that come with Postern are to be readable: nothing is wrong
 * with the configuration where they are not, and yet it is no success.
 */
import { describeError } from '../config/problem.ts'
import type { Settings } from '../config/settings.ts'
import { readRules, type ReadRules } from '../scoring/rule-files.ts'
import { WANTED_RULES_MS } from '../scoring/rules-times.ts'
import { ShippedRulesUnread } from '../scoring/unread-rules.ts'

export interface RulesReport {
  readonly warnings: readonly string[]
  /** those that come with Postern */
  readonly unread?: ShippedRulesUnread
  /** of the summary */
  readonly lines: readonly string[]
}

/** @param now milliseconds of a clock that is never set back */
export async function checkRules({ listeners, spam }: Settings, read = readRules, now = () => performance.now()): Promise<RulesReport> {
  if (listeners.every(({ role }) => role !== 'inbound')) return { warnings: [], lines: [] }
  const began = now()
  try {
    const found = await read(spam.rules)
    return { warnings: [...[...found.problems, ...found.notes].map(describeError), ...slowness(now() - began)], lines: [`  rules      ${describe(found)}`] }
  } catch (error) {
    if (error instanceof ShippedRulesUnread) return { unread: error, warnings: [], lines: [] }
    throw error
  }
}

/** What the gateway does not wait for. */
function slowness(ms: number): readonly string[] {
  return ms <= WANTED_RULES_MS ? [] : [`spam.rules, spam.spamassassin: reading the rules took ${(ms / 1000).toFixed(1)} s; the gateway gives them ${WANTED_RULES_MS / 1000} s, and runs without this site's (at a reload: with those in use) where they take longer`]
}

function describe({ rules, problems, notes }: ReadRules): string {
  // Several samples of one rule may fail.
  const unusable = new Set(problems.flatMap(({ source, rule }) => (rule === undefined ? [] : [`${source} ${rule}`]))).size
  const others = problems.filter(({ rule }) => rule === undefined).length
  const wrong = [
    ...(unusable > 0 ? [`${unusable} of this site's cannot be`] : []),
    ...(others > 0 ? [counted(others, 'problem', 'with files and scores')] : []),
  ]
  return [
    `${rules.length} are used`,
    ...(wrong.length > 0 ? [`${wrong.join(', ')}: see the warnings`] : []),
    ...(notes.length > 0 ? [counted(notes.length, 'line', "of SpamAssassin's files passed over")] : []),
  ].join('; ')
}

function counted(count: number, what: string, rest: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'} ${rest}`
}
