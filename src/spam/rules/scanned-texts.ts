/**
 * The texts of one message and what the patterns find in them: each text is read
 * once and scanned once, whoever asks. Patterns that the budget cut short are not
 * known, and never "no match": nothing may follow from what was not looked at.
 */
import { blocksOf, chunksOf, MAX_CHUNK_CHARACTERS } from '../patterns/chunks.ts'
import type { MatchBudget, SetScan } from '../patterns/pattern.ts'
import type { PatternSet } from '../patterns/pattern-set.ts'
import type { TextSource } from './condition.ts'
import type { MessageView } from './texts.ts'
import type { Truth } from './truth.ts'

/** Where a pattern stands: which set, and which of its patterns. */
export interface PatternPlace {
  readonly set: number
  readonly index: number
}

/** Patterns over the same values. */
export interface PatternGroup {
  readonly set: number
  readonly slot: number
  readonly indexes: readonly number[]
}

export interface SourceSet {
  readonly patterns: PatternSet
  /** for each pattern: 1 where it needs no literal */
  readonly anywhere: Uint8Array
  /** lines of a text one by one; pieces of many lines; values that are one piece where they are not very long; all values are the pieces of one text */
  readonly pieces: 'lines' | 'blocks' | 'whole' | 'given'
}

/** Which texts there are, and which sets of patterns look at them. */
export interface TextSets {
  readonly sets: readonly SourceSet[]
  readonly sources: readonly TextSource[]
}

/** What was found in all values of a slot. */
interface Findings {
  readonly scans: readonly SetScan[]
  /** for each pattern of the set: 0 where it matches none of them; undefined: they are few and short, and as soon asked */
  readonly maybe: Uint8Array | undefined
}

const FEW_VALUES = 4

export class ScannedTexts {
  readonly #view: MessageView
  readonly #program: TextSets
  readonly #budget: MatchBudget
  /** by value */
  readonly #scans: (Map<string, SetScan> | undefined)[]
  /** null: not asked for yet */
  readonly #values: (readonly string[] | undefined | null)[]
  readonly #findings: (Findings | undefined)[]

  constructor(program: TextSets, view: MessageView, budget: MatchBudget) {
    this.#view = view
    this.#program = program
    this.#budget = budget
    this.#scans = new Array<Map<string, SetScan> | undefined>(program.sets.length).fill(undefined)
    this.#values = new Array<null>(program.sources.length).fill(null)
    this.#findings = new Array<undefined>(program.sources.length).fill(undefined)
  }

  /** undefined: not known */
  values(slot: number): readonly string[] | undefined {
    const known = this.#values[slot]
    if (known !== null) return known
    const source = this.#program.sources[slot]
    if (source === undefined) throw new Error(`no text source has the number ${slot}`)
    const values = this.#view.values(source)
    this.#values[slot] = values
    return values
  }

  matches(place: PatternPlace, value: string): Truth {
    return this.#scan(place.set, value).matches(place.index)
  }

  /** Does it match one of the values with this slot? */
  anyMatches({ set, index }: PatternPlace, slot: number): Truth {
    const findings = this.#findingsOf(set, slot)
    return findings === undefined ? undefined : matchesIn(findings, index)
  }

  /** Does one of them match one of the values? */
  anyOfGroup({ set, slot, indexes }: PatternGroup): Truth {
    const findings = this.#findingsOf(set, slot)
    if (findings === undefined) return undefined
    let known = true
    for (const index of indexes) {
      const answer = matchesIn(findings, index)
      if (answer === true) return true
      if (answer === undefined) known = false
    }
    return known ? false : undefined
  }

  /** Do so many of them match one of the values each? No more is tried than it takes to see that they do not. */
  manyOfGroup({ set, slot, indexes }: PatternGroup, least: number): Truth {
    const findings = this.#findingsOf(set, slot)
    if (findings === undefined) return undefined
    const { maybe } = findings
    let possible = 0
    for (const index of indexes) if (maybe?.[index] !== 0) possible++
    let known = true
    for (const index of indexes) {
      if (possible < least) return false
      if (maybe?.[index] === 0) continue
      const answer = matchesIn(findings, index)
      if (answer === false) possible--
      if (answer === undefined) known = false
    }
    return known ? possible >= least : undefined
  }

  /** In all values with this slot together. */
  countAll(place: PatternPlace, { slot, most }: { readonly slot: number; readonly most: number }): number | undefined {
    const scans = this.scansOf(place.set, slot)
    if (scans === undefined) return undefined
    let sum = 0
    for (const scan of scans) {
      const count = scan.count(place.index, most - sum)
      if (count === undefined) return undefined
      sum += count
      if (sum >= most) break
    }
    return sum
  }

  excerptOfAny(place: PatternPlace, slot: number): string | undefined {
    for (const scan of this.scansOf(place.set, slot) ?? []) {
      const excerpt = scan.excerpt(place.index)
      if (excerpt !== undefined) return excerpt
    }
    return undefined
  }

  /** Short values of these texts are scanned in one go. */
  scanShort(places: readonly { readonly set: number; readonly slot: number }[]): void {
    const values = new Map<number, Set<string>>()
    for (const { set, slot } of places) {
      if (this.#patterns(set).pieces !== 'whole') continue
      let together = values.get(set)
      if (together === undefined) values.set(set, together = new Set())
      for (const value of this.values(slot) ?? []) if (value.length <= MAX_CHUNK_CHARACTERS) together.add(value)
    }
    for (const [set, together] of values) {
      const all = [...together]
      const scans = (this.#scans[set] ??= new Map<string, SetScan>())
      const scanned = this.#patterns(set).patterns.scanEach(all, this.#budget)
      for (let at = 0; at < all.length; at++) scans.set(all[at] as string, scanned[at] as SetScan)
    }
  }

  /** Of all values with this slot, whose patterns are all in one set. Undefined: they are not known. */
  scansOf(set: number, slot: number): readonly SetScan[] | undefined {
    return this.#findingsOf(set, slot)?.scans
  }

  #findingsOf(set: number, slot: number): Findings | undefined {
    const known = this.#findings[slot]
    if (known !== undefined) return known
    const values = this.values(slot)
    if (values === undefined) return undefined
    const { patterns, pieces, anywhere } = this.#patterns(set)
    const scans = pieces === 'given' ? [patterns.scan(values, this.#budget)] : values.map((value) => this.#scan(set, value))
    const findings = { scans, maybe: pieces === 'whole' && scans.length <= FEW_VALUES ? undefined : candidatesOf(scans, anywhere) }
    this.#findings[slot] = findings
    return findings
  }

  #patterns(set: number): SourceSet {
    const program = this.#program.sets[set]
    if (program === undefined) throw new Error(`no set of patterns has the number ${set}`)
    return program
  }

  #scan(set: number, value: string): SetScan {
    const scans = (this.#scans[set] ??= new Map<string, SetScan>())
    const done = scans.get(value)
    if (done !== undefined) return done
    const program = this.#patterns(set)
    const scan = program.patterns.scan(piecesOf(value, program.pieces), this.#budget)
    scans.set(value, scan)
    return scan
  }
}

function piecesOf(value: string, pieces: SourceSet['pieces']): readonly string[] {
  if (pieces === 'lines') return chunksOf(value)
  return pieces === 'whole' && value.length <= MAX_CHUNK_CHARACTERS ? [value] : blocksOf(value)
}

function candidatesOf(scans: readonly SetScan[], anywhere: Uint8Array): Uint8Array {
  const maybe = anywhere.slice()
  for (const { candidates } of scans) for (const index of candidates) maybe[index] = 1
  return maybe
}

function matchesIn({ scans, maybe }: Findings, index: number): Truth {
  if (maybe?.[index] === 0) return false
  let known = true
  for (const scan of scans) {
    const answer = scan.matches(index)
    if (answer === true) return true
    if (answer === undefined) known = false
  }
  return known ? false : undefined
}
