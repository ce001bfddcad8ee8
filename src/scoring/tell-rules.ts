/** What the log says of rules: at each start and reload, for what is there once may be long gone. */
import { describeError } from '../config/problem.ts'
import type { Log } from '../observe/log.ts'
import type { RuleProblem } from '../spam/rules/rule.ts'

const MAX_TOLD = 20

/** By who has read their files. */
export function tellProblems(problems: readonly RuleProblem[], log: Log): void {
  for (const problem of problems.slice(0, MAX_TOLD)) log.warn({ rule: problem.rule, problem: describeError(problem) }, 'a rule cannot be used')
  if (problems.length > MAX_TOLD) log.warn({ more: problems.length - MAX_TOLD }, 'more rules cannot be used: postern check lists them all')
}

/** By each process that uses them from now on. */
export function tellRules({ rules, problems, passedOver }: { readonly rules: number; readonly problems: number; readonly passedOver: number }, log: Log): void {
  log.info({ rules, problems, ...(passedOver > 0 && { passedOver }) }, 'rules read')
}
