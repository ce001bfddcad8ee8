/**
 * Patterns that look at the same texts. A scan goes over the texts once to find
 * the literals that the patterns need; a pattern is tried when somebody asks for
 * it, and only on the texts that hold one of its literals. A pattern without
 * known literals is tried on every text. What the budget does not allow counts
 * as no match, and is counted there.
 */
import { LiteralIndex } from './literal-index.ts'
import { EXCEEDED, FOUND } from './matcher.ts'
import type { Matcher } from './matcher.ts'
import type { MatchBudget, Pattern, SetScan } from './pattern.ts'
import { prepareText } from './prepared-text.ts'
import type { PreparedText } from './prepared-text.ts'
import { matcherOf } from './read-pattern.ts'
import type { Stretch } from './walker.ts'

const MAX_EXCERPT_CHARACTERS = 80
/** A pass over the text costs about a step for so many code units. */
const UNITS_PER_STEP = 4

export class PatternSet {
  readonly #patterns: readonly Pattern[]
  readonly #matchers: (Matcher | undefined)[]
  readonly #index: LiteralIndex | undefined
  /** for each literal, the patterns that need it */
  readonly #users: readonly (readonly number[])[]

  constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns
    this.#matchers = patterns.map(() => undefined)
    const users = new Map<string, number[]>()
    for (const [index, { needs }] of patterns.entries()) {
      for (const literal of needs ?? []) {
        const others = users.get(literal)
        if (others === undefined) users.set(literal, [index])
        else others.push(index)
      }
    }
    this.#users = [...users.values()]
    this.#index = users.size === 0 ? undefined : new LiteralIndex([...users.keys()])
  }

  get size(): number {
    return this.#patterns.length
  }

  scan(texts: readonly string[], budget: MatchBudget): SetScan {
    const text = prepareText(texts)
    const candidates = this.#candidates(text)
    budget.spend(Math.ceil(text.units.length / UNITS_PER_STEP))
    return new Scan({ texts, text, candidates, budget, needs: (index) => this.#patterns[index]?.needs !== undefined, matcher: (index) => this.#matcher(index) })
  }

  #matcher(index: number): Matcher {
    const pattern = this.#patterns[index]
    if (pattern === undefined) throw new Error(`the set has no pattern ${index}`)
    return this.#matchers[index] ??= matcherOf(pattern)
  }

  /** For each pattern the texts that hold one of its literals, in their order. */
  #candidates({ units, starts }: PreparedText): ReadonlyMap<number, readonly number[]> {
    const candidates = new Map<number, number[]>()
    const index = this.#index
    if (index === undefined) return candidates
    const last = new Int32Array(this.#users.length).fill(-1)
    let number = 0
    const found = (literal: number) => {
      if (last[literal] === number) return
      last[literal] = number
      for (const pattern of this.#users[literal] ?? []) {
        const texts = candidates.get(pattern)
        if (texts === undefined) candidates.set(pattern, [number])
        else if (texts.at(-1) !== number) texts.push(number)
      }
    }
    for (; number + 1 < starts.length; number++) index.scan(units, [starts[number] as number, starts[number + 1] as number], found)
    return candidates
  }
}

interface ScanParts {
  readonly texts: readonly string[]
  readonly text: PreparedText
  readonly candidates: ReadonlyMap<number, readonly number[]>
  readonly budget: MatchBudget
  readonly needs: (index: number) => boolean
  readonly matcher: (index: number) => Matcher
}

interface Match {
  readonly text: number
  readonly start: number
  readonly end: number
}

class Scan implements SetScan {
  readonly #parts: ScanParts
  readonly #first = new Map<number, Match | undefined>()

  constructor(parts: ScanParts) {
    this.#parts = parts
  }

  matches(index: number): boolean {
    return this.#firstMatch(index) !== undefined
  }

  excerpt(index: number): string | undefined {
    const match = this.#firstMatch(index)
    if (match === undefined) return undefined
    const begin = this.#parts.text.starts[match.text] as number
    return this.#parts.texts[match.text]?.slice(match.start - begin, Math.min(match.end, match.start + MAX_EXCERPT_CHARACTERS) - begin)
  }

  count(index: number, most: number): number {
    const first = most > 0 ? this.#firstMatch(index) : undefined
    if (first === undefined) return 0
    let count = 1
    for (const text of this.#textsOf(index)) {
      if (text < first.text) continue
      let before = text === first.text ? first : undefined
      while (count < most) {
        before = this.#search(index, text, before)
        if (before === undefined) break
        count++
      }
    }
    return count
  }

  #firstMatch(index: number): Match | undefined {
    if (this.#first.has(index)) return this.#first.get(index)
    let match: Match | undefined
    for (const text of this.#textsOf(index)) {
      match = this.#search(index, text, undefined)
      if (match !== undefined) break
    }
    this.#first.set(index, match)
    return match
  }

  #textsOf(index: number): Iterable<number> {
    const { candidates, needs, texts } = this.#parts
    return needs(index) ? candidates.get(index) ?? [] : texts.keys()
  }

  /** The first match in a text, or the first behind another. */
  #search(index: number, text: number, before: Match | undefined): Match | undefined {
    const { budget } = this.#parts
    const { units, starts } = this.#parts.text
    const stretch: Stretch = { units, start: starts[text] as number, end: starts[text + 1] as number }
    const from = before === undefined ? stretch.start : before.end > before.start ? before.end : before.end + 1
    if (from > stretch.end) return undefined
    const matcher = this.#parts.matcher(index)
    if (!budget.left()) {
      budget.overrun()
      return undefined
    }
    const outcome = matcher.search(stretch, from, budget.allowance(stretch.end - stretch.start))
    budget.spend(matcher.steps + 1)
    if (outcome === EXCEEDED) budget.overrun()
    return outcome === FOUND ? { text, start: matcher.matchStart, end: matcher.matchEnd } : undefined
  }
}
