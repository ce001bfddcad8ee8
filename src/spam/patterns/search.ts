/**
 * Tries one pattern on the texts where it may match: whether it does, and where.
 * Whether, is said by the matcher where it has little to look at or seldom finds
 * a place to begin at, otherwise by the automaton, and where this cannot, by
 * the matcher once more with all steps that the budget allows.
 */
import type { Engine } from './engine.ts'
import { EXCEEDED, FOUND, NOT_FOUND } from './matcher.ts'
import type { Outcome } from './matcher.ts'
import type { Windows } from './needed-literals.ts'
import type { MatchBudget } from './pattern.ts'
import type { PreparedText } from './prepared-text.ts'
import { isTrail } from './walker.ts'
import type { Stretch } from './walker.ts'

/** A pattern, and where it may match. */
export interface Part {
  readonly engine: Engine
  readonly text: PreparedText
  readonly budget: MatchBudget
  readonly windows: Windows
}

export interface Match {
  readonly text: number
  readonly start: number
  readonly end: number
}

/** Of one text, so many places may be tried one by one without asking how likely they are. */
const FEW_PLACES = 128
/** The matcher's first attempt: so many steps, and so many for each code unit. */
const ATTEMPT_STEPS = 200
const ATTEMPT_STEPS_PER_UNIT = 2
/** What an automaton may take for building itself while it looks at a text. */
const BUILDING_STEPS = 10_000
const BUILDING_STEPS_PER_UNIT = 4
/** Behind a match a character is looked at, which may be a pair. */
const BEYOND = 2

/** Does it match anywhere? What the budget does not allow is no match, and is counted there. */
export function decide(part: Part): boolean {
  const { windows } = part
  for (let at = 0; at < windows.length;) {
    const first = at
    const text = windows[at]
    while (windows[at] === text) at += 3
    if (!part.budget.left()) {
      part.budget.overrun()
      return false
    }
    if (new Decision(part, [first, at]).made()) return true
  }
  return false
}

/** Of one text, whose windows stand between two places. */
class Decision {
  readonly #part: Part
  readonly #first: number
  readonly #behind: number
  readonly #stretch: Stretch

  constructor(part: Part, [first, behind]: readonly [number, number]) {
    this.#part = part
    this.#first = first
    this.#behind = behind
    const { windows, text: { units, starts } } = part
    const text = windows[first] as number
    this.#stretch = { units, start: starts[text] as number, end: starts[text + 1] as number }
  }

  made(): boolean {
    const { engine, budget } = this.#part
    const length = this.#stretch.end - this.#stretch.start
    if (this.#places() <= FEW_PLACES || engine.matcherFirst) {
      const attempt = this.#search(ATTEMPT_STEPS + ATTEMPT_STEPS_PER_UNIT * length)
      if (attempt !== EXCEEDED) return attempt === FOUND
    }
    const answer = this.#byAutomaton(length)
    if (answer !== undefined) return answer
    const outcome = this.#search(budget.allowance(length))
    if (outcome === EXCEEDED) budget.overrun()
    return outcome === FOUND
  }

  #places(): number {
    const { windows } = this.#part
    let places = 0
    for (let at = this.#first; at < this.#behind; at += 3) places += 1 + (windows[at + 2] as number) - (windows[at + 1] as number)
    return places
  }

  #search(maxSteps: number): Outcome {
    const { engine: { matcher }, budget, windows } = this.#part
    let left = maxSteps
    for (let at = this.#first; at < this.#behind; at += 3) {
      const outcome = left > 0 ? matcher.search(this.#stretch, [windows[at + 1] as number, windows[at + 2] as number], left) : EXCEEDED
      budget.spend(matcher.steps + 1)
      left -= matcher.steps + 1
      if (outcome !== NOT_FOUND) return outcome
    }
    return NOT_FOUND
  }

  /** From the first place on it looks at all the rest, as far as a match may reach. */
  #byAutomaton(length: number): boolean | undefined {
    const { engine, budget, windows } = this.#part
    const { automaton } = engine
    if (automaton === undefined) return undefined
    const { longest } = engine
    let left = BUILDING_STEPS + BUILDING_STEPS_PER_UNIT * length
    for (let at = this.#first; at < this.#behind;) {
      const from = windows[at + 1] as number
      let reach = 0
      // What overlaps is looked at once.
      do {
        reach = (windows[at + 2] as number) + longest + BEYOND
        at += 3
      } while (at < this.#behind && (windows[at + 1] as number) <= reach)
      const answer = automaton.test(this.#stretch, [from, reach], left)
      budget.spend(automaton.steps)
      left -= automaton.steps
      if (answer !== false) return answer
    }
    return false
  }
}

/** Matches of one pattern, one after another, without overlap. */
export class Search {
  readonly #part: Part
  #at = 0
  /** the text that is looked at, where in it the next match may begin, and what tries on it have taken */
  #text = -1
  #from = 0
  #spent = 0

  constructor(part: Part) {
    this.#part = part
  }

  next(): Match | undefined {
    const { windows } = this.#part
    while (this.#at < windows.length) {
      const text = windows[this.#at] as number
      if (text !== this.#text) {
        this.#text = text
        this.#from = 0
        this.#spent = 0
      }
      const from = Math.max(this.#from, windows[this.#at + 1] as number)
      const until = windows[this.#at + 2] as number
      const match = from > until ? undefined : this.#try(text, from, until)
      if (match === 'exceeded') return undefined
      if (match !== undefined) return match
      this.#at += 3
    }
    return undefined
  }

  #try(text: number, from: number, until: number): Match | 'exceeded' | undefined {
    const { budget, engine: { matcher }, text: { units, starts } } = this.#part
    const [start, end] = [starts[text] as number, starts[text + 1] as number]
    const allowed = budget.allowance(end - start) - this.#spent
    if (!budget.left() || allowed <= 0) {
      budget.overrun()
      return 'exceeded'
    }
    const outcome = matcher.search({ units, start, end }, [from, until], allowed)
    budget.spend(matcher.steps + 1)
    this.#spent += matcher.steps + 1
    if (outcome === FOUND) {
      const { matchStart, matchEnd } = matcher
      this.#from = matchEnd > matchStart ? matchEnd : behindCharacter({ units, start, end }, matchEnd)
      return { text, start: matchStart, end: matchEnd }
    }
    if (outcome === EXCEEDED) {
      budget.overrun()
      this.#skipText(text)
    }
    return undefined
  }

  /** What cannot be looked at to its end in a text is left, for this text. */
  #skipText(text: number): void {
    while (this.#part.windows[this.#at + 3] === text) this.#at += 3
  }
}

function behindCharacter({ units, end }: Stretch, at: number): number {
  return at + 1 < end && isTrail(units[at + 1] as number) ? at + 2 : at + 1
}
