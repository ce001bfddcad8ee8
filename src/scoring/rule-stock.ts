/**
 * Rules out of which some are taken, to be made ready for use without the others. They
 * are kept as bytes: beside them it can be seen what some of them take.
 */
import { serialize } from 'node:v8'
import { askedBy } from '../spam/rules/condition.ts'
import type { Rule } from '../spam/rules/rule.ts'
import { packRules, rulesIn, type PackedRules } from './packed-rules.ts'
import { kindOf, type RuleKind } from './rule-kinds.ts'

export class RuleStock {
  /** of each rule */
  readonly ids: string[] = []
  readonly kinds: RuleKind[] = []
  readonly #bytes: Uint8Array[] = []
  /** which it asks for, by their numbers in `#names` */
  readonly #asked: Int32Array[] = []
  readonly #names = new Map<string, number>()
  /** how often they hit counts */
  readonly #counting = new Set<string>()

  constructor({ pieces }: PackedRules) {
    for (const piece of pieces) for (const rule of rulesIn(piece)) this.#add(rule)
  }

  /** What a set takes whatever is in it: of one rule that looks for a word. */
  static readonly least: PackedRules = packRules({ rules: [{ id: 'LEAST', score: 1, why: '', when: { kind: 'matches', in: { kind: 'text' }, pattern: { source: 'word', flags: '', needs: ['word'], linear: true } } }], problems: [], notes: [] })

  /** These, and for whatever else they ask a rule that takes nothing. */
  packed(numbers: readonly number[]): PackedRules {
    const asked = new Set(numbers.flatMap((number) => [...this.#asked[number] ?? []]))
    for (const number of numbers) asked.delete(this.#nameOf(this.ids[number] ?? ''))
    const names = [...this.#names.keys()]
    const stubs = [...asked].map((name) => this.#stub(names[name] ?? ''))
    return { pieces: [...numbers.map((number) => this.#bytes[number] ?? NOTHING), serialize(stubs)], problems: 0, passedOver: 0 }
  }

  #add(rule: Rule): void {
    const { id, times } = rule
    this.ids.push(id)
    this.kinds.push(kindOf(rule))
    this.#bytes.push(serialize([rule]))
    this.#asked.push(Int32Array.from(askedBy(rule).rules, (one) => this.#nameOf(one)))
    if (times !== undefined) this.#counting.add(id)
  }

  #nameOf(id: string): number {
    const known = this.#names.get(id)
    if (known !== undefined) return known
    this.#names.set(id, this.#names.size)
    return this.#names.size - 1
  }

  #stub(id: string): Rule {
    return { id, score: undefined, why: '', when: { kind: 'present', in: { kind: 'subject' } }, ...(this.#counting.has(id) && { times: { kind: 'number', value: 1 } }) }
  }
}

const NOTHING = serialize([])
