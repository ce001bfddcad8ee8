/**
 * Patterns that look at the same texts. A scan goes over the texts once to find
 * the literals that the patterns need; a pattern is tried when somebody asks for
 * it, and only where one of its literals allows a match. A pattern without
 * known literals is tried everywhere. What the budget does not allow counts as
 * no match, and is counted there.
 */
import { EXCEEDED, FOUND } from './matcher.ts'
import type { Matcher } from './matcher.ts'
import { everywhere, NeededLiterals } from './needed-literals.ts'
import type { Candidates, Windows } from './needed-literals.ts'
import type { MatchBudget, Pattern, SetScan } from './pattern.ts'
import { prepareText } from './prepared-text.ts'
import type { PreparedText } from './prepared-text.ts'
import { automatonOf, matcherOf } from './read-pattern.ts'

const MAX_EXCERPT_CHARACTERS = 80
/** Where less is to be looked at, the matcher is there sooner than the automaton. */
const MIN_AUTOMATON_UNITS = 128
/** What an automaton may take for building itself while it looks at a text: so many steps, and so many for each code unit. */
const MAX_BUILDING_STEPS = 10_000
const BUILDING_STEPS_PER_UNIT = 4
/** A pass over the text costs about a step for so many code units. */
const UNITS_PER_STEP = 4

export class PatternSet {
  readonly #patterns: readonly Pattern[]
  readonly #literals: NeededLiterals

  constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns
    this.#literals = new NeededLiterals(patterns)
  }

  get size(): number {
    return this.#patterns.length
  }

  /** Each text is for itself: a match lies within one. */
  scan(texts: readonly string[], budget: MatchBudget): SetScan {
    const text = prepareText(texts)
    budget.spend(Math.ceil(text.units.length / UNITS_PER_STEP))
    return new Scan(this, { texts, text, candidates: this.#literals.find(text), budget })
  }

  pattern(index: number): Pattern {
    const pattern = this.#patterns[index]
    if (pattern === undefined) throw new Error(`the set has no pattern ${index}`)
    return pattern
  }
}

interface Material {
  readonly texts: readonly string[]
  readonly text: PreparedText
  readonly candidates: Candidates
  readonly budget: MatchBudget
}

interface Match {
  readonly text: number
  readonly start: number
  readonly end: number
}

class Scan implements SetScan {
  readonly #set: PatternSet
  readonly #material: Material
  /** of patterns that were asked for and may match somewhere; undefined: they do not */
  readonly #first = new Map<number, Match | undefined>()
  readonly #answers = new Map<number, boolean>()
  #everywhere: Windows | undefined

  constructor(set: PatternSet, material: Material) {
    this.#set = set
    this.#material = material
  }

  matches(index: number): boolean {
    const known = this.#answers.get(index)
    if (known !== undefined) return known
    const windows = this.#windowsOf(index)
    if (windows === undefined) return false
    const answer = this.#decide(index, windows) ?? this.#firstMatch(index, windows) !== undefined
    this.#answers.set(index, answer)
    return answer
  }

  excerpt(index: number): string | undefined {
    const windows = this.matches(index) ? this.#windowsOf(index) : undefined
    const match = windows === undefined ? undefined : this.#firstMatch(index, windows)
    if (match === undefined) return undefined
    const { texts, text } = this.#material
    const begin = text.starts[match.text] as number
    return texts[match.text]?.slice(match.start - begin, Math.min(match.end, match.start + MAX_EXCERPT_CHARACTERS) - begin)
  }

  count(index: number, most: number): number {
    const windows = most > 0 && this.matches(index) ? this.#windowsOf(index) : undefined
    if (windows === undefined) return 0
    const search = new Search(matcherOf(this.#set.pattern(index)), this.#material, windows)
    let count = 0
    while (count < most && search.next() !== undefined) count++
    return Math.max(count, 1)
  }

  /** By the automaton, where there is much to look at; undefined: it cannot say. */
  #decide(index: number, windows: Windows): boolean | undefined {
    const automaton = extentOf(windows) < MIN_AUTOMATON_UNITS ? undefined : automatonOf(this.#set.pattern(index))
    if (automaton === undefined) return undefined
    const { budget, text: { units, starts } } = this.#material
    for (let at = 0; at < windows.length; at += 3) {
      const text = windows[at] as number
      // Behind the first window of a text it looks at all the rest.
      if (at > 0 && windows[at - 3] === text) continue
      const [start, end] = [starts[text] as number, starts[text + 1] as number]
      if (!budget.left()) return undefined
      const answer = automaton.test({ units, start, end }, windows[at + 1] as number, MAX_BUILDING_STEPS + BUILDING_STEPS_PER_UNIT * (end - start))
      budget.spend(automaton.steps)
      if (answer !== false) return answer
    }
    return false
  }

  #firstMatch(index: number, windows: Windows): Match | undefined {
    if (this.#first.has(index)) return this.#first.get(index)
    const match = new Search(matcherOf(this.#set.pattern(index)), this.#material, windows).next()
    this.#first.set(index, match)
    return match
  }

  #windowsOf(index: number): Windows | undefined {
    const { candidates, text } = this.#material
    if (this.#set.pattern(index).needs !== undefined) return candidates.windowsOf(index)
    return this.#everywhere ??= everywhere(text)
  }
}

/** How many places there are where a match may begin. */
function extentOf(windows: Windows): number {
  let extent = 0
  for (let at = 0; at < windows.length; at += 3) extent += 1 + (windows[at + 2] as number) - (windows[at + 1] as number)
  return extent
}

/** Matches of one pattern, one after another, without overlap. */
class Search {
  readonly #matcher: Matcher
  readonly #material: Material
  readonly #windows: Windows
  #at = 0
  /** the text that is looked at, where in it the next match may begin, and what tries on it have taken */
  #text = -1
  #from = 0
  #spent = 0

  constructor(matcher: Matcher, material: Material, windows: Windows) {
    this.#matcher = matcher
    this.#material = material
    this.#windows = windows
  }

  next(): Match | undefined {
    const windows = this.#windows
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
    const { budget, text: { units, starts } } = this.#material
    const [start, end] = [starts[text] as number, starts[text + 1] as number]
    const matcher = this.#matcher
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
      this.#from = matchEnd > matchStart ? matchEnd : matchEnd + 1
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
    while (this.#windows[this.#at + 3] === text) this.#at += 3
  }
}
