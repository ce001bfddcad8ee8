/**
 * Of the literals that a pattern needs one of, those that suffice: where
 * `.html` stands `.htm` stands too, at the same place, and says the same.
 */
import { beginsAtEdge, endsAtEdge, IN_WORDS, unmarked } from './edges.ts'

interface Literal {
  readonly marked: string
  readonly text: string
  readonly begins: boolean
  readonly ends: boolean
}

/** Folded, each once, with their marks. */
export function sufficientLiterals(literals: readonly string[]): readonly string[] {
  if (literals.length < 2) return literals
  const all: Literal[] = literals.map((marked) => ({ marked, text: unmarked(marked), begins: beginsAtEdge(marked), ends: endsAtEdge(marked) }))
  // What another one begins with comes before it, and so does what asks for fewer edges.
  all.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : Number(a.ends) - Number(b.ends) || Number(a.begins) - Number(b.begins)))
  const kept: string[] = []
  /** those of which each begins the next one, and all that come now */
  const beginnings: Literal[] = []
  for (const one of all) {
    for (let last = beginnings.at(-1); last !== undefined && !one.text.startsWith(last.text); last = beginnings.at(-1)) beginnings.pop()
    if (beginnings.some((other) => isWithin(other, one))) continue
    beginnings.push(one)
    kept.push(one.marked)
  }
  return kept
}

/** Does the one stand wherever the other does, which begins with it? */
function isWithin(one: Literal, other: Literal): boolean {
  if (one.begins && !other.begins) return false
  if (!one.ends) return true
  return one.text.length === other.text.length ? other.ends : IN_WORDS[other.text.charCodeAt(one.text.length)] === 0
}
