/**
 * What cannot be used of the rules that a configuration names, and what they cost: the
 * gateway runs without what it cannot use, and so it is a warning. They are read as the
 * gateway reads them, within the same bounds. Those that come with Postern are to be
 * readable: nothing is wrong with the configuration where they are not, and yet it is no
 * success.
 */
import { describeError } from '../config/problem.ts'
import type { Settings } from '../config/settings.ts'
import { isNoBug, readApart, within } from '../scoring/read-apart.ts'
import type { RuleFilesSettings } from '../scoring/rule-files.ts'
import { MOST_COST } from '../scoring/rules-bounds.ts'
import { readTask, type RulesReading } from '../scoring/rules-task.ts'
import { TASK_MS, WANTED_RULES_MS } from '../scoring/rules-times.ts'
import { TooMuch } from '../scoring/too-much.ts'
import { ShippedRulesUnread } from '../scoring/unread-rules.ts'

export interface RulesReport {
  readonly warnings: readonly string[]
  /** those that come with Postern */
  readonly unread?: ShippedRulesUnread
  /** of the summary */
  readonly lines: readonly string[]
}

/** Rejects with `TooMuch` and `ShippedRulesUnread`, as where the gateway reads them. */
export type ReadRulesForCheck = (settings: RuleFilesSettings) => Promise<RulesReading>

const ABOUT = 'spam.rules, spam.spamassassin'
const WITHOUT = "runs without this site's rules (at a reload: with those in use)"
/** Of bounds that are reached on a slower machine; of that of time, which is reached on a busier one, too. */
const NEAR = 0.4
const NEAR_IN_TIME = 0.75

export async function checkRules({ listeners, spam }: Settings, read: ReadRulesForCheck = readAsTheGateway): Promise<RulesReport> {
  if (listeners.every(({ role }) => role !== 'inbound')) return { warnings: [], lines: [] }
  try {
    const found = await read(spam.rules)
    return { warnings: [...told(found), ...dearness(found)], lines: [`  rules      ${describe(found)}`] }
  } catch (error) {
    if (error instanceof ShippedRulesUnread) return { unread: error, warnings: [], lines: [] }
    if (error instanceof TooMuch) return { warnings: [...told(error.about.known), `${ABOUT}: too dear: ${error.message}${which(error.about)}; the gateway ${WITHOUT}`], lines: ["  rules      this site's cannot be used: see the warnings"] }
    throw error
  }
}

async function readAsTheGateway(settings: RuleFilesSettings): Promise<RulesReading> {
  const task = { settings, proof: undefined, near: NEAR }
  return within(WANTED_RULES_MS, async (late) => {
    try {
      // Somebody waits for it: there is nothing else to do.
      return await readApart(task, late, { waits: true })
    } catch (error) {
      if (isNoBug(error)) throw error
      return readTask(task)
    }
  })
}

function told(found: Pick<RulesReading, 'problems' | 'notes'> | undefined): readonly string[] {
  return found === undefined ? [] : [...found.problems, ...found.notes].map(describeError)
}

/** What comes near to what the gateway allows. */
function dearness({ tookMs: ms = 0, cost, dearest }: RulesReading): readonly string[] {
  return [
    ...(ms > NEAR_IN_TIME * TASK_MS ? [`${ABOUT}: reading the rules took ${seconds(ms)}; where that takes more than ${seconds(TASK_MS)}, the gateway ${WITHOUT}`] : []),
    ...(cost !== undefined && cost.ms > NEAR * MOST_COST.ms ? [`${ABOUT}: to make the rules ready for use took ${seconds(cost.ms)} of computing, which each worker does at its start and at each reload; where it takes more than ${seconds(MOST_COST.ms)}, the gateway ${WITHOUT}${which({ dearest })}`] : []),
    ...(cost?.mb !== undefined && cost.mb > NEAR * MOST_COST.mb ? [`${ABOUT}: ready for use the rules take ${Math.round(cost.mb)} MB of memory in each worker; where they take more than ${MOST_COST.mb} MB, the gateway ${WITHOUT}${which({ dearest })}`] : []),
  ]
}

function which({ dearest }: { readonly dearest?: string | undefined }): string {
  return dearest === undefined ? '' : `; ${dearest}`
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`
}

function describe({ rules, problems, notes }: RulesReading): string {
  // Several samples of one rule may fail.
  const unusable = new Set(problems.flatMap(({ source, rule }) => (rule === undefined ? [] : [`${source} ${rule}`]))).size
  const others = problems.filter(({ rule }) => rule === undefined).length
  const wrong = [
    ...(unusable > 0 ? [`${unusable} of this site's cannot be`] : []),
    ...(others > 0 ? [counted(others, 'problem', 'with files and scores')] : []),
  ]
  return [
    `${rules} are used`,
    ...(wrong.length > 0 ? [`${wrong.join(', ')}: see the warnings`] : []),
    ...(notes.length > 0 ? [counted(notes.length, 'line', "of SpamAssassin's files passed over")] : []),
  ].join('; ')
}

function counted(count: number, what: string, rest: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'} ${rest}`
}
