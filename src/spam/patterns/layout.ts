/**
 * Writes the instructions of a program into a library, as program.ts says: each
 * behind the one that leads to it, as far as may be, so that what is done one
 * after another stands together.
 */
import type { ChoiceTable } from './choice-table.ts'
import type { Library } from './library.ts'
import { firstNumber, MOST_WORDS } from './program.ts'

/** Has its place in a list; others are named by theirs. */
export interface Instruction {
  readonly what: number
  /** -1: none */
  readonly next: number
  readonly own: readonly number[]
  /** another that it leads to, behind its own numbers; -1: none */
  readonly other: number
  readonly units?: readonly number[]
  readonly table?: ChoiceTable
}

/** Returns where the entry stands. */
export function layOut(made: readonly Instruction[], entry: number, library: Library): number {
  const order = inOrder(made, entry)
  const places = new Int32Array(made.length)
  const base = library.place
  let length = 0
  for (const number of order) {
    places[number] = base + length
    length += lengthOf(made[number] as Instruction)
  }
  if (base + length > MOST_WORDS) throw new Error('a program is too long')
  const writer = new Writer(places, new Int32Array(length), base)
  for (const number of order) writer.write(made[number] as Instruction)
  return library.add(writer.block)
}

function inOrder(made: readonly Instruction[], entry: number): readonly number[] {
  const order: number[] = []
  const seen = new Uint8Array(made.length)
  const waiting = [entry]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    while (at >= 0 && seen[at] === 0) {
      seen[at] = 1
      order.push(at)
      const { next, other, table } = made[at] as Instruction
      if (other >= 0) waiting.push(other)
      for (const list of table?.lists.toReversed() ?? []) for (const branch of list.toReversed()) waiting.push(branch)
      at = next
    }
  }
  return order
}

function lengthOf({ own, other, units = [], table }: Instruction): number {
  const several = table?.lists.reduce((length, list) => length + (list.length > 1 ? 1 + list.length : 0), 0) ?? 0
  return 1 + own.length + (other >= 0 ? 1 : 0) + ((units.length + 1) >> 1) + (table?.entries.length ?? 0) + several
}

class Writer {
  readonly block: Int32Array
  readonly #places: Int32Array
  readonly #base: number
  #at = 0

  constructor(places: Int32Array, block: Int32Array, base: number) {
    this.#places = places
    this.block = block
    this.#base = base
  }

  write({ what, next, own, other, units = [], table }: Instruction): void {
    this.#add(firstNumber(what, next < 0 ? 0 : this.#placeOf(next)))
    for (const number of own) this.#add(number)
    if (other >= 0) this.#add(this.#placeOf(other))
    new Uint16Array(this.block.buffer).set(units, 2 * this.#at)
    this.#at += (units.length + 1) >> 1
    if (table !== undefined) this.#choice(table)
  }

  #choice({ entries, lists }: ChoiceTable): void {
    let behind = this.#at + entries.length
    const ways = lists.map((list) => {
      if (list.length <= 1) return list[0] === undefined ? 0 : this.#placeOf(list[0])
      const way = ~(this.#base + behind)
      behind += 1 + list.length
      return way
    })
    for (const list of entries) this.#add(ways[list] as number)
    for (const list of lists) {
      if (list.length <= 1) continue
      this.#add(list.length)
      for (const branch of list) this.#add(this.#placeOf(branch))
    }
  }

  #placeOf(number: number): number {
    return this.#places[number] as number
  }

  #add(number: number): void {
    this.block[this.#at++] = number
  }
}
