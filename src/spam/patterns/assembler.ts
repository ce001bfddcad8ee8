/** Collects the instructions of a program, and puts their tables and sets into a library. */
import type { CharacterSet } from './character-set.ts'
import { choiceTable } from './choice-table.ts'
import type { Branch } from './choice-table.ts'
import type { First } from './first.ts'
import { layOut } from './layout.ts'
import type { Instruction } from './layout.ts'
import type { Library } from './library.ts'
import * as op from './program.ts'

export class Assembler {
  readonly #library: Library
  readonly #made: Instruction[] = []
  #memos = 0

  constructor(library: Library) {
    this.#library = library
  }

  /** Choices that remember. */
  get memos(): number {
    return this.#memos
  }

  /** Returns its number. */
  add(what: number, next: number, ...own: readonly number[]): number {
    return this.#made.push({ what, next, own, other: -1 }) - 1
  }

  /** One that leads to another as well. */
  fork(what: number, to: { readonly next: number, readonly other: number }, ...own: readonly number[]): number {
    return this.#made.push({ what, ...to, own }) - 1
  }

  change(number: number, to: { readonly next: number, readonly other: number }, ...own: readonly number[]): void {
    this.#made[number] = { what: (this.#made[number] as Instruction).what, ...to, own }
  }

  string(what: number, next: number, units: readonly number[]): number {
    return this.#made.push({ what, next, own: [units.length], other: -1, units }) - 1
  }

  choice(branches: readonly Branch[], first: First): number {
    const table = choiceTable(branches)
    return this.#made.push({ what: op.CHOICE, next: -1, own: [this.memo(), this.table(first), table.how], other: -1, table }) - 1
  }

  memo(): number {
    return this.#memos++
  }

  /** Its table, and its number. */
  set(set: CharacterSet): readonly [number, number] {
    return this.#library.set(set)
  }

  table(first: First): number {
    return this.#library.table(first)
  }

  /** Where in the library an instruction stands now, and all that can be reached from it. */
  written(entry: number): number {
    return layOut(this.#made, entry, this.#library)
  }
}
