/**
 * Tries one pattern on the texts where it may match: whether it does, and where.
 * Whether, is said by the matcher where it has little to look at or seldom finds
 * a place to begin at, otherwise by the automaton, and where this cannot, by
 * the matcher once more with all steps that the budget allows.
 */
import type { Engine } from './engine.ts'
import { EXCEEDED, FOUND, Matcher, NOT_FOUND } from './matcher.ts'
import type { Outcome } from './matcher.ts'
import type { Windows } from './needed-literals.ts'
import type { MatchBudget } from './pattern.ts'
import type { PreparedText } from './prepared-text.ts'
import { isTrail } from './reader.ts'
import type { Stretch } from './reader.ts'

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
/** What an automaton may take for building itself while it looks at a text, where its credit is not less. */
const BUILDING_STEPS = 10_000
const BUILDING_STEPS_PER_UNIT = 4
/** Behind a match a character is looked at, which may be a pair. */
const BEYOND = 2

/** Searches come one after another, never one within another. */
const matcher = new Matcher()

/** Does it match anywhere? What the budget does not allow is no match, and is counted there. */
export function decide(part: Part): boolean {
  const { windows, budget } = part
  for (let at = 0; at < windows.length;) {
    const first = at
    const text = windows[at]
    while (windows[at] === text) at += 3
    if (!budget.left()) {
      budget.overrun()
      return false
    }
    if (decideText(part, first)) return true
  }
  return false
}

/** In the text whose windows begin at a place. */
function decideText(part: Part, first: number): boolean {
  const { engine, budget, windows } = part
  const stretch = stretchOf(part.text, windows[first] as number)
  const length = stretch.end - stretch.start
  let outcome: Outcome = EXCEEDED
  if (placesFrom(windows, first) <= FEW_PLACES || engine.matcherFirst) {
    outcome = searchFrom(part, first, ATTEMPT_STEPS + ATTEMPT_STEPS_PER_UNIT * length)
  }
  if (outcome === EXCEEDED) {
    const answer = askAutomaton(part, first)
    if (answer !== undefined) return answer
    outcome = searchFrom(part, first, budget.allowance(length))
    if (outcome === EXCEEDED) budget.overrun()
  }
  return outcome === FOUND
}

function stretchOf({ units, starts }: PreparedText, text: number): Stretch {
  return { units, start: starts[text] as number, end: starts[text + 1] as number }
}

function placesFrom(windows: Windows, first: number): number {
  const text = windows[first]
  let places = 0
  for (let at = first; windows[at] === text; at += 3) places += 1 + (windows[at + 2] as number) - (windows[at + 1] as number)
  return places
}

function searchFrom({ engine, text, budget, windows }: Part, first: number, maxSteps: number): Outcome {
  const its = windows[first] as number
  let outcome: Outcome = NOT_FOUND
  let left = maxSteps
  matcher.take(engine.program, stretchOf(text, its))
  // At the begin of a text is nothing but the first of its windows, of which there may be thousands.
  const behind = engine.program.anchor === 'text' ? first + 3 : windows.length
  for (let at = first; at < behind && windows[at] === its && outcome === NOT_FOUND; at += 3) {
    if (left > 0) outcome = matcher.search(windows[at + 1] as number, windows[at + 2] as number, left)
    else outcome = EXCEEDED
    budget.spend(matcher.steps + 1)
    left -= matcher.steps + 1
  }
  matcher.leave()
  return outcome
}

/** From the first place on it looks at all the rest, as far as a match may reach. */
function askAutomaton({ engine, text, budget, windows }: Part, first: number): boolean | undefined {
  const { automaton } = engine
  if (automaton === undefined) return undefined
  const { longest } = engine
  const its = windows[first] as number
  const stretch = stretchOf(text, its)
  let left = Math.min(BUILDING_STEPS + BUILDING_STEPS_PER_UNIT * (stretch.end - stretch.start), automaton.credit)
  for (let at = first; windows[at] === its;) {
    const from = windows[at + 1] as number
    let reach = 0
    // What overlaps is looked at once.
    do {
      reach = (windows[at + 2] as number) + longest + BEYOND
      at += 3
    } while (windows[at] === its && (windows[at + 1] as number) <= reach)
    const answer = automaton.test(stretch, [from, reach], left)
    budget.spend(automaton.steps)
    left -= automaton.building
    if (answer !== false) return answer
  }
  return false
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
    const { budget, engine } = this.#part
    const stretch = stretchOf(this.#part.text, text)
    const allowed = budget.allowance(stretch.end - stretch.start) - this.#spent
    if (!budget.left() || allowed <= 0) {
      budget.overrun()
      return 'exceeded'
    }
    matcher.take(engine.program, stretch)
    const outcome = matcher.search(from, until, allowed)
    matcher.leave()
    budget.spend(matcher.steps + 1)
    this.#spent += matcher.steps + 1
    if (outcome === FOUND) {
      const { matchStart, matchEnd } = matcher
      this.#from = matchEnd > matchStart ? matchEnd : behindCharacter(stretch, matchEnd)
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
