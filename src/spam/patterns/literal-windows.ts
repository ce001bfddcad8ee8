/**
 * What of a literal is looked for: a window of six characters, or of four where it
 * is shorter, the one that mail has least; literals share windows where that is as
 * good. And which other character of it is asked first at a place that has the window.
 */
import { likelihoodOf } from './letter-pairs.ts'

/** Characters of a window: of literals that have as many, and of those that have not; these are windows as they are, where they are shorter still. */
export const LONG = 6
export const WINDOW = 4
/** A window that has none yet costs so much more than one more literal in a window that has. */
const NEW_WINDOW = 3
/** How far from a window a character may stand by which a literal is told from others. */
const MOST_AWAY = 100
/** To compare the rest of a literal costs so many times what it costs to ask for one character. */
const COMPARED = 4

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

/** Of literals with one window: which other character of each is asked first; what several share is asked once for them. */
export class Checks {
  /** by character, and how far behind the window's last one it stands */
  readonly #asked = new Set<string>()

  /** Where it stands in the literal; in the window, if that is all of it. */
  choose(literal: string, window: number): number {
    const size = windowOf(literal)
    const last = window + size - 1
    let best = last
    let least = Infinity
    for (let at = 0; at < literal.length; at++) {
      if ((at >= window && at <= last) || Math.abs(at - last) > MOST_AWAY) continue
      // What stands near is what often stands there.
      const likely = likelihoodOf(literal.charAt(at)) / Math.abs(at - last)
      const cost = likely * COMPARED + (this.#asked.has(checkOf(literal, at, last)) ? 0 : 1)
      if (cost >= least) continue
      best = at
      least = cost
    }
    this.#asked.add(checkOf(literal, best, last))
    return best
  }
}

function checkOf(literal: string, at: number, last: number): string {
  return `${literal.charAt(at)}${at - last}`
}
