/**
 * Reading rules as a task of its own, wherever it is done: what is asked, and what
 * is answered. Of rules that a site has, it is found out too what it takes to make
 * them ready; what those that come with Postern take is known. Which of them take
 * most is found out where that is too much, or near to it for whoever wants to know.
 */
import type { RulePlace, SampleProof } from '../spam/rules/load.ts'
import type { RuleProblem } from '../spam/rules/rule.ts'
import type { dearestOf } from './dearest-rules.ts'
import type { PackedRules } from './packed-rules.ts'
import type { RuleFilesSettings } from './rule-files.ts'
import { MOST_COST, type RulesBounds, type RulesCost } from './rules-bounds.ts'
import { LONG_WEIGHING_MS, TASK_MS, WEIGHING_MS } from './rules-times.ts'
import { TooMuch } from './too-much.ts'
import { ShippedRulesUnread } from './unread-rules.ts'

export interface RulesTask {
  readonly settings: RuleFilesSettings
  readonly proof: SampleProof | undefined
  /** what they may cost */
  readonly most?: RulesBounds
  /** of what they may cost: from there on it is told which of them are the dearest */
  readonly near?: number
}

export interface RulesReading {
  readonly packed: PackedRules
  /** how many there are */
  readonly rules: number
  readonly problems: readonly RuleProblem[]
  /** of SpamAssassin's files */
  readonly notes: readonly RuleProblem[]
  /** which of the problems may pass */
  readonly unread: readonly RuleProblem[]
  readonly proof: SampleProof
  /** undefined: there are none but those that come with Postern */
  readonly cost: RulesCost | undefined
  /** of the clock, until it was known what they cost */
  readonly tookMs?: number
  /** which of them take most; undefined: nobody wanted to know, or they take little */
  readonly dearest?: string
}

export type NameDearest = typeof dearestOf

/**
 * `useless`: they can be read, and cannot be made ready, or take too much. `unread`:
 * those that come with Postern could not be read. `failed` is a bug.
 */
export type RulesAnswer =
  | ({ readonly status: 'read' } & RulesReading)
  | ({ readonly status: 'useless'; readonly cause: string } & TooMuch['about'])
  | { readonly status: 'unread' | 'failed'; readonly cause: string }

export async function answerTo(task: RulesTask): Promise<RulesAnswer> {
  try {
    return { status: 'read', ...await readTask(task) }
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    if (error instanceof TooMuch) return { status: 'useless', cause, ...error.about }
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
export async function readTask(task: RulesTask, name?: NameDearest): Promise<RulesReading> {
  const began = performance.now()
  const until = began + TASK_MS
  const { places, ...read } = await packed(task, until)
  const { settings: { paths, spamassassin }, most = MOST_COST, near = Infinity } = task
  if (paths.length + spamassassin.length === 0) return { ...read, cost: undefined, tookMs: performance.now() - began }
  const { costOf, TooDear } = await import('./rules-cost.ts')
  const dearest = (by: keyof RulesCost): Promise<{ readonly dearest?: string }> => named(async () => {
    const dearestOf = name ?? (await import('./dearest-rules.ts')).dearestOf
    return dearestOf(read.packed, places, { by, until: Math.min(performance.now() + LONG_WEIGHING_MS, until + WEIGHING_MS) })
  })
  try {
    const cost = await costOf(read.packed, { most, until })
    const tookMs = performance.now() - began
    const [ms, mb] = [cost.ms / most.ms, (cost.mb ?? 0) / most.mb]
    return { ...read, cost, tookMs, ...(Math.max(ms, mb) > near && await dearest(ms > mb ? 'ms' : 'mb')) }
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error
    throw new TooMuch(error.message, { ...error.about, known: read, ...(error instanceof TooDear && await dearest(error.by === 'mb' ? 'mb' : 'ms')) })
  }
}

/** What is too dear is so without a name, too. */
async function named(name: () => Promise<string>): Promise<{ readonly dearest?: string }> {
  // Where nobody can ask for the garbage is a process that has other things to do.
  if (globalThis.gc === undefined) return {}
  try {
    return { dearest: await name() }
  } catch {
    return {}
  }
}

/** What else reading has made is not kept. */
async function packed({ settings, proof }: RulesTask, until: number): Promise<Omit<RulesReading, 'cost' | 'tookMs'> & { readonly places: readonly RulePlace[] }> {
  // What it takes is not loaded where it is not needed.
  const [{ readRules }, { packRules }] = await Promise.all([import('./rule-files.ts'), import('./packed-rules.ts')])
  const { rules, places, problems, notes, unread, proof: proved } = await readRules(settings, { until, ...(proof !== undefined && { proof }) })
  return { packed: packRules({ rules, problems, notes }), rules: rules.length, problems, notes, unread, proof: proved, places }
}
