/**
 * What an engine's score is worth in points of ours, within the bounds that the
 * configuration sets: nobody's engine decides alone unless it is meant to.
 */
import type { EngineSymbol, Scored } from './engine.ts'
import type { CountSettings } from './settings.ts'

export interface Contribution {
  readonly points: number
  /** the symbols in points of ours, before the bounds; with `verdict` they are left as the engine has them */
  readonly symbols: readonly EngineSymbol[]
}

export function contributionOf(outcome: Scored, { by, weight, most, least }: CountSettings): Contribution {
  const { score, threshold, symbols } = outcome
  // A threshold that every message reaches says nothing.
  const known = threshold !== undefined && threshold > 0
  if (by === 'verdict') return { points: bounded(known && score >= threshold ? weight : 0, { most, least }), symbols }
  const factor = by === 'score' ? weight : known ? weight / threshold : 0
  return {
    points: bounded(score * factor, { most, least }),
    symbols: factor === 1 ? symbols : symbols.map((symbol) => ({ ...symbol, score: rounded(symbol.score * factor) })),
  }
}

/** The most that a score could have taken away: what an engine that does not answer may have meant to say. */
export function mostTakenAway({ by, weight, most, least }: CountSettings): number {
  if (weight === 0) return 0
  return by === 'verdict' ? Math.min(0, bounded(weight, { most, least })) : Math.min(0, least)
}

function bounded(points: number, { most, least }: { readonly most: number; readonly least: number }): number {
  return rounded(Math.max(least, Math.min(most, points)))
}

function rounded(points: number): number {
  // Not -0, which prints as such.
  return Math.round(points * 1000) / 1000 + 0
}
