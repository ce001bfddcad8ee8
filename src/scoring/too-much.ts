/**
 * Rules that take more time or memory than there is for them, to read them or to
 * use them. Whoever tries it once more takes along the process that all others hang on.
 */
import type { RuleProblem } from '../spam/rules/rule.ts'

export class TooMuch extends Error {
  /** what is known of them where they could be read */
  readonly known: { readonly problems: readonly RuleProblem[]; readonly notes: readonly RuleProblem[] } | undefined

  constructor(message: string, known?: TooMuch['known']) {
    super(message)
    this.known = known
  }
}
