/**
 * Finds in one go which rules are possible for a message: the signs that guard
 * them (`guards.ts`) are looked for where they may stand, each text once.
 */
import { OPERATORS } from './arithmetic.ts'
import { ALWAYS } from './guards.ts'
import type { Guards, Watched } from './guards.ts'
import { Needs } from './needs.ts'
import type { Run } from './run.ts'

/** A text source with its signs of patterns by their numbers in their set; -1: nobody asks. */
interface Look extends Omit<Watched, 'patterns'> {
  readonly patterns: readonly { readonly set: number; readonly signs: Int32Array }[]
}

export class Signs {
  readonly #guards: Guards
  readonly #needs: Needs
  readonly #looks: readonly Look[]
  readonly #places: readonly { readonly set: number; readonly slot: number }[]

  constructor(guards: Guards) {
    this.#guards = guards
    this.#needs = new Needs(guards.needs)
    this.#looks = guards.watched.map((one) => ({ ...one, patterns: Array.from(one.patterns, ([set, signs]) => ({ set, signs: byNumber(signs) })) }))
    this.#places = this.#looks.flatMap(({ slot, patterns }) => patterns.map(({ set }) => ({ set, slot })))
  }

  /** The rules that are to be asked, in their order. */
  possible(run: Run): readonly number[] {
    this.#needs.begin()
    this.#look(run)
    const { rules } = this.#guards
    const possible: number[] = []
    for (let rule = 0; rule < rules.length; rule++) {
      const need = rules[rule] as number
      if (need >= 0 ? this.#needs.isThere(need) : need === ALWAYS) possible.push(rule)
    }
    return possible
  }

  #look(run: Run): void {
    const needs = this.#needs
    for (const { sign, left, operator, right } of this.#guards.checks) {
      const value = left.kind === 'measure' ? run.view.measure(left.name) : run.view.facts.number(left.name)
      if (value !== undefined && OPERATORS[operator](value, right)) needs.tell(sign)
    }
    run.texts.scanShort(this.#places)
    for (const { slot, present, absent, words, patterns } of this.#looks) {
      const values = run.texts.values(slot)
      if (values === undefined) continue
      if (values.length === 0) {
        if (absent >= 0) needs.tell(absent)
        continue
      }
      if (present >= 0) needs.tell(present)
      if (words.size > 0) for (const value of values) this.#tell(words.get(value.toLowerCase()))
      for (const { set, signs } of patterns) for (const scan of run.texts.scansOf(set, slot) ?? []) for (const index of scan.candidates) this.#tell(signs[index])
    }
  }

  #tell(sign: number | undefined): void {
    if (sign !== undefined && sign >= 0) this.#needs.tell(sign)
  }
}

function byNumber(signs: ReadonlyMap<number, number>): Int32Array {
  // Not by `Math.max(...)`: there may be more than a call takes arguments.
  let most = -1
  for (const number of signs.keys()) most = Math.max(most, number)
  const all = new Int32Array(most + 1).fill(-1)
  for (const [number, sign] of signs) all[number] = sign
  return all
}
