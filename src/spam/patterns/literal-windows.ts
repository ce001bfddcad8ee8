/**
 * What of a literal is looked for: a window of six characters, or of four where it
 * is shorter, the one that mail has least; literals share windows where that is as
 * good.
 */
import { likelihoodOf } from './letter-pairs.ts'

/** Characters of a window: of literals that have as many, and of those that have not; these are windows as they are, where they are shorter still. */
export const LONG = 6
export const WINDOW = 4
/** A window that has none yet costs so much more than one more literal in a window that has. */
const NEW_WINDOW = 3

/** How many characters of it are looked for. */
export function windowOf({ length }: string): number {
  return length >= LONG ? LONG : Math.min(length, WINDOW)
}

/** Which windows are looked for, and how likely each of them is. */
export class Windows {
  readonly #likely = new Map<string, number>()
  readonly #used = new Set<string>()

  /** Where the window begins that costs least. */
  choose(literal: string): number {
    let best = 0
    let least = Infinity
    const size = windowOf(literal)
    for (let at = 0; at + size <= literal.length; at++) {
      const cost = this.#costOf(literal.slice(at, at + size))
      if (cost >= least) continue
      best = at
      least = cost
    }
    this.#used.add(literal.slice(best, best + size))
    return best
  }

  #costOf(window: string): number {
    let likely = this.#likely.get(window)
    if (likely === undefined) this.#likely.set(window, likely = likelihoodOf(window))
    return this.#used.has(window) ? likely : likely * (1 + NEW_WINDOW)
  }
}
