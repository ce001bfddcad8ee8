/**
 * A count of messages in eight bits: exact up to 63, beyond it in steps of a
 * tenth, up to a thousand million. What a classifier makes of a count hangs on
 * its logarithm, so that the step is never felt. Never throws; no count is too
 * large.
 */
const EXACT = 64
const STEP = 1.09

/** What a code stands for. */
export const COUNT_OF: Float64Array = Float64Array.from({ length: 256 }, (_, code) => (code < EXACT ? code : Math.round((EXACT - 1) * STEP ** (code - EXACT + 1))))

const LOG_STEP = Math.log(STEP)

/** The code that stands for the nearest count; 1 or more for 1 or more. */
export function countCode(count: number): number {
  if (count < EXACT) return count > 0 ? Math.trunc(count) : 0
  return Math.min(255, EXACT - 1 + Math.round(Math.log(count / (EXACT - 1)) / LOG_STEP))
}
