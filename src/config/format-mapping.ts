/** What formats of mappings share: reading known keys, each by its own format. Pure; nothing throws. */
import { readMapping } from './format.ts'
import type { Format, FormatProblem, Reading } from './format.ts'
import type { Raw } from './source.ts'

/** Reads the keys of a mapping, and gathers what is wrong with them. */
export class Keys {
  readonly problems: FormatProblem[]
  readonly #raw: ReadonlyMap<string, Raw>

  constructor(raw: ReadonlyMap<string, Raw>, known: readonly string[]) {
    this.#raw = raw
    this.problems = [...readMapping(raw, known)]
  }

  required<T>(name: string, format: Format<T>): T | undefined {
    const raw = this.#raw.get(name)
    if (raw !== undefined) return this.#taken(name, format.read(raw))
    this.problems.push({ at: [], problem: `has no ${name}`, allowed: format.allowed })
    return undefined
  }

  optional<T>(name: string, format: Format<T>): T | undefined {
    const raw = this.#raw.get(name)
    return raw === undefined ? undefined : this.#taken(name, format.read(raw))
  }

  #taken<T>(name: string, reading: Reading<T>): T | undefined {
    if (reading.status === 'read') return reading.value
    this.problems.push(...reading.problems.map((p) => ({ ...p, at: [name, ...p.at] })))
    return undefined
  }
}
