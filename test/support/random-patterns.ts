/** Patterns and texts out of a small alphabet, so that they often match: for comparing the matcher of ours with others. */
import type { Random } from './fuzzing.ts'

export interface PatternKind {
  /** what may stand for one character */
  readonly atoms: readonly string[]
  /** references and groups that forbid going back; and loops over what may be empty, whose results differ between engines */
  readonly wild: boolean
  readonly lookAround: boolean
}

interface Made {
  readonly source: string
  readonly empty: boolean
}

const COUNTS: readonly (readonly [string, boolean])[] = [['*', true], ['+', false], ['?', true], ['{2}', false], ['{1,3}', false], ['{0,2}', true], ['{2,}', false]]

export class PatternMaker {
  readonly #random: Random
  readonly #kind: PatternKind
  #opened = 0
  readonly #closed: number[] = []

  constructor(random: Random, kind: PatternKind) {
    this.#random = random
    this.#kind = kind
  }

  make(): string {
    this.#opened = 0
    this.#closed.length = 0
    return this.#choice(3).source
  }

  #choice(depth: number): Made {
    const branches = Array.from({ length: this.#random.chance(0.3) ? 2 + this.#random.below(3) : 1 }, () => this.#sequence(depth))
    return { source: branches.map(({ source }) => source).join('|'), empty: branches.some(({ empty }) => empty) }
  }

  #sequence(depth: number): Made {
    const items = Array.from({ length: this.#random.below(4) + (depth === 3 ? 1 : 0) }, () => this.#quantified(depth))
    return { source: items.map(({ source }) => source).join(''), empty: items.every(({ empty }) => empty) }
  }

  #quantified(depth: number): Made {
    const random = this.#random
    if (random.chance(0.12)) return { source: random.pick(['\\b', '\\B', '^', '$']), empty: true }
    const item = this.#item(depth)
    if (!random.chance(0.35) || (item.empty && !this.#kind.wild)) return item
    const [count, empty] = random.pick(COUNTS)
    const mode = random.chance(0.25) ? '?' : this.#kind.wild && random.chance(0.1) ? '+' : ''
    return { source: `${item.source}${count}${mode}`, empty: empty || item.empty }
  }

  #item(depth: number): Made {
    const random = this.#random
    const { atoms, wild, lookAround } = this.#kind
    if (depth === 0 || random.chance(0.6)) return { source: random.pick(atoms), empty: false }
    if (lookAround && random.chance(0.25)) {
      const before = random.chance(0.4)
      const inner = before ? { source: Array.from({ length: random.below(3) }, () => random.pick(atoms)).join('') } : this.#choice(depth - 1)
      return { source: `(?:(?${before ? '<' : ''}${random.pick(['=', '!'])}${inner.source}))`, empty: true }
    }
    if (wild && random.chance(0.15) && this.#closed.length > 0) return { source: `\\${random.pick(this.#closed)}(?:)`, empty: true }
    if (wild && random.chance(0.15)) return this.#enclosed('(?>', this.#choice(depth - 1))
    if (random.chance(0.5)) return this.#enclosed('(?:', this.#choice(depth - 1))
    const number = ++this.#opened
    const inner = this.#choice(depth - 1)
    // Within itself a group is not referred to: nobody agrees what that is.
    this.#closed.push(number)
    return this.#enclosed('(', inner)
  }

  #enclosed(open: string, { source, empty }: Made): Made {
    return { source: `${open}${source})`, empty }
  }
}
