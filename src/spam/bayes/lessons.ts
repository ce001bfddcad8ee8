/**
 * How much the lessons of a site are worth: few wanted messages, and fewer than
 * unwanted ones, show badly where wanted mail ends, and every kind of it that was
 * not taught looks like what is sent to everybody. What counts is what is still
 * remembered of them (`expire`), not what was taught once.
 *
 * Measured by lots drawn from a public collection (`bench:accuracy -- --taught`):
 * after 220 wanted and 1000 unwanted messages rules and classifier together had
 * tagged five to ten in a thousand wanted ones, with it three to five. Never throws.
 */
export interface Lessons {
  /** wanted messages */
  readonly hams: number
  /** unwanted messages */
  readonly spams: number
}

/** Of so many of either class points are what they are. */
const FULL = 1000
/** Fewer than that take some away, the last ones most. */
const ROOT = 0.25
/** Wanted messages that are few, and so many that where they end is known. */
const FEW = 200
const MANY = 3000
/** Unwanted messages for a wanted one: so far it was measured, and more of them make it no worse. */
const MOST_UNEVEN = 5

/** Wanted messages, as if there were no more unwanted ones than those. */
export function evenLessons({ hams, spams }: Lessons): number {
  return hams === 0 ? 0 : hams / Math.min(MOST_UNEVEN, Math.max(1, spams / hams))
}

/** What points for unwanted mail are multiplied by: 0 to 1. */
export function trustIn(lessons: Lessons): number {
  return Math.min(1, (evenLessons(lessons) / FULL) ** ROOT)
}

/** 1 where wanted messages are few, 0 where they are many. */
export function fewnessOf(lessons: Lessons): number {
  const even = evenLessons(lessons)
  if (even <= FEW) return 1
  return Math.max(0, Math.log(MANY / even) / Math.log(MANY / FEW))
}
