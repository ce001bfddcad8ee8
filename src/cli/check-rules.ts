/**
 * What cannot be used of the rules that a configuration names: the gateway runs without
 * it, and so it is a warning. Those that come with Postern are to be readable: it is an error.
 */
import { describeError } from '../config/problem.ts'
import type { Settings } from '../config/settings.ts'
import type { LoadReport } from '../delivery/watched-file.ts'
import { readRules } from '../scoring/rule-files.ts'
import { ShippedRulesUnread } from '../scoring/unread-rules.ts'

export async function checkRules({ listeners, spam }: Settings, read = readRules): Promise<LoadReport> {
  if (listeners.every(({ role }) => role !== 'inbound')) return { errors: [], warnings: [] }
  try {
    const { problems, notes } = await read(spam.rules)
    return { errors: [], warnings: [...problems, ...notes].map(describeError) }
  } catch (error) {
    if (error instanceof ShippedRulesUnread) return { errors: [error.message], warnings: [] }
    throw error
  }
}
