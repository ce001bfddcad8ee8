/**
 * Searches a text for a pattern: the leftmost match, as Perl finds it. A search
 * that takes many steps begins anew and remembers where each choice failed: its
 * time is bounded by the text times the program. Programs with references cannot
 * remember; these end at the limit of steps.
 */
import { END, HIGH } from './first.ts'
import type { Program } from './program.ts'
import { shareOf } from './required-characters.ts'
import { FAIL, isTrail, NO_TEXT, OVER, Walker } from './walker.ts'
import type { Stretch } from './walker.ts'

export const FOUND = 1
export const NOT_FOUND = 0
export const EXCEEDED = -1
export type Outcome = typeof FOUND | typeof NOT_FOUND | typeof EXCEEDED

const ENTRIES = 258
const NEWLINE = 10
/** A newline is looked for one by one so far; further off, by a call into the run-time. */
const NEAR = 64
/** A search remembers from here on: so many steps, and so many more for each code unit. */
const PLAIN_STEPS = 2000
const PLAIN_STEPS_PER_UNIT = 12

export class Matcher {
  readonly #program: Program
  readonly #walker: Walker
  #stretch = NO_TEXT
  #until = 0
  #share: number | undefined
  readonly #plainSteps: number | undefined
  matchStart = 0
  matchEnd = 0

  /** `plainSteps`: after so many a search begins to remember, where it is not to be what the text's length says. */
  constructor(program: Program, plainSteps?: number) {
    this.#program = program
    this.#plainSteps = plainSteps
    this.#walker = new Walker(program)
  }

  /** It matches at the begin of a text only. */
  get anchored(): boolean {
    return this.#program.anchor === 'text'
  }

  /** How much of mail it may begin at, about. */
  get share(): number {
    this.#share ??= shareOf(this.#program.firsts.subarray(this.#program.first * ENTRIES, (this.#program.first + 1) * ENTRIES))
    return this.#share
  }

  /** What the last search took. */
  get steps(): number {
    return this.#walker.steps
  }

  /** Finds the first match that begins at `from` or behind, up to `until`; it stands in `matchStart` and `matchEnd`. */
  search(stretch: Stretch, [from, until]: readonly [number, number], maxSteps: number): Outcome {
    this.#stretch = stretch
    this.#until = until
    const outcome = this.#search(stretch, from, maxSteps)
    // Patterns are kept; a text that they were tried on is somebody's mail, and may be large.
    this.#stretch = NO_TEXT
    this.#walker.leave()
    return outcome
  }

  #search(stretch: Stretch, from: number, maxSteps: number): Outcome {
    const walker = this.#walker
    const plainSteps = this.#plainSteps ?? PLAIN_STEPS + PLAIN_STEPS_PER_UNIT * (stretch.end - stretch.start)
    walker.begin(stretch, maxSteps)
    const again = plainSteps < maxSteps && walker.canRemember
    if (again) walker.begin(stretch, plainSteps)
    const found = this.#searchFrom(from)
    if (found !== EXCEEDED || !again) return found
    walker.remember(maxSteps)
    return this.#searchFrom(from)
  }

  #searchFrom(from: number): Outcome {
    const { anchor } = this.#program
    if (anchor === 'text') return from === this.#stretch.start ? this.#tryAt(from) : NOT_FOUND
    const line = anchor === 'line'
    for (let at = line ? from : this.#candidate(from); at <= this.#until; at = line ? this.#nextLine(at + 1) : this.#candidate(at + 1)) {
      const outcome = this.#tryAt(at)
      if (outcome !== NOT_FOUND) return outcome
    }
    return NOT_FOUND
  }

  #tryAt(at: number): Outcome {
    const reached = this.#walker.walk(at)
    if (reached === OVER) return EXCEEDED
    if (reached === FAIL) return NOT_FOUND
    this.matchStart = at
    this.matchEnd = reached
    return FOUND
  }

  /** The first place at or behind this one where the pattern may begin; behind the end: none. */
  #candidate(from: number): number {
    const { units, end } = this.#stretch
    const { firsts } = this.#program
    const table = this.#program.first * ENTRIES
    let at = from
    const last = Math.min(end, this.#until + 1)
    for (; at < last; at++) {
      const unit = units[at] as number
      if (unit < 256) {
        if (firsts[table + unit] === 1) break
      } else if (firsts[table + HIGH] === 1 && !isTrail(unit)) break
    }
    this.#walker.steps += (at - from) >> 2
    return at === end && firsts[table + END] === 0 ? end + 1 : at
  }

  /** The first place at or behind this one where a line begins; behind the end: none. */
  #nextLine(at: number): number {
    const { units, end } = this.#stretch
    const near = Math.min(end, at + NEAR)
    let newline = at - 1
    while (newline < near && units[newline] !== NEWLINE) newline++
    if (newline === near && near < end) {
      // Other texts stand behind this one in the same array.
      const further = units.subarray(near, end).indexOf(NEWLINE)
      newline = further < 0 ? end : near + further
    }
    this.#walker.steps += (newline - at + 1) >> 3
    return newline + 1
  }
}
