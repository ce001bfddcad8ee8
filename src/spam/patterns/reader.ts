/**
 * What stands at a place of a text, as the tables and sets of a library tell it;
 * and where the next one is that a program may begin at. Tables hold a bit for
 * each of U+0000 to U+00FF, one for all others, and one for the end of the text.
 */
import { making } from './character-set.ts'
import type { CharacterSet } from './character-set.ts'
import { END, HIGH } from './first.ts'
import { LOW_ONLY } from './library.ts'
import type { Library } from './library.ts'

const NEWLINE = 10
/** A newline is looked for one by one so far; further off, by a call into the run-time. */
const NEAR = 64
const NO_WORDS = new Int32Array(0)

/** A stretch of an array of code units: a text for itself. Well-formed UTF-16, or bytes. */
export interface Stretch {
  readonly units: Uint16Array
  readonly start: number
  readonly end: number
}

export const NO_TEXT: Stretch = { units: new Uint16Array(0), start: 0, end: 0 }

export class Reader {
  protected words = NO_WORDS
  protected sets: readonly CharacterSet[] = []
  protected units = NO_TEXT.units
  protected start = 0
  protected end = 0
  /** of the last search */
  steps = 0

  protected read({ words, sets }: Library, { units, start, end }: Stretch): void {
    this.words = words
    this.sets = sets
    this.units = units
    this.start = start
    this.end = end
  }

  /** A text is somebody's mail, and may be large: it is held no longer. */
  leave(): void {
    this.units = NO_TEXT.units
  }

  /** The first place at or behind one, up to another, where by a table a program may begin; none: behind both or behind the end. */
  protected candidate(table: number, from: number, until: number): number {
    const { units, words, end } = this
    const behind = Math.min(end, until + 1)
    const above = words[table + (HIGH >> 5)] as number
    let at = from
    for (; at < behind; at++) {
      const unit = units[at] as number
      if (unit < 256) {
        if ((((words[table + (unit >> 5)] as number) >>> unit) & 1) === 1) break
      } else if (((above >>> HIGH) & 1) === 1 && !isTrail(unit)) break
    }
    this.steps += (at - from) >> 2
    return at === end && ((above >>> END) & 1) === 0 ? end + 1 : at
  }

  /** The first place at or behind this one where a line begins; behind the end: none. */
  protected nextLine(at: number): number {
    const { units, end } = this
    const near = Math.min(end, at + NEAR)
    let newline = at - 1
    while (newline < near && units[newline] !== NEWLINE) newline++
    if (newline === near && near < end) {
      // Other texts stand behind this one in the same array.
      const further = units.subarray(near, end).indexOf(NEWLINE)
      newline = further < 0 ? end : near + further
    }
    this.steps += (newline - at + 1) >> 3
    return newline + 1
  }

  /** What stands at a place, as tables know it. */
  protected entryAt(at: number): number {
    return at < this.end ? Math.min(this.units[at] as number, 256 satisfies typeof HIGH) : (257 satisfies typeof END)
  }

  /** 1: it is in a table. */
  protected isIn(table: number, entry: number): number {
    return ((this.words[table + (entry >> 5)] as number) >>> entry) & 1
  }

  /** Could what stands at a place be first, by this table? */
  protected possible(table: number, at: number): boolean {
    return this.isIn(table, this.entryAt(at)) === 1
  }

  /** How long the character at a place is that is in a set, whose table and number stand one behind the other; 0: it is not. */
  protected width(set: number, at: number): number {
    const unit = this.units[at] as number
    return unit < 256 ? this.isIn(this.words[set] as number, unit) : this.highWidth(this.words[set + 1] as number, at)
  }

  /** Of one above U+00FF. */
  protected highWidth(set: number, at: number): number {
    const unit = this.units[at] as number
    if (set === LOW_ONLY) return 0
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const code = this.#pair(at)
      return code >= 0 && this.#has(set, code) ? 2 : 0
    }
    return this.#has(set, unit) ? 1 : 0
  }

  /** What a set does not know yet takes longer. */
  #has(set: number, code: number): boolean {
    const before = making.steps
    const member = this.sets[set]?.has(code) === true
    this.steps += making.steps - before
    return member
  }

  /** The code point of two surrogates; -1: they are none. */
  #pair(at: number): number {
    const lead = this.units[at] as number
    const trail = at + 1 < this.end ? this.units[at + 1] as number : 0
    return lead < 0xdc00 && isTrail(trail) ? 0x10000 + ((lead - 0xd800) << 10) + (trail - 0xdc00) : -1
  }

  /** Is the character before a place in a set? */
  protected isBefore(set: number, at: number): boolean {
    if (at <= this.start) return false
    return this.width(set, at - 1) === 1 || (at - 1 > this.start && isTrail(this.units[at - 1] as number) && this.width(set, at - 2) === 2)
  }

  /** Is the one at a place? */
  protected isNext(set: number, at: number): boolean {
    return at < this.end && this.width(set, at) > 0
  }

  /** Where the character before a place begins. */
  protected stepBack(at: number): number {
    return at - 1 > this.start && isTrail(this.units[at - 1] as number) ? at - 2 : at - 1
  }
}

export function isTrail(unit: number): boolean {
  return (unit & 0xfc00) === 0xdc00
}
