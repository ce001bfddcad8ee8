/**
 * Which patterns of a set can match where: one pass over the texts finds the
 * literals that the patterns need, and each of them says where a match may
 * begin. Literals that say the same are one kind: what they say stands once, and is
 * near the processor. Bounded by the text: of one kind at most `MAX_PLACES` are kept,
 * and from the last of them on everywhere is possible.
 */
import { LiteralIndex } from './literal-index.ts'
import type { Texts } from './literal-index.ts'
import type { Pattern } from './pattern.ts'
import type { PreparedText } from './prepared-text.ts'
import { sufficientLiterals } from './sufficient-literals.ts'

const MAX_PLACES = 4096
/** With no more places than these, those of a pattern are looked for; otherwise they are sorted once. */
const FEW_PLACES = 24
/** Uses that are linked up, each with some bytes; where more were found, patterns are tried everywhere, at the cost of their budget. */
const MOST_LINKED = 4_000_000
const MAX_SEARCHES = 0xffff_fff0
/** Farther away than this nothing is. */
const ANYWHERE = 0x3fff_ffff
/** Numbers of a kind of literals before its uses, and of each use: the pattern, which begins so many code units before the literal, at least and at most. */
const HEAD = 2
const USE = 3
/** Of a place: the kind of literal, where it is, and in which text. */
const PLACE = 3
/** Of a link: the use, the place, and the next one. */
const LINK = 3
const KINDS_A_STEP = 64
/** Numbers there is room for; after a text that needed more than the latter, somebody else may have the memory. */
const FIRST_PLACES = 1024
const MOST_KEPT = 262_144

/** Where matches may begin: text, first place, last place, and again; in their order. */
export type Windows = ArrayLike<number>

interface Use {
  readonly pattern: number
  readonly least: number
  readonly most: number
}

/** The uses of literals that have the same. */
interface Kind {
  /** all but the last */
  readonly others: Kind | undefined
  readonly use: Use
}

/** Where what was found for some texts stands, and which patterns have one of their literals there. */
interface Found {
  readonly texts: Texts
  readonly first: number
  readonly behind: number
  readonly patterns: readonly number[]
  /** uses of the literals, each as often as its literal is there */
  readonly used: number
}

export class NeededLiterals {
  readonly #index: LiteralIndex | undefined
  /** of each kind of literals how often one was found, how many uses it has, and these: kinds are known by where theirs stand */
  readonly #uses: Int32Array
  /** for each pattern, in which search it was found last; and which search this is */
  readonly #searches: Uint32Array
  #search = 0
  /** of the texts that are looked at: literal, where and in which text, one behind another */
  #places = new Int32Array(FIRST_PLACES)
  #length = 0
  /** each text is for itself */
  #each = false
  #texts: Texts = { first: 0, behind: 0 }
  /** which it is, where in the places its own begin, its patterns, and how many uses there are */
  #text = -1
  #first = 0
  readonly #patterns: Int32Array
  #count = 0
  #used = 0
  #all: Found[] = []
  readonly #found = (literal: number, at: number, text: number): void => {
    if (this.#each && text !== this.#text) this.#turnTo(text)
    const uses = this.#uses
    const count = uses[literal] as number
    if (count === MAX_PLACES) return
    if (this.#length + PLACE > this.#places.length) this.#grow()
    uses[literal] = count + 1
    this.#used += uses[literal + 1] as number
    if (count === 0) this.#addPatterns(literal)
    const places = this.#places
    const length = this.#length
    // The last one that is kept stands for all that follow.
    places[length] = count + 1 === MAX_PLACES ? ~literal : literal
    places[length + 1] = at
    places[length + 2] = text
    this.#length = length + PLACE
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
    const kinds = new Map<string, Kind>()
    for (const [pattern, { needs = [], needsAt = { least: -Infinity, most: Infinity } }] of patterns.entries()) {
      const use = { pattern, least: Math.max(needsAt.least, -ANYWHERE), most: Math.min(needsAt.most, ANYWHERE) }
      const longer = new Map<Kind | undefined, Kind>()
      for (const literal of sufficientLiterals(needs)) {
        const others = kinds.get(literal)
        const kind = longer.get(others) ?? { others, use }
        longer.set(others, kind)
        kinds.set(literal, kind)
      }
      yield
    }
    const flat: number[] = []
    const places = new Map<Kind, number>()
    for (const kind of kinds.values()) {
      if (places.has(kind)) continue
      places.set(kind, flat.length)
      const uses = usesOf(kind)
      flat.push(0, uses.length)
      for (const { pattern, least, most } of uses) flat.push(pattern, least, most)
      if (places.size % KINDS_A_STEP === 0) yield
    }
    const names = Array.from(kinds.values(), (kind) => places.get(kind) as number)
    return new NeededLiterals(kinds.size === 0 ? undefined : yield* LiteralIndex.making([...kinds.keys()], names), Int32Array.from(flat), patterns.length)
  }

  private constructor(index: LiteralIndex | undefined, uses: Int32Array, patterns: number) {
    this.#index = index
    this.#uses = uses
    this.#searches = new Uint32Array(patterns)
    this.#patterns = new Int32Array(patterns)
  }

  /** For each pattern that needs literals and has one in these texts. Undefined: there are none. */
  find(text: PreparedText, texts: Texts): Candidates | undefined {
    const { searched, all: [found] } = this.#scan(text, texts, false)
    return found === undefined ? undefined : new Candidates(searched, found)
  }

  /** The same for each text by itself. */
  findEach(text: PreparedText): readonly (Candidates | undefined)[] {
    const { searched, all } = this.#scan(text, { first: 0, behind: text.texts.length }, true)
    const candidates = new Array<Candidates | undefined>(text.texts.length).fill(undefined)
    for (const found of all) candidates[found.texts.first] = new Candidates(searched, found)
    return candidates
  }

  #scan(text: PreparedText, texts: Texts, each: boolean): { readonly searched: Searched; readonly all: readonly Found[] } {
    // What a scan left that did not come to its end.
    this.#end()
    this.#each = each
    this.#texts = texts
    this.#first = 0
    this.#length = 0
    this.#all = []
    this.#turnTo(texts.first)
    this.#index?.scan(text, texts, this.#found)
    this.#end()
    const searched = { text, places: this.#places.slice(0, this.#length), uses: this.#uses, size: this.#searches.length }
    if (this.#places.length > MOST_KEPT) this.#places = new Int32Array(FIRST_PLACES)
    return { searched, all: this.#all }
  }

  #turnTo(text: number): void {
    this.#end()
    if (this.#search === MAX_SEARCHES) {
      this.#searches.fill(0)
      this.#search = 0
    }
    this.#search++
    this.#text = text
  }

  /** The counts of literals are as at the begin again. */
  #end(): void {
    const [first, behind] = [this.#first, this.#length]
    this.#first = behind
    if (behind <= first) return
    const places = this.#places
    const uses = this.#uses
    for (let place = first; place < behind; place += PLACE) uses[literalOf(places[place] as number)] = 0
    this.#all.push({ texts: this.#each ? { first: this.#text, behind: this.#text + 1 } : this.#texts, first, behind, patterns: this.#told(), used: this.#used })
    this.#count = 0
    this.#used = 0
  }

  #told(): readonly number[] {
    const told = new Array<number>(this.#count)
    for (let at = 0; at < told.length; at++) told[at] = this.#patterns[at] as number
    return told
  }

  /** Each once. */
  #addPatterns(literal: number): void {
    const uses = this.#uses
    const searches = this.#searches
    const search = this.#search
    const behind = behindUses(uses, literal)
    for (let use = literal + HEAD; use < behind; use += USE) {
      const pattern = uses[use] as number
      if (searches[pattern] === search) continue
      searches[pattern] = search
      this.#patterns[this.#count++] = pattern
    }
  }

  #grow(): void {
    const larger = new Int32Array(this.#places.length * 4)
    larger.set(this.#places)
    this.#places = larger
  }
}

function usesOf(kind: Kind): readonly Use[] {
  const uses: Use[] = []
  for (let some: Kind | undefined = kind; some !== undefined; some = some.others) uses.push(some.use)
  return uses.reverse()
}

function literalOf(entry: number): number {
  return entry < 0 ? ~entry : entry
}

function behindUses(uses: Int32Array, literal: number): number {
  return literal + HEAD + USE * (uses[literal + 1] as number)
}

/** What one search looked at, and what it found. */
interface Searched {
  readonly text: PreparedText
  /** literal, where and in which text, one behind another, text by text; that of a literal that is not kept from there on negative */
  readonly places: Int32Array
  readonly uses: Int32Array
  /** of the set */
  readonly size: number
}

/** What was found, by pattern: the link of the first place of each, 0 where there is none; and links: the use, where in the places it stands, and the next link. */
interface Sorted {
  readonly heads: Int32Array
  readonly links: Int32Array
}

export class Candidates {
  /** each once */
  readonly patterns: readonly number[]
  readonly #searched: Searched
  readonly #own: Found
  #sorted: Sorted | undefined
  #found: ReadonlySet<number> | undefined

  constructor(searched: Searched, own: Found) {
    this.patterns = own.patterns
    this.#searched = searched
    this.#own = own
  }

  /** Undefined: nowhere. */
  windowsOf(pattern: number): Windows | undefined {
    const { places, uses, text } = this.#searched
    const { first, behind, used, texts } = this.#own
    if (behind - first <= PLACE * FEW_PLACES) {
      if (!this.patterns.includes(pattern)) return undefined
      const found = new WindowList(this.#searched, texts)
      for (let place = first; place < behind; place += PLACE) {
        const literal = literalOf(places[place] as number)
        const last = behindUses(uses, literal)
        for (let use = literal + HEAD; use < last; use += USE) if (uses[use] === pattern) found.add(use, place)
      }
      return found.ordered()
    }
    if (used > MOST_LINKED) return (this.#found ??= new Set(this.patterns)).has(pattern) ? everywhere(text, texts) : undefined
    const { heads, links } = this.#sorted ??= sortedByPattern(this.#searched, this.#own)
    let link = heads[pattern] as number
    if (link === 0) return undefined
    const found = new WindowList(this.#searched, texts)
    for (; link !== 0; link = links[link + 2] as number) found.add(links[link] as number, links[link + 1] as number)
    return found.ordered()
  }
}

function sortedByPattern({ places, uses, size }: Searched, { first, behind, used }: Found): Sorted {
  const heads = new Int32Array(size)
  const links = new Int32Array(LINK * (used + 1))
  let link = LINK
  // From the last on, so that the first is at the head in the end.
  for (let place = behind - PLACE; place >= first; place -= PLACE) {
    const literal = literalOf(places[place] as number)
    for (let use = behindUses(uses, literal) - USE; use > literal; use -= USE) {
      const pattern = uses[use] as number
      links[link] = use
      links[link + 1] = place
      links[link + 2] = heads[pattern] as number
      heads[pattern] = link
      link += LINK
    }
  }
  return { heads, links }
}

/** Where one pattern may match. */
class WindowList {
  readonly #searched: Searched
  readonly #texts: Texts
  readonly #windows: number[] = []
  #isOrdered = true

  constructor(searched: Searched, texts: Texts) {
    this.#searched = searched
    this.#texts = texts
  }

  /** Place by place as they were found: text by text. */
  add(use: number, place: number): void {
    const { places, uses, text: { starts } } = this.#searched
    const at = places[place + 1] as number
    const text = places[place + 2] as number
    this.#add(text, Math.max(at - (uses[use + 2] as number), starts[text] as number), Math.min(at - (uses[use + 1] as number), starts[text + 1] as number))
    if ((places[place] as number) >= 0) return
    for (let one = text; one < this.#texts.behind; one++) this.#add(one, starts[one] as number, starts[one + 1] as number)
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
}

/** The windows of a pattern of which nothing is known. */
export function everywhere({ starts }: PreparedText, { first, behind }: Texts): Windows {
  const found = new Array<number>(3 * (behind - first))
  for (let text = first, at = 0; text < behind; text++, at += 3) {
    found[at] = text
    found[at + 1] = starts[text] as number
    found[at + 2] = starts[text + 1] as number
  }
  return found
}
