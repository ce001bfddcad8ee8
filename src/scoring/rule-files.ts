/**
 * Reads the rules that a configuration names: those that come with Postern, the site's,
 * and SpamAssassin's. What cannot be used is a problem. Only where a file cannot be read
 * that comes with Postern it rejects, with `ShippedRulesUnread`: nobody has written it
 * wrong, and to judge by the rest of them would be to judge otherwise, unseen.
 */
import { describeError } from '../config/problem.ts'
import { chooseRules, type ChosenRules, type RuleStep, type SampleProof } from '../spam/rules/load.ts'
import { readRuleFiles, type RuleFilesReading, type RulePaths } from '../spam/rules/folders.ts'
import type { RuleProblem } from '../spam/rules/rule.ts'
import { inSlices } from '../spam/rules/in-slices.ts'
import { readSpamAssassin } from '../spam/spamassassin/read-files.ts'
import { ReadingWatch } from './reading-watch.ts'
import { ShippedRulesUnread } from './unread-rules.ts'

export interface RuleFilesSettings {
  /** those that come with Postern */
  readonly shipped: boolean
  /** files and folders of the site */
  readonly paths: readonly string[]
  /** instead of the rules' own */
  readonly scores: ReadonlyMap<string, number>
  /** SpamAssassin's: files and folders */
  readonly spamassassin: readonly string[]
}

/** Plain data: it may be sent to another process. */
export interface ReadRules extends ChosenRules {
  /** of SpamAssassin's files: lines that are no rules, and blocks for plugins, which are passed over */
  readonly notes: readonly RuleProblem[]
  /** of the site's: what of the problems may pass, and could be read later */
  readonly unread: readonly RuleProblem[]
}

export interface ReadOptions {
  /** of an earlier load: samples of the same files need not be run again */
  readonly proof?: SampleProof
  /** of `performance.now()`: when it is given up */
  readonly until?: number
  readonly read?: typeof readRuleFiles
}

/** It rejects with `TooMuch` as well. */
export async function readRules(settings: RuleFilesSettings, { proof, until = Infinity, read = readRuleFiles }: ReadOptions = {}): Promise<ReadRules> {
  const watch = new ReadingWatch(until)
  const [{ files, problems, unread }, others] = await Promise.all([readFiles(settings, read), settings.spamassassin.length === 0 ? undefined : readSpamAssassin(settings.spamassassin, { watch: (work) => watch.over(work, () => "SpamAssassin's files") })])
  const choosing = chooseRules({ files, scores: settings.scores, ...(others !== undefined && { others: others.rules }), ...(proof !== undefined && { proof }) })
  const chosen = await inSlices(watch.over(choosing, nameOf))
  return { ...chosen, problems: [...problems, ...(others?.problems ?? []), ...chosen.problems], notes: others?.notes ?? [], unread: [...unread, ...(others?.unread ?? [])] }
}

function nameOf(step: RuleStep): string {
  return 'rule' in step ? `samples of ${step.rule.id} (${step.source}${step.place.line === undefined ? '' : `:${step.place.line}`})` : step.source
}

/** The shipped ones first. */
async function readFiles({ shipped, paths }: RulePaths, read: typeof readRuleFiles): Promise<RuleFilesReading> {
  const [ours, theirs] = await Promise.all([read({ shipped, paths: [] }), read({ shipped: false, paths })])
  const [unread] = ours.problems
  if (unread !== undefined) throw new ShippedRulesUnread(`the rules that come with Postern cannot be read: ${describeError(unread)}`)
  return { files: [...ours.files, ...theirs.files], problems: theirs.problems, unread: theirs.unread }
}
