/**
 * Finds in one go which rules are possible for a message: the signs that guard
 * them (`guards.ts`) are looked for where they may stand, each text once.
 */
import { OPERATORS } from './arithmetic.ts'
import { ALWAYS } from './guards.ts'
import type { Guards } from './guards.ts'
import { Needs } from './needs.ts'
import type { Run } from './run.ts'

export class Signs {
  readonly #guards: Guards
  readonly #needs: Needs
  readonly #possible: Uint8Array
  readonly #places: readonly { readonly set: number; readonly slot: number }[]

  constructor(guards: Guards) {
    this.#guards = guards
    this.#needs = new Needs(guards.needs)
    this.#possible = new Uint8Array(guards.rules.length)
    this.#places = guards.watched.flatMap(({ slot, patterns }) => Array.from(patterns.keys(), (set) => ({ set, slot })))
  }

  /** For each rule: 1 where it is to be asked. It stands until the next message is. */
  possible(run: Run): Uint8Array {
    this.#needs.begin()
    this.#look(run)
    const { rules } = this.#guards
    for (let rule = 0; rule < rules.length; rule++) {
      const need = rules[rule] as number
      this.#possible[rule] = Number(need >= 0 ? this.#needs.isThere(need) : need === ALWAYS)
    }
    return this.#possible
  }

  #look(run: Run): void {
    const { checks, watched } = this.#guards
    const needs = this.#needs
    for (const { sign, left, operator, right } of checks) {
      const value = left.kind === 'measure' ? run.view.measure(left.name) : run.view.facts.number(left.name)
      if (value !== undefined && OPERATORS[operator](value, right)) needs.tell(sign)
    }
    run.scanShort(this.#places)
    for (const { slot, present, absent, words, patterns } of watched) {
      const values = run.values(slot)
      if (values === undefined) continue
      if (values.length === 0) {
        if (absent >= 0) needs.tell(absent)
        continue
      }
      if (present >= 0) needs.tell(present)
      if (words.size > 0) for (const value of values) this.#tell(words.get(value.toLowerCase()))
      for (const [set, signs] of patterns) for (const scan of run.scansOf(set, slot) ?? []) for (const index of scan.candidates) this.#tell(signs.get(index))
    }
  }

  #tell(sign: number | undefined): void {
    if (sign !== undefined) this.#needs.tell(sign)
  }
}
