/**
 * What one message may spend on matching. Steps are counted: a step of the
 * matcher is a few nanoseconds. A message may spend what its size makes
 * plausible, many times what real mail takes. A try has a share that grows with
 * the text that it looks at, so that one pattern cannot use up what all others
 * need. The last line is a clock: of the time that the thread works, so that a
 * machine with much to do leaves no rule out. It begins with the first try, is
 * looked at now and then, and when the time is over nothing more is matched. Of
 * what could not be tried to its end nothing is known; it is counted in `exceeded`.
 */
import type { MatchBudget } from './pattern.ts'

export interface BudgetOptions {
  /** milliseconds */
  readonly now?: () => number
  /** of the message; without it as much is allowed as for the largest */
  readonly bytes?: number
  readonly steps?: number
  readonly ms?: number
}

/** So many, and so many more for each byte. Real messages take three or four a byte for the rules that are shipped. */
const LEAST_STEPS = 2_000_000
const STEPS_PER_BYTE = 100
const MOST_STEPS = 40_000_000
const DEFAULT_MS = 1000
/** Of one try: so many, and so many more for each code unit; never so many that the clock could not end it in time. */
const STEPS_PER_TRY = 20_000
const STEPS_PER_UNIT = 250
const MAX_STEPS_PER_TRY = 4_000_000
/** The clock is looked at after so many. */
const STEPS_PER_LOOK = 100_000

export function createBudget(options: BudgetOptions = {}): MatchBudget {
  return new Budget(options)
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

class Budget implements MatchBudget {
  readonly #now: () => number
  readonly #ms: number
  #steps: number
  #exceeded = 0
  #began: number | undefined
  #sinceLook = 0

  constructor({ now = cpuMs, bytes = Infinity, steps = Math.min(LEAST_STEPS + STEPS_PER_BYTE * bytes, MOST_STEPS), ms = DEFAULT_MS }: BudgetOptions) {
    this.#now = now
    this.#steps = steps
    this.#ms = ms
  }

  left(): boolean {
    return this.#steps > 0
  }

  get exceeded(): number {
    return this.#exceeded
  }

  allowance(units: number): number {
    return Math.min(this.#steps, STEPS_PER_TRY + STEPS_PER_UNIT * units, MAX_STEPS_PER_TRY)
  }

  spend(steps: number): void {
    this.#steps -= steps
    this.#sinceLook += steps
    if (this.#began === undefined) this.#began = this.#now()
    else if (this.#sinceLook >= STEPS_PER_LOOK) {
      this.#sinceLook = 0
      if (this.#now() - this.#began > this.#ms) this.#steps = 0
    }
  }

  overrun(): void {
    this.#exceeded++
  }
}
