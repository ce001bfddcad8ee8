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
import { matcherOf } from './read-pattern.ts'

const MAX_EXCERPT_CHARACTERS = 80
/** A pass over the text costs about a step for so many code units. */
const UNITS_PER_STEP = 4

export class PatternSet {
  readonly #patterns: readonly Pattern[]
  readonly #matchers: (Matcher | undefined)[]
  readonly #literals: NeededLiterals

  constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns
    this.#matchers = patterns.map(() => undefined)
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

  needsLiterals(index: number): boolean {
    return this.#pattern(index).needs !== undefined
  }

  /** Made when it is asked for the first time. */
  matcher(index: number): Matcher {
    return this.#matchers[index] ??= matcherOf(this.#pattern(index))
  }

  #pattern(index: number): Pattern {
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
  #everywhere: Windows | undefined

  constructor(set: PatternSet, material: Material) {
    this.#set = set
    this.#material = material
  }

  matches(index: number): boolean {
    return this.#firstMatch(index) !== undefined
  }

  excerpt(index: number): string | undefined {
    const match = this.#firstMatch(index)
    if (match === undefined) return undefined
    const { texts, text } = this.#material
    const begin = text.starts[match.text] as number
    return texts[match.text]?.slice(match.start - begin, Math.min(match.end, match.start + MAX_EXCERPT_CHARACTERS) - begin)
  }

  count(index: number, most: number): number {
    const windows = this.#windowsOf(index)
    if (windows === undefined || most < 1 || this.#firstMatch(index) === undefined) return 0
    const search = new Search(this.#set.matcher(index), this.#material, windows)
    let count = 0
    while (count < most && search.next() !== undefined) count++
    return count
  }

  #firstMatch(index: number): Match | undefined {
    const known = this.#first.get(index)
    if (known !== undefined || this.#first.has(index)) return known
    const windows = this.#windowsOf(index)
    if (windows === undefined) return undefined
    const match = new Search(this.#set.matcher(index), this.#material, windows).next()
    this.#first.set(index, match)
    return match
  }

  #windowsOf(index: number): Windows | undefined {
    const { candidates, text } = this.#material
    if (this.#set.needsLiterals(index)) return candidates.windowsOf(index)
    return this.#everywhere ??= everywhere(text)
  }
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
