/**
 * A process that reads the rules and ends: whoever started it goes on with his
 * work meanwhile, and the memory that reading took goes with it. To the
 * `RulesTask` that it is sent it says a `RulesAnswer`. It ends when its parent
 * does, or lets go of it; signals that are meant for both are the parent's.
 */
import type { SampleProof } from '../spam/rules/load.ts'
import type { RuleProblem } from '../spam/rules/rule.ts'
import type { PackedRules } from './packed-rules.ts'
import type { RuleFilesSettings } from './rule-files.ts'
import { ShippedRulesUnread } from './unread-rules.ts'

export interface RulesTask {
  readonly settings: RuleFilesSettings
  readonly proof: SampleProof | undefined
}

export interface RulesReading {
  readonly packed: PackedRules
  readonly problems: readonly RuleProblem[]
  readonly proof: SampleProof
}

/** `unread`: those that come with Postern could not be read. `failed` is a bug. */
export type RulesAnswer = ({ readonly status: 'read' } & RulesReading) | { readonly status: 'unread' | 'failed'; readonly cause: string }

async function answer({ settings, proof }: RulesTask): Promise<RulesAnswer> {
  try {
    const [{ readRules }, { packRules }] = await Promise.all([import('./rule-files.ts'), import('./packed-rules.ts')])
    const read = await readRules(settings, proof)
    return { status: 'read', packed: packRules(read), problems: read.problems, proof: read.proof }
  } catch (error) {
    return { status: error instanceof ShippedRulesUnread ? 'unread' : 'failed', cause: error instanceof Error ? error.message : String(error) }
  }
}

process.title = 'postern: reading rules'
// Before all that takes time: what is loaded for the work, too.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.once('disconnect', () => process.exit(0))
process.once('message', (task) => {
  void answer(task as RulesTask).then((said) => process.send?.(said, () => process.exit(0)))
})
