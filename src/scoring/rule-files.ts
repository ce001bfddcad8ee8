/** Reads the rules that a configuration names: those that come with Postern, the site's, and SpamAssassin's. Nothing rejects; what cannot be used is a problem. */
import { describeError } from '../config/problem.ts'
import type { Log } from '../observe/log.ts'
import { loadRules, type LoadedRules, type SampleProof } from '../spam/rules/load.ts'
import { readRuleFiles } from '../spam/rules/folders.ts'
import type { RuleProblem } from '../spam/rules/rule.ts'
import { inSlices } from '../spam/rules/in-slices.ts'
import { readSpamAssassin } from '../spam/spamassassin/read-files.ts'

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

export interface ReadRules extends LoadedRules {
  /** of SpamAssassin's files: lines that are no rules, and blocks for plugins, which are passed over */
  readonly notes: readonly RuleProblem[]
}

/** @param proof of an earlier load: samples of the same files need not be run again */
export async function readRules(settings: RuleFilesSettings, proof?: SampleProof): Promise<ReadRules> {
  const [{ files, problems }, others] = await Promise.all([readRuleFiles(settings), settings.spamassassin.length === 0 ? undefined : readSpamAssassin(settings.spamassassin)])
  const loaded = loadRules({ files, scores: settings.scores, ...(others !== undefined && { others: others.rules }), ...(proof !== undefined && { proof }) })
  // What is compiled now, no message waits for.
  await inSlices(loaded.rules.prepare())
  return { ...loaded, problems: [...problems, ...(others?.problems ?? []), ...loaded.problems], notes: others?.notes ?? [] }
}

/** Said at each start and reload: what is in the log once may be long gone. */
export function logProblems({ rules, problems, notes }: ReadRules, log: Log): void {
  for (const problem of problems.slice(0, MAX_TOLD)) log.warn({ rule: problem.rule, problem: describeError(problem) }, 'a rule cannot be used')
  if (problems.length > MAX_TOLD) log.warn({ more: problems.length - MAX_TOLD }, 'more rules cannot be used: postern check lists them all')
  log.info({ rules: rules.rules.length, problems: problems.length, ...(notes.length > 0 && { passedOver: notes.length }) }, 'rules read')
}

const MAX_TOLD = 20
