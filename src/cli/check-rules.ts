/** What cannot be used of the rules that a configuration names: the gateway runs without it, and so it is a warning. */
import { describeError } from '../config/problem.ts'
import type { Settings } from '../config/settings.ts'
import type { LoadReport } from '../delivery/watched-file.ts'
import { readRules } from '../scoring/rule-files.ts'

export async function checkRules({ listeners, spam }: Settings): Promise<LoadReport> {
  if (listeners.every(({ role }) => role !== 'inbound')) return { errors: [], warnings: [] }
  const { problems, notes } = await readRules(spam.rules)
  return { errors: [], warnings: [...problems, ...notes].map(describeError) }
}
