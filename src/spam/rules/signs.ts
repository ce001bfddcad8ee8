/**
 * Finds in one go which rules are possible for a message: the signs that guard
 * them (`guards.ts`) are looked for where they may stand, each text once.
 */
import { OPERATORS } from './arithmetic.ts'
import type { TextSource } from './condition.ts'
import { ALWAYS } from './guards.ts'
import type { Guards, Watched } from './guards.ts'
import { atOnce } from './in-slices.ts'
import { Needs } from './needs.ts'
import type { Run } from './run.ts'
import { SeenTexts } from './seen-texts.ts'

/** Signs of patterns by their numbers in their set, from a first one on; -1: nobody asks. */
interface PatternSigns {
  readonly set: number
  readonly slot: number
  readonly first: number
  readonly signs: Int32Array
  /** instead, where they are far apart: the fields of thousands of rules may share a set */
  readonly far: ReadonlyMap<number, number> | undefined
}

interface Look extends Omit<Watched, 'patterns'> {
  readonly patterns: readonly PatternSigns[]
}

/** What `Signs` is made of. */
interface Parts {
  readonly needs: Needs
  readonly looks: readonly Look[]
  readonly seen: SeenTexts
}

const NONE: readonly never[] = []
const NO_SIGNS = new Int32Array(0)
/** Of one text a table of numbers has room for so many more than there are, and for some. */
const SPREAD = 16
const SOME = 1024

export class Signs {
  readonly #guards: Guards
  readonly #needs: Needs
  readonly #looks: readonly Look[]
  /** by look, the sign of there being no value; -1: nobody asks */
  readonly #absent: Int32Array
  readonly #seen: SeenTexts

  /** A text a step. */
  static* making(guards: Guards, sources: readonly TextSource[]): Generator<void, Signs> {
    return new Signs(guards, sources, yield* partsOf(guards, sources))
  }

  constructor(guards: Guards, sources: readonly TextSource[], { needs, looks, seen } = atOnce(partsOf(guards, sources))) {
    this.#guards = guards
    this.#needs = needs
    this.#looks = looks
    this.#absent = Int32Array.from(guards.watched, ({ absent }) => absent)
    this.#seen = seen
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
    for (const one of patterns) for (const { candidates } of texts.scansOf(one.set, slot) ?? NONE) this.#tellAll(one, candidates)
  }

  #tellAll({ first, signs, far }: PatternSigns, candidates: readonly number[]): void {
    if (far !== undefined) {
      for (const index of candidates) this.#tell(far.get(index) ?? -1)
      return
    }
    for (let one = 0; one < candidates.length; one++) {
      const at = candidates[one] as number - first
      if (at >= 0 && at < signs.length) this.#tell(signs[at] as number)
    }
  }

  #tell(sign: number): void {
    if (sign >= 0) this.#needs.tell(sign)
  }
}

function* partsOf({ needs, watched }: Guards, sources: readonly TextSource[]): Generator<void, Parts> {
  const made = new Needs(needs)
  yield
  const looks: Look[] = []
  for (const one of watched) {
    looks.push({ ...one, patterns: Array.from(one.patterns, ([set, signs]) => ({ set, slot: one.slot, ...byNumber(signs) })) })
    yield
  }
  return { needs: made, looks, seen: new SeenTexts(watched.map(({ slot }) => sources[slot] as TextSource)) }
}

function byNumber(signs: ReadonlyMap<number, number>): Pick<PatternSigns, 'first' | 'signs' | 'far'> {
  // Not by `Math.max(...)`: there may be more than a call takes arguments.
  let [first, last] = [Infinity, -1]
  for (const number of signs.keys()) {
    first = Math.min(first, number)
    last = Math.max(last, number)
  }
  if (signs.size === 0 || last - first >= SPREAD * signs.size + SOME) return { first: 0, signs: NO_SIGNS, far: signs }
  const all = new Int32Array(last - first + 1).fill(-1)
  for (const [number, sign] of signs) all[number - first] = sign
  return { first, signs: all, far: undefined }
}
