/**
 * Finds in one go which rules are possible for a message: the signs that guard
 * them (`guards.ts`) are looked for where they may stand, each text once.
 */
import { OPERATORS } from './arithmetic.ts'
import type { TextSource } from './condition.ts'
import { ALWAYS } from './guards.ts'
import type { Guards, Watched } from './guards.ts'
import { Needs } from './needs.ts'
import type { Run } from './run.ts'
import { SeenTexts } from './seen-texts.ts'

/** A text source with its signs of patterns by their numbers in their set; -1: nobody asks. */
interface Look extends Omit<Watched, 'patterns'> {
  readonly patterns: readonly { readonly set: number; readonly slot: number; readonly signs: Int32Array }[]
}

const NONE: readonly never[] = []

export class Signs {
  readonly #guards: Guards
  readonly #needs: Needs
  readonly #looks: readonly Look[]
  /** by look, the sign of there being no value; -1: nobody asks */
  readonly #absent: Int32Array
  readonly #seen: SeenTexts

  constructor(guards: Guards, sources: readonly TextSource[]) {
    this.#guards = guards
    this.#needs = new Needs(guards.needs)
    this.#looks = guards.watched.map((one) => ({ ...one, patterns: Array.from(one.patterns, ([set, signs]) => ({ set, slot: one.slot, signs: byNumber(signs) })) }))
    this.#absent = Int32Array.from(guards.watched, ({ absent }) => absent)
    this.#seen = new SeenTexts(guards.watched.map(({ slot }) => sources[slot] as TextSource))
  }

  /** The rules that are to be asked, in their order. */
  possible(run: Run): readonly number[] {
    this.#needs.begin()
    this.#check(run)
    this.#look(run)
    run.looked(this.#needs.missing)
    const { rules } = this.#guards
    const possible: number[] = []
    for (let rule = 0; rule < rules.length; rule++) {
      const need = rules[rule] as number
      if (need >= 0 ? this.#needs.isThere(need) : need === ALWAYS) possible.push(rule)
    }
    return possible
  }

  #check({ view }: Run): void {
    for (const { sign, left, operator, right } of this.#guards.checks) {
      const value = left.kind === 'measure' ? view.measure(left.name) : view.facts.number(left.name)
      if (value !== undefined && OPERATORS[operator](value, right)) this.#needs.tell(sign)
    }
  }

  #look(run: Run): void {
    const seen = this.#seen.of(run.view)
    const looks: Look[] = []
    const places: Look['patterns'][number][] = []
    for (let number = 0; number < seen.length; number++) {
      if (seen[number] === 0) {
        this.#tell(this.#absent[number] as number)
        continue
      }
      const look = this.#looks[number] as Look
      looks.push(look)
      places.push(...look.patterns)
    }
    run.texts.scanShort(places)
    for (const look of looks) this.#lookAt(look, run)
  }

  #lookAt({ slot, present, absent, words, patterns }: Look, { texts }: Run): void {
    const values = texts.values(slot)
    if (values === undefined) return
    if (values.length === 0) {
      this.#tell(absent)
      return
    }
    this.#tell(present)
    if (words.size > 0) for (const value of values) this.#tell(words.get(value.toLowerCase()) ?? -1)
    for (const { set, signs } of patterns) for (const { candidates } of texts.scansOf(set, slot) ?? NONE) this.#tellAll(signs, candidates)
  }

  #tellAll(signs: Int32Array, candidates: Iterable<number>): void {
    for (const index of candidates) if (index < signs.length) this.#tell(signs[index] as number)
  }

  #tell(sign: number): void {
    if (sign >= 0) this.#needs.tell(sign)
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
