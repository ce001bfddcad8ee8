/**
 * Which patterns of a set can match where: one pass over the texts finds the
 * literals that the patterns need, and each of them says where a match may
 * begin. Bounded by the text: of one literal at most `MAX_PLACES` are kept, and
 * from the last of them on everywhere is possible.
 */
import { LiteralIndex, stretchOf } from './literal-index.ts'
import type { Pattern } from './pattern.ts'
import type { PreparedText } from './prepared-text.ts'

const MAX_PLACES = 4096
/** With no more of them in a text, those of a pattern are looked for; otherwise they are sorted once. */
const FEW_LITERALS = 12
const MAX_SEARCHES = 0xffff_fff0

/** Where matches may begin: text, first place, last place, and again; in their order. */
export type Windows = readonly number[]

interface Use {
  readonly pattern: number
  /** a match begins so many code units before the literal, at least and at most */
  readonly least: number
  readonly most: number
}

export class NeededLiterals {
  readonly #index: LiteralIndex | undefined
  readonly #uses: readonly (readonly Use[])[]
  /** of the texts that are looked at: for each literal where it is, and which are somewhere */
  readonly #places: (number[] | undefined)[]
  #seen: number[] = []
  /** for each pattern, in which search it was found last; and which search this is */
  readonly #searches: Uint32Array
  #search = 0
  readonly #found = (literal: number, at: number): void => {
    const places = this.#places[literal]
    if (places === undefined) {
      this.#places[literal] = [at]
      this.#seen.push(literal)
    } else if (places.length < MAX_PLACES) places.push(at)
  }

  static of(patterns: readonly Pattern[]): NeededLiterals {
    const making = NeededLiterals.making(patterns)
    for (;;) {
      const step = making.next()
      if (step.done === true) return step.value
    }
  }

  /** The same, a pattern or some literals a step. */
  static* making(patterns: readonly Pattern[]): Generator<void, NeededLiterals> {
    const numbers = new Map<string, number>()
    const uses: Use[][] = []
    for (const [pattern, { needs = [], needsAt = { least: -Infinity, most: Infinity } }] of patterns.entries()) {
      for (const literal of needs) {
        const { stretch, at } = stretchOf(literal)
        let number = numbers.get(stretch)
        if (number === undefined) {
          number = uses.push([]) - 1
          numbers.set(stretch, number)
        }
        uses[number]?.push({ pattern, least: needsAt.least + at, most: needsAt.most + at })
      }
      yield
    }
    return new NeededLiterals(numbers.size === 0 ? undefined : yield* LiteralIndex.making([...numbers.keys()]), uses, patterns.length)
  }

  private constructor(index: LiteralIndex | undefined, uses: readonly (readonly Use[])[], patterns: number) {
    this.#index = index
    this.#uses = uses
    this.#searches = new Uint32Array(patterns)
    this.#places = uses.map(() => undefined)
  }

  /** For each pattern that needs literals and has one in these texts. Undefined: there are none. */
  find(text: PreparedText, texts: Texts): Candidates | undefined {
    const { units, starts } = text
    const index = this.#index
    if (index === undefined) return undefined
    const found = this.#found
    for (let number = texts.first; number < texts.behind; number++) index.scan(units, [starts[number] as number, starts[number + 1] as number], found)
    if (this.#seen.length === 0) return undefined
    return new Candidates({ text, texts, patterns: this.#patternsSeen(), hits: this.#takeHits() })
  }

  /** Each once. */
  #patternsSeen(): readonly number[] {
    const searches = this.#searches
    if (this.#search === MAX_SEARCHES) {
      searches.fill(0)
      this.#search = 0
    }
    const search = ++this.#search
    const patterns: number[] = []
    for (const literal of this.#seen) {
      for (const { pattern } of this.#uses[literal] as readonly Use[]) {
        if (searches[pattern] === search) continue
        searches[pattern] = search
        patterns.push(pattern)
      }
    }
    return patterns
  }

  #takeHits(): readonly Hit[] {
    const hits = this.#seen.map((literal) => ({ uses: this.#uses[literal] as readonly Use[], places: this.#places[literal] as number[] }))
    for (const literal of this.#seen) this.#places[literal] = undefined
    this.#seen = []
    return hits
  }
}

/** Some of those that were prepared together. */
export interface Texts {
  readonly first: number
  readonly behind: number
}

/** A literal that is somewhere. */
interface Hit {
  readonly uses: readonly Use[]
  readonly places: readonly number[]
}

interface PatternHit {
  readonly use: Use
  readonly places: readonly number[]
}

interface Findings {
  readonly text: PreparedText
  readonly texts: Texts
  readonly patterns: readonly number[]
  readonly hits: readonly Hit[]
}

export class Candidates {
  /** each once */
  readonly patterns: readonly number[]
  readonly #text: PreparedText
  readonly #texts: Texts
  readonly #hits: readonly Hit[]
  #sorted: ReadonlyMap<number, readonly PatternHit[]> | undefined

  constructor({ text, texts, patterns, hits }: Findings) {
    this.#text = text
    this.#texts = texts
    this.patterns = patterns
    this.#hits = hits
  }

  /** Undefined: nowhere. */
  windowsOf(pattern: number): Windows | undefined {
    if (this.#hits.length > FEW_LITERALS) return this.#windows((this.#sorted ??= sortedByPattern(this.#hits)).get(pattern))
    return this.patterns.includes(pattern) ? this.#windows(this.#hits.flatMap(({ uses, places }) => uses.filter((use) => use.pattern === pattern).map((use) => ({ use, places })))) : undefined
  }

  #windows(hits: readonly PatternHit[] | undefined): Windows | undefined {
    if (hits === undefined) return undefined
    const all: Window[] = []
    for (const { use, places } of hits) this.#add(use, places, all)
    if (hits.length > 1) all.sort((a, b) => a.text - b.text || a.from - b.from)
    return merged(all)
  }

  #add({ least, most }: Use, places: readonly number[], windows: Window[]): void {
    let text = -1
    for (const at of places) {
      text = this.#textAt(at, text)
      windows.push(this.#window(text, at - most, at - least))
    }
    if (places.length === MAX_PLACES) windows.push(...this.#everywhereFrom(text))
  }

  #window(text: number, from: number, until: number): Window {
    const start = this.#text.starts[text] as number
    const end = this.#text.starts[text + 1] as number
    return { text, from: Math.max(from, start), until: Math.min(until, end) }
  }

  * #everywhereFrom(text: number): Iterable<Window> {
    for (let one = text; one < this.#texts.behind; one++) yield this.#window(one, -Infinity, Infinity)
  }

  /** Which text holds a place: the one given, or one behind it. */
  #textAt(at: number, least: number): number {
    const { starts } = this.#text
    if (least >= 0 && at < (starts[least + 1] as number)) return least
    let [low, high] = [Math.max(least + 1, this.#texts.first), this.#texts.behind - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] as number) <= at) low = middle
      else high = middle - 1
    }
    return low
  }
}

interface Window {
  readonly text: number
  readonly from: number
  readonly until: number
}

function sortedByPattern(hits: readonly Hit[]): ReadonlyMap<number, readonly PatternHit[]> {
  const sorted = new Map<number, PatternHit[]>()
  for (const { uses, places } of hits) {
    for (const use of uses) {
      const others = sorted.get(use.pattern)
      if (others === undefined) sorted.set(use.pattern, [{ use, places }])
      else others.push({ use, places })
    }
  }
  return sorted
}

function merged(windows: readonly Window[]): Windows {
  const found: number[] = []
  for (const { text, from, until } of windows) {
    const last = found.length - 1
    if (last >= 0 && found[last - 2] === text && from <= (found[last] as number) + 1) found[last] = Math.max(found[last] as number, until)
    else if (until >= from) found.push(text, from, until)
  }
  return found
}

/** The windows of a pattern of which nothing is known. */
export function everywhere({ starts }: PreparedText, { first, behind }: Texts): Windows {
  const found: number[] = []
  for (let text = first; text < behind; text++) found.push(text, starts[text] as number, starts[text + 1] as number)
  return found
}
