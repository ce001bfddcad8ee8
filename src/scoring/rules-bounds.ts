/** What rules may cost each worker that makes them ready for use. */

export interface RulesCost {
  /** of computing */
  readonly ms: number
  /** what is kept; undefined: unknown, as where nobody can ask for the garbage to be collected */
  readonly mb: number | undefined
}

export type RulesBounds = { readonly [Key in keyof RulesCost]-?: number }

export const MOST_COST: RulesBounds = { ms: 6000, mb: 256 }

/**
 * Where none of a site's are in use yet. The same rules take more and less time on a machine
 * that others use, too, and what was allowed shall not be refused at the next start.
 */
export const MOST_COST_AT_START: RulesBounds = { ...MOST_COST, ms: 2 * MOST_COST.ms }
