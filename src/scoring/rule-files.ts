/** Reads the rules that a configuration names: those that come with Postern, the site's, and SpamAssassin's. Nothing rejects; what cannot be used is a problem. */
import { chooseRules, type ChosenRules, type SampleProof } from '../spam/rules/load.ts'
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

/** Plain data: it may be sent to another process. */
export interface ReadRules extends ChosenRules {
  /** of SpamAssassin's files: lines that are no rules, and blocks for plugins, which are passed over */
  readonly notes: readonly RuleProblem[]
}

/** @param proof of an earlier load: samples of the same files need not be run again */
export async function readRules(settings: RuleFilesSettings, proof?: SampleProof): Promise<ReadRules> {
  const [{ files, problems }, others] = await Promise.all([readRuleFiles(settings), settings.spamassassin.length === 0 ? undefined : readSpamAssassin(settings.spamassassin)])
  const chosen = await inSlices(chooseRules({ files, scores: settings.scores, ...(others !== undefined && { others: others.rules }), ...(proof !== undefined && { proof }) }))
  return { ...chosen, problems: [...problems, ...(others?.problems ?? []), ...chosen.problems], notes: others?.notes ?? [] }
}
