/**
 * Memory that programs share: their instructions, tables of characters and
 * sets in few large arrays, as a message is tried on many programs, and each
 * array of its own would have to be fetched for itself. What is equal is kept
 * once. A library takes programs until it is full; then another is begun. It
 * is there as long as one of its programs is, so what a library holds that is
 * no longer used has a bound. It grows by moving: who runs a program asks for
 * the arrays anew each time.
 */
import type { CharacterSet } from './character-set.ts'
import { HIGH } from './first.ts'
import type { First } from './first.ts'

/** No program is begun behind it: about 1 MB, and room for the last. */
const FULL = 250_000
const ROOM = 262_144
const AT_FIRST = 4096
/** One bit for each entry of a table. */
const TABLE_WORDS = 9
/** In place of the number of a set that has none above U+00FF. */
export const LOW_ONLY = -1

export class Library {
  words = new Int32Array(AT_FIRST)
  /** the same memory */
  halves = new Uint16Array(this.words.buffer)
  /** those that have characters above U+00FF */
  readonly sets: CharacterSet[] = []
  #used = 0
  readonly #tables = new Map<string, number>()
  readonly #setNumbers = new Map<string, number>()

  get isFull(): boolean {
    return this.#used >= FULL
  }

  /** Where what is added next will stand. */
  get place(): number {
    return this.#used
  }

  /** Returns where it stands. */
  add(block: Int32Array): number {
    const at = this.#used
    if (at + block.length > this.words.length) this.#grow(at + block.length)
    this.words.set(block, at)
    this.#used += block.length
    return at
  }

  /** Where a table stands. */
  table(first: First): number {
    const block = new Int32Array(TABLE_WORDS)
    for (let entry = 0; entry < first.length; entry++) if (first[entry] === 1) block[entry >> 5] = (block[entry >> 5] as number) | (1 << (entry & 31))
    const key = String.fromCharCode(...new Uint16Array(block.buffer))
    let at = this.#tables.get(key)
    if (at === undefined) {
      at = this.add(block)
      this.#tables.set(key, at)
    }
    return at
  }

  /** Where the table of a set stands, and its number. */
  set(set: CharacterSet): readonly [number, number] {
    const first = new Uint8Array(HIGH + 1)
    first.set(set.low)
    first[HIGH] = set.high ? 1 : 0
    return [this.table(first), set.high ? this.#numberOf(set) : LOW_ONLY]
  }

  #numberOf(set: CharacterSet): number {
    let number = this.#setNumbers.get(set.key)
    if (number === undefined) {
      number = this.sets.push(set) - 1
      this.#setNumbers.set(set.key, number)
    }
    return number
  }

  /** Takes no more programs. */
  close(): void {
    this.#tables.clear()
    this.#setNumbers.clear()
  }

  #grow(least: number): void {
    const larger = new Int32Array(least <= ROOM ? Math.min(Math.max(least, this.words.length * 2), ROOM) : least + AT_FIRST)
    larger.set(this.words)
    this.words = larger
    this.halves = new Uint16Array(larger.buffer)
  }
}

let open = new Library()

/** The one that takes programs. */
export function openLibrary(): Library {
  if (open.isFull) {
    open.close()
    open = new Library()
  }
  return open
}
