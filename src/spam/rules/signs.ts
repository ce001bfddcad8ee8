/**
 * Finds in one go which rules are possible for a message: the signs that guard
 * them (`guards.ts`) are looked for where they may stand, each text once.
 */
import type { Guards } from './guards.ts'
import type { Run } from './run.ts'

export class Signs {
  readonly #guards: Guards
  readonly #places: readonly { readonly set: number; readonly slot: number }[]

  constructor(guards: Guards) {
    this.#guards = guards
    this.#places = guards.watched.flatMap(({ slot, patterns }) => Array.from(patterns.keys(), (set) => ({ set, slot })))
  }

  /** For each rule: 1 where it may hold. */
  possible(run: Run, rules: number): Uint8Array {
    const { always, watched } = this.#guards
    const possible = new Uint8Array(rules)
    for (const rule of always) possible[rule] = 1
    run.scanShort(this.#places)
    for (const { slot, present, words, patterns } of watched) {
      const values = run.values(slot)
      if (values === undefined || values.length === 0) continue
      if (present >= 0) this.#mark(present, possible)
      if (words.size > 0) for (const value of values) this.#mark(words.get(value.toLowerCase()), possible)
      for (const [set, signs] of patterns) for (const scan of run.scansOf(set, slot)) for (const index of scan.candidates) this.#mark(signs.get(index), possible)
    }
    return possible
  }

  #mark(sign: number | undefined, possible: Uint8Array): void {
    if (sign === undefined) return
    for (const rule of this.#guards.rules[sign] ?? []) possible[rule] = 1
  }
}
