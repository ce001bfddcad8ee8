/**
 * Says whether a text matches, by following all ways of a pattern at once: one
 * look into a table for each character, however often the pattern could go back.
 * Sets of states that occur are kept, with what each kind of character leads to;
 * when there are too many, they are forgotten and begun anew, and so they are when
 * all automata together hold too much (held-sets.ts). Building is counted as steps,
 * so that a text that makes it build all the time ends at a limit; and as many
 * texts would, one after another, an automaton has credit for building, which it
 * earns by what it looks at.
 */
import { CharacterKinds } from './character-kinds.ts'
import { HeldSets } from './held-sets.ts'
import type { Condition, States } from './states.ts'
import type { Stretch } from './reader.ts'

const MAX_SETS = 512
/** Of all sets together: with their names a quarter of a megabyte. Those of mail have 4000 at most. */
const MAX_STATES_IN_SETS = 32_768
const UNITS_PER_STEP = 4
/** Steps of building: what all sets that mail makes take several times over, and a new one for so many code units. Mail takes one for 50 bytes, of all patterns together. */
const MOST_CREDIT = 50_000
const UNITS_PER_CREDIT = 8
/** What a set takes beside its states and its row of the table, in numbers of 32 bits. */
const NUMBERS_PER_SET = 64
const NUMBERS_PER_STATE = 2

/** of all of a process */
const ALL = new HeldSets()

/** In the table: not known yet; or a match is complete. Everything else is where a set begins. */
const UNKNOWN = 0
const MATCH = -1

interface StateSet {
  /** in ascending order */
  readonly states: Int32Array
  /** what stands before, as far as a condition asks */
  readonly before: number
}

export class Automaton {
  readonly #states: States
  readonly #anchored: boolean
  readonly #held: HeldSets
  readonly #kinds: CharacterKinds
  readonly #sets: StateSet[] = []
  readonly #numbers = new Map<string, number>()
  /** where it begins, by what stands before */
  readonly #initials = new Map<number, number>()
  /** of a set in the table */
  readonly #width: number
  #table = new Int32Array(0)
  readonly #marks: Uint32Array
  #statesInSets = 0
  #round = 0
  #steps = 0
  #building = 0
  #credit = MOST_CREDIT

  /** `anchored`: it matches at the begin of a text only */
  constructor(states: States, anchored: boolean, held = ALL) {
    this.#states = states
    this.#anchored = anchored
    this.#held = held
    this.#kinds = new CharacterKinds(states)
    this.#width = this.#kinds.most
    this.#marks = new Uint32Array(states.states.length)
    this.forget()
  }

  /** What the last test took. */
  get steps(): number {
    return this.#steps
  }

  /** What of it was for building. */
  get building(): number {
    return this.#building
  }

  /** Is there one that begins at `from` or behind, and ends before `behind`? One that ends there or later may be found as well. Undefined: not known after so many steps of building. */
  test(stretch: Stretch, [from, behind]: readonly [number, number], maxSteps: number): boolean | undefined {
    const { units, start, end } = stretch
    const stop = Math.min(behind, end)
    const kinds = this.#kinds
    const { low } = kinds
    this.#steps = 0
    kinds.steps = 0
    let set = this.#initial(from === start ? kinds.atStart : kinds.beforeOf(kinds.kindBefore(stretch, from)))
    let table = this.#table
    for (let at = from; at < stop && set !== (-1 satisfies typeof MATCH); at++) {
      const unit = units[at] as number
      const kind = unit < 256 && (unit !== 10 || at + 1 < end) ? low[unit] as number : kinds.kindAt(stretch, at)
      if (kind < 0 || (unit > 255 && this.#steps + kinds.steps > maxSteps)) return this.#finish(at - from, undefined)
      let next = table[set + kind] as number
      if (next === (0 satisfies typeof UNKNOWN)) {
        next = this.#build(set, kind)
        table = this.#table
        if (this.#steps > maxSteps) return this.#finish(at - from, undefined)
      }
      set = next
      if (unit >= 0xd800 && unit <= 0xdbff) at++
    }
    if (set === MATCH || stop < end) return this.#finish(stop - from, set === MATCH)
    const last = table[set + kinds.end] as number
    return this.#finish(end - from, (last === UNKNOWN ? this.#build(set, kinds.end) : last) === MATCH)
  }

  #finish(units: number, result: boolean | undefined): boolean | undefined {
    const building = this.#steps + this.#kinds.steps
    this.#building = building
    this.#credit = Math.min(MOST_CREDIT, this.#credit - building + Math.trunc(units / UNITS_PER_CREDIT))
    this.#steps = building + Math.ceil(units / UNITS_PER_STEP)
    return result
  }

  /** So many steps of building it may be asked for. */
  get credit(): number {
    return Math.max(0, this.#credit)
  }

  /** About, in numbers of 32 bits. */
  get held(): number {
    return this.#table.length + NUMBERS_PER_SET * this.#sets.length + NUMBERS_PER_STATE * this.#statesInSets
  }

  /** Begins anew: not while it looks at a text, unless it does so itself. */
  forget(): void {
    this.#sets.length = 0
    this.#statesInSets = 0
    this.#numbers.clear()
    this.#initials.clear()
    // No set begins at 0, which is UNKNOWN.
    this.#sets.push({ states: new Int32Array(0), before: 0 })
    this.#table = new Int32Array(this.#width * 16)
  }

  #initial(before: number): number {
    const known = this.#initials.get(before)
    if (known !== undefined) return known
    const found: number[] = []
    this.#round++
    const initial = this.#close(this.#states.entry, found) ? MATCH : this.#numberOf(found, before)
    this.#initials.set(before, initial)
    this.#steps += found.length + 4
    return initial
  }

  /** What a set leads to with a kind of character. */
  #build(set: number, kind: number): number {
    const { states, before } = this.#sets[set / this.#width] as StateSet
    const possible = this.#possible(states, before, kind)
    if (possible === undefined) return this.#keep(set, kind, MATCH)
    if (kind === this.#kinds.end) return this.#keep(set, kind, set)
    const found: number[] = []
    this.#round++
    let matched = false
    for (const state of possible) {
      const taken = this.#states.states[state]
      if (taken?.kind === 'take' && this.#kinds.has(kind, taken.set)) matched = this.#close(taken.next, found) || matched
    }
    if (!this.#anchored) matched = this.#close(this.#states.entry, found) || matched
    this.#steps += states.length + found.length + 4
    if (matched) return this.#keep(set, kind, MATCH)
    if (this.#sets.length >= MAX_SETS || this.#statesInSets >= MAX_STATES_IN_SETS) {
      this.forget()
      return this.#numberOf(found, this.#kinds.beforeOf(kind))
    }
    return this.#keep(set, kind, this.#numberOf(found, this.#kinds.beforeOf(kind)))
  }

  #keep(set: number, kind: number, to: number): number {
    this.#table[set + kind] = to
    return to
  }

  /** The states of a set and those that conditions let through; undefined: a match is complete. */
  #possible(states: Int32Array, before: number, kind: number): readonly number[] | undefined {
    const found: number[] = []
    this.#round++
    for (const state of states) this.#close(state, found)
    for (let at = 0; at < found.length; at++) {
      const state = this.#states.states[found[at] as number]
      if (state?.kind === 'if' && this.#holds(state.condition, before, kind) && this.#close(state.next, found)) return undefined
    }
    return found
  }

  #holds(condition: Condition, before: number, kind: number): boolean {
    const kinds = this.#kinds
    switch (condition.kind) {
      case 'start': return before === kinds.atStart
      case 'end': return kind === kinds.end
      case 'end-or-newline': return kind === kinds.end || kind === kinds.lastNewline
      case 'line-start': return before === kinds.atStart || (kinds.isNewlineBefore(before) && kind !== kinds.end)
      case 'line-end': return kind === kinds.end || kinds.isNewline(kind)
      case 'word-edge': return (kinds.hadBefore(before, condition.set) !== kinds.has(kind, condition.set)) !== condition.negative
      case 'next': return kinds.has(kind, condition.set) !== condition.negative
      case 'before': return kinds.hadBefore(before, condition.set) !== condition.negative
    }
  }

  /** Adds what can be reached without a character; true: the end. */
  #close(from: number, found: number[]): boolean {
    const waiting = [from]
    let matched = false
    for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
      if (this.#marks[state] === this.#round) continue
      this.#marks[state] = this.#round
      const what = this.#states.states[state] as States['states'][number]
      if (what.kind === 'fork') waiting.push(what.next, what.other)
      else if (what.kind === 'matched') matched = true
      else found.push(state)
    }
    return matched
  }

  #numberOf(found: readonly number[], before: number): number {
    const states = Int32Array.from(found).sort()
    const asks = found.some((state) => this.#states.states[state]?.kind === 'if')
    const key = `${asks ? before : 0}:${states.join()}`
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = (this.#sets.push({ states, before: asks ? before : 0 }) - 1) * this.#width
      this.#numbers.set(key, number)
      this.#statesInSets += states.length
      if (number + this.#width > this.#table.length) {
        const larger = new Int32Array(this.#table.length * 2)
        larger.set(this.#table)
        this.#table = larger
        this.#held.grown(this)
      }
    }
    return number
  }
}
