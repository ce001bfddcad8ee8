/**
 * Which patterns of a set can match where: one pass over the texts finds the
 * literals that the patterns need, and each of them says where a match may
 * begin. Bounded by the text: of one literal at most `MAX_PLACES` are kept, and
 * from the last of them on everywhere is possible.
 */
import { LiteralIndex } from './literal-index.ts'
import type { Pattern } from './pattern.ts'
import type { PreparedText } from './prepared-text.ts'

const MAX_PLACES = 4096
/** With no more places than these, those of a pattern are looked for; otherwise they are sorted once. */
const FEW_PLACES = 24
const MAX_SEARCHES = 0xffff_fff0
/** Farther away than this nothing is. */
const ANYWHERE = 0x3fff_ffff

/** Where matches may begin: text, first place, last place, and again; in their order. */
export type Windows = readonly number[]

/** Who needs which literal: for each where its uses begin, and one more at the end; and of each use the pattern, which begins so many code units before the literal, at least and at most. */
interface Uses {
  readonly starts: Int32Array
  readonly patterns: Int32Array
  readonly least: Int32Array
  readonly most: Int32Array
}

interface Use {
  readonly pattern: number
  readonly least: number
  readonly most: number
}

export class NeededLiterals {
  readonly #index: LiteralIndex | undefined
  readonly #uses: Uses
  /** of the texts that are looked at: literal and place, one behind another; how often each literal was found */
  #places = new Int32Array(1024)
  #length = 0
  readonly #counts: Uint16Array
  /** for each pattern, in which search it was found last; and which search this is */
  readonly #searches: Uint32Array
  #search = 0
  readonly #found = (literal: number, at: number): void => {
    const count = this.#counts[literal] as number
    if (count === MAX_PLACES) return
    this.#counts[literal] = count + 1
    if (this.#length === this.#places.length) this.#grow()
    // The last one that is kept stands for all that follow.
    this.#places[this.#length] = count + 1 === MAX_PLACES ? ~literal : literal
    this.#places[this.#length + 1] = at
    this.#length += 2
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
    const uses = new Map<string, Use[]>()
    for (const [pattern, { needs = [], needsAt = { least: -Infinity, most: Infinity } }] of patterns.entries()) {
      for (const literal of needs) {
        const use = { pattern, least: Math.max(needsAt.least, -ANYWHERE), most: Math.min(needsAt.most, ANYWHERE) }
        const others = uses.get(literal)
        if (others === undefined) uses.set(literal, [use])
        else others.push(use)
      }
      yield
    }
    return new NeededLiterals(uses.size === 0 ? undefined : yield* LiteralIndex.making([...uses.keys()]), [...uses.values()], patterns.length)
  }

  private constructor(index: LiteralIndex | undefined, uses: readonly (readonly Use[])[], patterns: number) {
    const all = uses.flat()
    const starts = new Int32Array(uses.length + 1)
    for (const [literal, some] of uses.entries()) starts[literal + 1] = (starts[literal] as number) + some.length
    this.#index = index
    this.#uses = { starts, patterns: Int32Array.from(all, ({ pattern }) => pattern), least: Int32Array.from(all, ({ least }) => least), most: Int32Array.from(all, ({ most }) => most) }
    this.#counts = new Uint16Array(uses.length)
    this.#searches = new Uint32Array(patterns)
  }

  /** For each pattern that needs literals and has one in these texts. Undefined: there are none. */
  find(text: PreparedText, texts: Texts): Candidates | undefined {
    const { units, starts } = text
    const index = this.#index
    if (index === undefined) return undefined
    const found = this.#found
    for (let number = texts.first; number < texts.behind; number++) index.scan(units, [starts[number] as number, starts[number + 1] as number], found)
    if (this.#length === 0) return undefined
    const places = this.#places.slice(0, this.#length)
    this.#length = 0
    return new Candidates({ text, texts, patterns: this.#patternsOf(places), uses: this.#uses, places, size: this.#searches.length })
  }

  /** Each once. The counts of literals are as at the begin again. */
  #patternsOf(places: Int32Array): readonly number[] {
    const searches = this.#searches
    if (this.#search === MAX_SEARCHES) {
      searches.fill(0)
      this.#search = 0
    }
    const search = ++this.#search
    const found: number[] = []
    const { starts, patterns } = this.#uses
    for (let at = 0; at < places.length; at += 2) {
      const literal = literalOf(places[at] as number)
      if (this.#counts[literal] === 0) continue
      this.#counts[literal] = 0
      const behind = starts[literal + 1] as number
      for (let use = starts[literal] as number; use < behind; use++) {
        const pattern = patterns[use] as number
        if (searches[pattern] === search) continue
        searches[pattern] = search
        found.push(pattern)
      }
    }
    return found
  }

  #grow(): void {
    const larger = new Int32Array(this.#places.length * 4)
    larger.set(this.#places)
    this.#places = larger
  }
}

function literalOf(entry: number): number {
  return entry < 0 ? ~entry : entry
}

/** Some of those that were prepared together. */
export interface Texts {
  readonly first: number
  readonly behind: number
}

interface Findings {
  readonly text: PreparedText
  readonly texts: Texts
  readonly patterns: readonly number[]
  readonly uses: Uses
  /** literal and place, one behind another, text by text; that of a literal that is not kept from there on negative */
  readonly places: Int32Array
  /** of the set */
  readonly size: number
}

/** What was found, by pattern: where those of each begin, and one more at the end; and of each the use, and where in the places it stands. */
interface Sorted {
  readonly starts: Int32Array
  readonly records: Int32Array
}

export class Candidates {
  /** each once */
  readonly patterns: readonly number[]
  readonly #findings: Findings
  #sorted: Sorted | undefined

  constructor(findings: Findings) {
    this.patterns = findings.patterns
    this.#findings = findings
  }

  /** Undefined: nowhere. */
  windowsOf(pattern: number): Windows | undefined {
    const { places, uses } = this.#findings
    if (places.length <= 2 * FEW_PLACES) {
      if (!this.patterns.includes(pattern)) return undefined
      const found = new WindowList(this.#findings)
      for (let place = 0; place < places.length; place += 2) {
        const literal = literalOf(places[place] as number)
        const behind = uses.starts[literal + 1] as number
        for (let use = uses.starts[literal] as number; use < behind; use++) if (uses.patterns[use] === pattern) found.add(use, place)
      }
      return found.ordered()
    }
    const { starts, records } = this.#sorted ??= sortedByPattern(this.#findings)
    const behind = starts[pattern + 1] as number
    const first = starts[pattern] as number
    if (first === behind) return undefined
    const found = new WindowList(this.#findings)
    for (let at = first; at < behind; at++) found.add(records[2 * at] as number, records[2 * at + 1] as number)
    return found.ordered()
  }
}

function sortedByPattern({ places, uses, size }: Findings): Sorted {
  const starts = new Int32Array(size + 1)
  let all = 0
  for (let place = 0; place < places.length; place += 2) {
    const literal = literalOf(places[place] as number)
    const behind = uses.starts[literal + 1] as number
    for (let use = uses.starts[literal] as number; use < behind; use++) {
      const pattern = uses.patterns[use] as number
      starts[pattern] = (starts[pattern] as number) + 1
      all++
    }
  }
  for (let pattern = 0; pattern < size; pattern++) starts[pattern + 1] = (starts[pattern + 1] as number) + (starts[pattern] as number)
  const records = new Int32Array(2 * all)
  // From the last on, so that each begin is where it should be in the end.
  for (let place = places.length - 2; place >= 0; place -= 2) {
    const literal = literalOf(places[place] as number)
    const first = uses.starts[literal] as number
    for (let use = (uses.starts[literal + 1] as number) - 1; use >= first; use--) {
      const pattern = uses.patterns[use] as number
      const at = (starts[pattern] as number) - 1
      starts[pattern] = at
      records[2 * at] = use
      records[2 * at + 1] = place
    }
  }
  return { starts, records }
}

/** Where one pattern may match. */
class WindowList {
  readonly #findings: Findings
  readonly #windows: number[] = []
  #isOrdered = true
  /** in which the last place was */
  #text = -1

  constructor(findings: Findings) {
    this.#findings = findings
  }

  /** Place by place as they were found: text by text. */
  add(use: number, place: number): void {
    const { places, uses, texts, text: { starts } } = this.#findings
    const at = places[place + 1] as number
    const text = this.#textAt(at)
    this.#add(text, Math.max(at - (uses.most[use] as number), starts[text] as number), Math.min(at - (uses.least[use] as number), starts[text + 1] as number))
    if ((places[place] as number) >= 0) return
    for (let one = text; one < texts.behind; one++) this.#add(one, starts[one] as number, starts[one + 1] as number)
  }

  #add(text: number, from: number, until: number): void {
    if (until < from) return
    const windows = this.#windows
    const last = windows.length - 3
    if (last >= 0) {
      const lastText = windows[last] as number
      const lastFrom = windows[last + 1] as number
      if (lastText === text && from >= lastFrom && from <= (windows[last + 2] as number) + 1) {
        if (until > (windows[last + 2] as number)) windows[last + 2] = until
        return
      }
      if (text < lastText || (text === lastText && from < lastFrom)) this.#isOrdered = false
    }
    windows.push(text, from, until)
  }

  /** Undefined: there are none. */
  ordered(): Windows | undefined {
    const windows = this.#windows
    if (windows.length === 0) return undefined
    if (this.#isOrdered) return windows
    const all = Array.from({ length: windows.length / 3 }, (_, at) => ({ text: windows[3 * at] as number, from: windows[3 * at + 1] as number, until: windows[3 * at + 2] as number }))
    all.sort((a, b) => a.text - b.text || a.from - b.from)
    windows.length = 0
    for (const { text, from, until } of all) this.#add(text, from, until)
    return windows
  }

  /** Which text holds a place: the last one, or one behind it. */
  #textAt(at: number): number {
    const { text: { starts }, texts } = this.#findings
    if (this.#text >= 0 && at < (starts[this.#text + 1] as number)) return this.#text
    let [low, high] = [Math.max(this.#text + 1, texts.first), texts.behind - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] as number) <= at) low = middle
      else high = middle - 1
    }
    return this.#text = low
  }
}

/** The windows of a pattern of which nothing is known. */
export function everywhere({ starts }: PreparedText, { first, behind }: Texts): Windows {
  const found: number[] = []
  for (let text = first; text < behind; text++) found.push(text, starts[text] as number, starts[text + 1] as number)
  return found
}
