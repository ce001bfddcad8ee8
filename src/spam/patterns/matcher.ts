/**
 * Searches a text for a pattern: the leftmost match, as Perl finds it. A search
 * that takes many steps begins anew and remembers where each choice failed: its
 * time is bounded by the text times the program. Programs with references cannot
 * remember; these end at the limit of steps.
 */
import type { Program } from './program.ts'
import type { Stretch } from './reader.ts'
import { FAIL, OVER, Walker } from './walker.ts'

export const FOUND = 1
export const NOT_FOUND = 0
export const EXCEEDED = -1
export type Outcome = typeof FOUND | typeof NOT_FOUND | typeof EXCEEDED

/** A search remembers from here on: so many steps, and so many more for each code unit. */
const PLAIN_STEPS = 2000
const PLAIN_STEPS_PER_UNIT = 12

export class Matcher extends Walker {
  readonly #plainSteps: number | undefined
  #anchor: Program['anchor'] = 'none'
  #first = 0
  matchStart = 0
  matchEnd = 0

  /** `plainSteps`: after so many a search begins to remember, where it is not to be what the text's length says. */
  constructor(plainSteps?: number) {
    super()
    this.#plainSteps = plainSteps
  }

  /** What it searches for, and in which text, until it leaves that. */
  override take(program: Program, stretch: Stretch): void {
    super.take(program, stretch)
    this.#first = program.first
    this.#anchor = program.anchor
  }

  /** Finds the first match that begins at `from` or behind, up to `until`; it stands in `matchStart` and `matchEnd`. */
  search(from: number, until: number, maxSteps: number): Outcome {
    const plainSteps = this.#plainSteps ?? PLAIN_STEPS + PLAIN_STEPS_PER_UNIT * (this.end - this.start)
    const again = plainSteps < maxSteps && this.canRemember
    this.begin(again ? plainSteps : maxSteps)
    const found = this.#searchFrom(from, until)
    if (found !== EXCEEDED || !again) return found
    this.remember(maxSteps)
    return this.#searchFrom(from, until)
  }

  #searchFrom(from: number, until: number): Outcome {
    const anchor = this.#anchor
    if (anchor === 'text') return from === this.start ? this.#tryAt(from) : NOT_FOUND
    const line = anchor === 'line'
    const first = this.#first
    for (let at = line ? from : this.candidate(first, from, until); at <= until; at = line ? this.nextLine(at + 1) : this.candidate(first, at + 1, until)) {
      const outcome = this.#tryAt(at)
      if (outcome !== NOT_FOUND) return outcome
    }
    return NOT_FOUND
  }

  #tryAt(at: number): Outcome {
    const reached = this.walk(at)
    if (reached === OVER) return EXCEEDED
    if (reached === FAIL) return NOT_FOUND
    this.matchStart = at
    this.matchEnd = reached
    return FOUND
  }
}
