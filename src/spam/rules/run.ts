/**
 * The evaluation of one message: what has been scanned and which rules have
 * been asked is remembered, so that nothing is done twice. Patterns that the
 * budget cut short are not known, and never "no match": nothing may follow
 * from what was not looked at.
 */
import { blocksOf, chunksOf, MAX_CHUNK_CHARACTERS } from '../patterns/chunks.ts'
import type { MatchBudget, Pattern, SetScan } from '../patterns/pattern.ts'
import type { PatternSet } from '../patterns/pattern-set.ts'
import type { CompiledRule } from './compile.ts'
import type { Guards } from './guards.ts'
import type { TextSource } from './condition.ts'
import type { MessageView } from './texts.ts'
import type { Truth } from './truth.ts'

/** Where a pattern stands: which set, and which of its patterns. */
export interface PatternPlace {
  readonly set: number
  readonly index: number
}

export interface SourceSet {
  readonly patterns: PatternSet
  /** lines of a text one by one; pieces of many lines; values that are one piece where they are not very long; all values are the pieces of one text */
  readonly pieces: 'lines' | 'blocks' | 'whole' | 'given'
}

export interface Program {
  readonly sets: readonly SourceSet[]
  readonly sources: readonly TextSource[]
  /** of all sets */
  readonly patterns: readonly Pattern[]
  readonly rules: readonly CompiledRule[]
  readonly guards: Guards
}

const UNASKED = 0
const HOLDS = 1
const HOLDS_NOT = 2
const UNKNOWN = 3

export class Run {
  readonly view: MessageView
  readonly #program: Program
  readonly #budget: MatchBudget
  /** by value; by all of them where they are pieces of one text */
  readonly #scans: (Map<string | readonly string[], SetScan> | undefined)[]
  /** null: not asked for yet */
  readonly #values: (readonly string[] | undefined | null)[]
  readonly #answers: Uint8Array
  /** what is asked of rules that rest on rules comes from many sides */
  readonly #times = new Map<number, number | undefined>()
  readonly #excerpts = new Map<number, string | undefined>()

  constructor(program: Program, view: MessageView, budget: MatchBudget) {
    this.view = view
    this.#program = program
    this.#budget = budget
    this.#scans = new Array<Map<string | readonly string[], SetScan> | undefined>(program.sets.length).fill(undefined)
    this.#values = new Array<null>(program.sources.length).fill(null)
    this.#answers = new Uint8Array(program.rules.length)
  }

  /** undefined: not known */
  values(slot: number): readonly string[] | undefined {
    const known = this.#values[slot]
    if (known !== null) return known
    const source = this.#program.sources[slot]
    if (source === undefined) throw new Error(`no text source has the number ${slot}`)
    const values = this.view.values(source)
    this.#values[slot] = values
    return values
  }

  matches(place: PatternPlace, value: string): Truth {
    return this.#matches(this.#scan(place.set, value), place.index)
  }

  count(place: PatternPlace, { value, most }: { readonly value: string; readonly most: number }): number | undefined {
    return this.#count(this.#scan(place.set, value), place.index, most)
  }

  /** Does it match one of the pieces with this slot? */
  piecesMatch(place: PatternPlace, slot: number): Truth {
    const scan = this.#scanPieces(place.set, slot)
    return scan === undefined ? undefined : this.#matches(scan, place.index)
  }

  piecesCount(place: PatternPlace, { slot, most }: { readonly slot: number; readonly most: number }): number | undefined {
    const scan = this.#scanPieces(place.set, slot)
    return scan === undefined ? undefined : this.#count(scan, place.index, most)
  }

  piecesExcerpt(place: PatternPlace, slot: number): string | undefined {
    return this.#scanPieces(place.set, slot)?.excerpt(place.index)
  }

  excerpt(place: PatternPlace, value: string): string | undefined {
    return this.#scan(place.set, value).excerpt(place.index)
  }

  rule(index: number): Truth {
    const known = this.#answers[index]
    if (known !== UNASKED) return known === HOLDS ? true : known === HOLDS_NOT ? false : undefined
    const answer = this.#program.rules[index]?.question.holds(this)
    this.#answers[index] = answer === undefined ? UNKNOWN : answer ? HOLDS : HOLDS_NOT
    return answer
  }

  ruleTimes(index: number): number | undefined {
    const times = this.#program.rules[index]?.times
    const holds = this.rule(index)
    if (holds !== true || times === undefined) return holds === undefined ? undefined : Number(holds)
    if (!this.#times.has(index)) this.#times.set(index, times(this))
    return this.#times.get(index)
  }

  ruleExcerpt(index: number): string | undefined {
    if (this.rule(index) !== true) return undefined
    if (!this.#excerpts.has(index)) this.#excerpts.set(index, this.#program.rules[index]?.question.shows(this))
    return this.#excerpts.get(index)
  }

  #matches(scan: SetScan, index: number): Truth {
    const before = this.#budget.exceeded
    if (scan.matches(index)) return true
    return this.#budget.exceeded > before || !this.#budget.left() ? undefined : false
  }

  #count(scan: SetScan, index: number, most: number): number | undefined {
    const before = this.#budget.exceeded
    const count = scan.count(index, most)
    // What was counted is there; that it was all is not known.
    return count < most && (this.#budget.exceeded > before || !this.#budget.left()) ? undefined : count
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
      const scans = (this.#scans[set] ??= new Map<string | readonly string[], SetScan>())
      for (const [at, scan] of this.#patterns(set).patterns.scanEach(all, this.#budget).entries()) scans.set(all[at] as string, scan)
    }
  }

  /** Of all values with this slot. */
  scansOf(set: number, slot: number): readonly SetScan[] {
    const values = this.values(slot)
    if (values === undefined) return []
    if (this.#patterns(set).pieces !== 'given') return values.map((value) => this.#scan(set, value))
    const scan = this.#scanPieces(set, slot)
    return scan === undefined ? [] : [scan]
  }

  #scanPieces(set: number, slot: number): SetScan | undefined {
    const pieces = this.values(slot)
    if (pieces === undefined) return undefined
    const scans = (this.#scans[set] ??= new Map<string | readonly string[], SetScan>())
    const done = scans.get(pieces)
    if (done !== undefined) return done
    const scan = this.#patterns(set).patterns.scan(pieces, this.#budget)
    scans.set(pieces, scan)
    return scan
  }

  #patterns(set: number): SourceSet {
    const program = this.#program.sets[set]
    if (program === undefined) throw new Error(`no set of patterns has the number ${set}`)
    return program
  }

  #scan(set: number, value: string): SetScan {
    const scans = (this.#scans[set] ??= new Map<string | readonly string[], SetScan>())
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
