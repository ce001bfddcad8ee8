/**
 * Numbers for the texts and patterns that conditions ask for, while they are
 * compiled. All patterns over the same texts come into one set, so that one pass
 * over a text answers all who ask.
 */
import { PatternSet } from '../patterns/pattern-set.ts'
import type { Pattern } from '../patterns/pattern.ts'
import type { TextSource } from './condition.ts'
import type { Numbering } from './guards.ts'
import type { Program } from './run.ts'
import type { PatternPlace, SourceSet } from './scanned-texts.ts'
import { piecesOf, setKey, sourceKey } from './text-keys.ts'

interface NumberedSet {
  readonly set: number
  readonly pieces: SourceSet['pieces']
  readonly patterns: Map<string, { readonly index: number; readonly pattern: Pattern }>
}

export class TextNumbers implements Numbering {
  readonly #sources = new Map<string, { readonly slot: number; readonly source: TextSource }>()
  readonly #sets = new Map<string, NumberedSet>()

  /** The same texts are read once for all who ask. */
  slot(source: TextSource): number {
    const key = sourceKey(source)
    const known = this.#sources.get(key)
    if (known !== undefined) return known.slot
    const slot = this.#sources.size
    this.#sources.set(key, { slot, source })
    return slot
  }

  /** The same pattern in two rules is tried once. */
  place(source: TextSource, pattern: Pattern): PatternPlace {
    const key = setKey(source)
    let group = this.#sets.get(key)
    if (group === undefined) {
      group = { set: this.#sets.size, pieces: piecesOf(source), patterns: new Map() }
      this.#sets.set(key, group)
    }
    const name = `${pattern.flags}/${pattern.source}`
    let entry = group.patterns.get(name)
    if (entry === undefined) {
      entry = { index: group.patterns.size, pattern }
      group.patterns.set(name, entry)
    }
    return { set: group.set, index: entry.index }
  }

  made(): Pick<Program, 'sets' | 'sources' | 'patterns'> {
    const sets = Array.from(this.#sets.values(), ({ pieces, patterns }) => ({ pieces, patterns: Array.from(patterns.values(), ({ pattern }) => pattern) }))
    return {
      patterns: sets.flatMap(({ patterns }) => patterns),
      sets: sets.map(({ pieces, patterns }) => ({ pieces, patterns: new PatternSet(patterns), anywhere: Uint8Array.from(patterns, ({ needs }) => Number(needs === undefined)) })),
      sources: Array.from(this.#sources.values(), ({ source }) => source),
    }
  }
}
