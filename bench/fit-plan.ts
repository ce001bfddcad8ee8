/** How the scores of rules are fitted: by `bench/fit-rules.ts`, and inside each split of `bench/accuracy.ts`. */
import type { FitPlan } from './fit-scores.ts'

/**
 * Chosen once, in the middle of wide ranges that do about as well. A wanted
 * message that comes near the threshold is worse than an unwanted one below it.
 */
export const PLAN: Omit<FitPlan, 'spread'> = { aloneShare: 0.5, wantedCost: 6, calm: 3, clear: 6 }

/** What `bench/fit-rules.ts` chose the last time. */
export const USUAL_SPREAD = 0.3
