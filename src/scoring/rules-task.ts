/**
 * Reading rules as a task of its own, wherever it is done: what is asked, and what
 * is answered. Of rules that a site has, it is found out too what it takes to make
 * them ready; what those that come with Postern take is known.
 */
import type { SampleProof } from '../spam/rules/load.ts'
import type { RuleProblem } from '../spam/rules/rule.ts'
import type { PackedRules } from './packed-rules.ts'
import type { RuleFilesSettings } from './rule-files.ts'
import type { RulesBounds, RulesCost } from './rules-bounds.ts'
import { TooMuch } from './too-much.ts'
import { ShippedRulesUnread } from './unread-rules.ts'

export interface RulesTask {
  readonly settings: RuleFilesSettings
  readonly proof: SampleProof | undefined
  /** what they may cost */
  readonly most?: RulesBounds
}

export interface RulesReading {
  readonly packed: PackedRules
  /** how many there are */
  readonly rules: number
  readonly problems: readonly RuleProblem[]
  /** of SpamAssassin's files */
  readonly notes: readonly RuleProblem[]
  readonly proof: SampleProof
  /** undefined: there are none but those that come with Postern */
  readonly cost: RulesCost | undefined
}

/**
 * `useless`: they can be read, and cannot be made ready, or take too much. `unread`:
 * those that come with Postern could not be read. `failed` is a bug.
 */
export type RulesAnswer =
  | ({ readonly status: 'read' } & RulesReading)
  | { readonly status: 'useless'; readonly cause: string; readonly problems: readonly RuleProblem[]; readonly notes: readonly RuleProblem[] }
  | { readonly status: 'unread' | 'failed'; readonly cause: string }

export async function answerTo(task: RulesTask): Promise<RulesAnswer> {
  try {
    return { status: 'read', ...await readTask(task) }
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    if (error instanceof TooMuch) return { status: 'useless', cause, problems: error.known?.problems ?? [], notes: error.known?.notes ?? [] }
    return { status: error instanceof ShippedRulesUnread ? 'unread' : 'failed', cause }
  }
}

/** What such an answer says. */
export function readingOf(answer: RulesAnswer): RulesReading {
  switch (answer.status) {
    case 'read': return answer
    case 'useless': throw new TooMuch(answer.cause, answer)
    case 'unread': throw new ShippedRulesUnread(answer.cause)
    case 'failed': throw new Error(answer.cause)
  }
}

/** In this process. It rejects with `TooMuch`, `ShippedRulesUnread` or a bug. */
export async function readTask(task: RulesTask): Promise<RulesReading> {
  const read = await packed(task)
  const { settings: { paths, spamassassin } } = task
  if (paths.length + spamassassin.length === 0) return { ...read, cost: undefined }
  const { costOf } = await import('./rules-cost.ts')
  try {
    return { ...read, cost: await costOf(read.packed, task.most) }
  } catch (error) {
    throw error instanceof TooMuch ? new TooMuch(error.message, read) : error
  }
}

/** What else reading has made is not kept. */
async function packed({ settings, proof }: RulesTask): Promise<Omit<RulesReading, 'cost'>> {
  // What it takes is not loaded where it is not needed.
  const [{ readRules }, { packRules }] = await Promise.all([import('./rule-files.ts'), import('./packed-rules.ts')])
  const read = await readRules(settings, proof)
  return { packed: packRules(read), rules: read.rules.length, problems: read.problems, notes: read.notes, proof: read.proof }
}
