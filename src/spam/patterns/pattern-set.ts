/**
 * Patterns that look at the same texts. A scan goes over the texts once to find
 * the literals that the patterns need; a pattern is tried when somebody asks for
 * it, and only where one of its literals allows a match. A pattern without
 * known literals is tried everywhere. Of what the budget does not allow to be
 * tried to its end it is not known whether it matches, and stays so.
 */
import { engineOf } from './engine.ts'
import type { Engine } from './engine.ts'
import { everywhere, NeededLiterals } from './needed-literals.ts'
import type { Texts } from './literal-index.ts'
import type { Candidates, Windows } from './needed-literals.ts'
import type { MatchBudget, Pattern, SetScan } from './pattern.ts'
import { PreparedText } from './prepared-text.ts'
import { areWide, haveInCommon } from './required-characters.ts'
import type { Characters } from './required-characters.ts'
import { decide, Search } from './search.ts'
import type { Match, Part } from './search.ts'

const NONE: readonly number[] = []
const MAX_EXCERPT_CHARACTERS = 80
/** Below this it is as well to try. */
const MIN_CHARACTERS_UNITS = 128
/** Shorter texts take longer to look at one by one, where a pattern may match at their begins alone, than all of their characters do. */
const LONG_TEXTS_UNITS = 80
/** A pass over the text costs about a step for so many code units. */
const UNITS_PER_STEP = 4

export class PatternSet {
  readonly #patterns: readonly Pattern[]
  #literals: NeededLiterals | undefined
  /** of patterns that were asked for */
  readonly #engines: (Engine | undefined)[]

  constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns
    this.#engines = new Array<undefined>(patterns.length).fill(undefined)
  }

  /** Makes what the first scan would wait for, a piece a step. */
  *prepare(): Generator<void, void> {
    this.#literals ??= yield* NeededLiterals.making(this.#patterns)
  }

  get size(): number {
    return this.#patterns.length
  }

  /** Each text is for itself: a match lies within one. */
  scan(texts: readonly string[], budget: MatchBudget): SetScan {
    const text = new PreparedText(texts)
    const all = { first: 0, behind: texts.length }
    budget.spend(stepsFor(text, all))
    return new Scan(this, { text, texts: all, candidates: this.#needed().find(text, all), budget })
  }

  /** A scan for each of them: what many short texts cost least by. */
  scanEach(texts: readonly string[], budget: MatchBudget): readonly SetScan[] {
    const text = new PreparedText(texts)
    const each = texts.map((_, number) => ({ first: number, behind: number + 1 }))
    budget.spend(each.reduce((steps, one) => steps + stepsFor(text, one), 0))
    const candidates = this.#needed().findEach(text)
    return each.map((one, number) => new Scan(this, { text, texts: one, candidates: candidates[number], budget }))
  }

  #needed(): NeededLiterals {
    return this.#literals ??= NeededLiterals.of(this.#patterns)
  }

  pattern(index: number): Pattern {
    const pattern = this.#patterns[index]
    if (pattern === undefined) throw new Error(`the set has no pattern ${index}`)
    return pattern
  }

  engine(index: number): Engine {
    return this.#engines[index] ??= engineOf(this.pattern(index))
  }
}

function stepsFor(text: PreparedText, { first, behind }: Texts): number {
  return Math.ceil(text.lengthOf(first, behind) / UNITS_PER_STEP)
}

interface Material {
  readonly text: PreparedText
  /** those of it that are looked at */
  readonly texts: Texts
  /** undefined: there are none */
  readonly candidates: Candidates | undefined
  readonly budget: MatchBudget
}

class Scan implements SetScan {
  readonly #set: PatternSet
  readonly #material: Material
  /** of patterns that were asked for and may match somewhere; undefined: they do not */
  #first: Map<number, Match | undefined> | undefined
  /** undefined: it was cut short */
  #answers: Map<number, boolean | undefined> | undefined
  #everywhere: Windows | undefined
  #characters: Characters | undefined
  #isWide: boolean | undefined

  constructor(set: PatternSet, material: Material) {
    this.#set = set
    this.#material = material
  }

  get candidates(): readonly number[] {
    return this.#material.candidates?.patterns ?? NONE
  }

  matches(index: number): boolean | undefined {
    if (this.#answers?.has(index) === true) return this.#answers.get(index)
    const windows = this.#windowsOf(index)
    if (windows === undefined) return false
    const { budget } = this.#material
    const before = budget.exceeded
    const answer = decide(this.#part(index, windows)) || (budget.exceeded > before ? undefined : false)
    this.#answers ??= new Map<number, boolean | undefined>()
    this.#answers.set(index, answer)
    return answer
  }

  excerpt(index: number): string | undefined {
    const windows = this.matches(index) === true ? this.#windowsOf(index) : undefined
    const match = windows === undefined ? undefined : this.#firstMatch(index, windows)
    if (match === undefined) return undefined
    const { text } = this.#material
    const begin = text.starts[match.text] as number
    return text.texts[match.text]?.slice(match.start - begin, Math.min(match.end, match.start + MAX_EXCERPT_CHARACTERS) - begin)
  }

  count(index: number, most: number): number | undefined {
    if (most <= 0) return 0
    const matches = this.matches(index)
    const windows = matches === true ? this.#windowsOf(index) : undefined
    if (windows === undefined) return matches === undefined ? undefined : 0
    const { budget } = this.#material
    const before = budget.exceeded
    const search = new Search(this.#part(index, windows))
    let count = 0
    while (count < most && search.next() !== undefined) count++
    // What was counted is there; that it was all is not known.
    return count < most && budget.exceeded > before ? undefined : Math.max(count, 1)
  }

  #firstMatch(index: number, windows: Windows): Match | undefined {
    if (this.#first?.has(index) === true) return this.#first.get(index)
    const match = new Search(this.#part(index, windows)).next()
    this.#first ??= new Map<number, Match | undefined>()
    this.#first.set(index, match)
    return match
  }

  /** Undefined: it matches nowhere. */
  #windowsOf(index: number): Windows | undefined {
    const { candidates, text, texts } = this.#material
    const pattern = this.#set.pattern(index)
    if (pattern.needs !== undefined) return candidates?.windowsOf(index)
    if (text.lengthOf(texts.first, texts.behind) > MIN_CHARACTERS_UNITS) {
      const engine = this.#set.engine(index)
      if (engine.characters !== undefined && !this.#mayMatch(engine, engine.characters)) return undefined
    }
    return this.#everywhere ??= everywhere(text, texts)
  }

  #mayMatch({ program }: Engine, characters: Characters): boolean {
    const { text, texts: { first, behind } } = this.#material
    if (areWide(characters)) return this.#isWide ??= text.isWide(first, behind)
    if (this.#characters === undefined && program.anchor === 'text' && text.lengthOf(first, behind) > LONG_TEXTS_UNITS * (behind - first)) return true
    return haveInCommon(characters, this.#characters ??= text.charactersOf(first, behind))
  }

  #part(index: number, windows: Windows): Part {
    const { text, budget } = this.#material
    return { engine: this.#set.engine(index), text, budget, windows }
  }
}
