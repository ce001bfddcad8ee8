/** Collects the instructions and tables of a program; equal tables are kept once. */
import type { CharacterSet } from './character-set.ts'
import type { First } from './first.ts'
import * as op from './program.ts'
import type { Program } from './program.ts'

interface Branch {
  readonly at: number
  readonly first: First
}

/** The last branch of a list, and the number of the list that the others are; that with nothing before it is no branch. */
interface ListEnd {
  readonly at: number
  readonly before: number
}

const ENTRIES = 258

export class Assembler {
  readonly #code: number[] = []
  readonly #sets: CharacterSet[] = []
  readonly #strings: number[] = []
  readonly #tables: First[] = []
  readonly #tableNumbers = new Map<string, number>()
  readonly #choices: Int32Array[] = []
  readonly #branches: number[] = []
  #memos = 0

  /** Returns where it stands. */
  add(what: number, next: number, ...own: readonly number[]): number {
    const [a = 0, b = 0, c = 0, last] = own
    const remembers = what === op.SPLIT || what === op.CHOICE || (what >= op.RUN && what <= op.RUN_POSSESSIVE)
    const memo = remembers ? this.#memos++ : 0
    return this.#code.push(what, next, a, b, c, last ?? memo) - op.WIDTH
  }

  change(at: number, next: number, own: readonly [number, number, number]): void {
    this.#code.splice(at + op.NEXT, 1 + own.length, next, ...own)
  }

  set(set: CharacterSet): number {
    const known = this.#sets.indexOf(set)
    return known >= 0 ? known : this.#sets.push(set) - 1
  }

  string(units: readonly number[]): number {
    const at = this.#strings.length
    this.#strings.push(...units)
    return at
  }

  table(first: First): number {
    const key = Buffer.from(first.buffer, first.byteOffset, first.length).toString('latin1')
    let number = this.#tableNumbers.get(key)
    if (number === undefined) {
      number = this.#tables.push(first) - 1
      this.#tableNumbers.set(key, number)
    }
    return number
  }

  /** For each character that can stand first: the branches that can begin with it, in their order. */
  choice(branches: readonly Branch[]): number {
    // Entries with the same branches so far have the same number: of the last of these, which knows the one before it.
    const numbers = new Int32Array(ENTRIES)
    const lists: ListEnd[] = [{ at: -1, before: -1 }]
    for (const { at, first } of branches) {
      const longer = new Map<number, number>()
      for (let entry = 0; entry < ENTRIES; entry++) {
        if (first[entry] === 0) continue
        const before = numbers[entry] as number
        const known = longer.get(before)
        const number = known ?? lists.push({ at, before }) - 1
        if (known === undefined) longer.set(before, number)
        numbers[entry] = number
      }
    }
    const places = new Map<number, number>()
    const table = numbers.map((number) => {
      const known = places.get(number)
      if (known !== undefined) return known
      const list = listOf(lists, number)
      const place = this.#branches.push(list.length) - 1
      for (const branch of list) this.#branches.push(branch)
      places.set(number, place)
      return place
    })
    return this.add(op.CHOICE, -1, this.#choices.push(table) - 1)
  }

  assembled(remembers: boolean): Pick<Program, 'code' | 'sets' | 'lows' | 'strings' | 'firsts' | 'choices' | 'branches' | 'memos'> {
    const lows = new Uint8Array(this.#sets.length * 256)
    this.#sets.forEach((set, number) => lows.set(set.low, number * 256))
    const firsts = new Uint8Array(this.#tables.length * ENTRIES)
    this.#tables.forEach((table, number) => firsts.set(table, number * ENTRIES))
    const choices = new Int32Array(this.#choices.length * ENTRIES)
    this.#choices.forEach((table, number) => choices.set(table, number * ENTRIES))
    return {
      code: Int32Array.from(this.#code), sets: this.#sets, lows, strings: Uint16Array.from(this.#strings), firsts, choices,
      branches: Int32Array.from(this.#branches), memos: remembers ? this.#memos : -1,
    }
  }
}

function listOf(lists: readonly ListEnd[], number: number): readonly number[] {
  const list: number[] = []
  for (let end = lists[number]; end !== undefined && end.before >= 0; end = lists[end.before]) list.push(end.at)
  return list.reverse()
}
