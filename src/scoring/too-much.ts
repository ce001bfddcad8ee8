/**
 * Rules that take more time or memory than there is for them, to read them or to
 * use them. Whoever tries it once more at once takes along the process that all
 * others hang on.
 */
import type { RuleProblem } from '../spam/rules/rule.ts'

export interface AboutTooMuch {
  /** where they could be read */
  readonly known?: { readonly problems: readonly RuleProblem[]; readonly notes: readonly RuleProblem[] }
  /** which of them take the most */
  readonly dearest?: string
  /** the machine may have had too much to do, or too little memory: later it may do */
  readonly mayPass: boolean
}

export class TooMuch extends Error {
  readonly about: AboutTooMuch

  constructor(message: string, about: AboutTooMuch) {
    super(message)
    this.about = about
  }
}
