/**
 * Which tokens a store does without where it has too many: those that were seen
 * seldom and long ago. The same for every store. Pure.
 */

/** Of too many tokens so many are removed that it is not soon done again. */
const PRUNED_SHARE = 0.9
/** So much above the bound there may be while more waits to be added: a look at all tokens takes a second or two. */
export const PRUNING_SLACK = 1.5
/** Each doubling of its count keeps a token for so many days longer than one that was seen once. */
const DAYS_PER_DOUBLING = 120

export interface TokenRow {
  readonly key: number
  /** messages with it */
  readonly count: number
  readonly day: number
}

/** How many tokens there are of each worth. */
export class Worths {
  readonly #held = new Map<number, number>()
  #count = 0

  add(row: TokenRow): void {
    const worth = worthOf(row)
    this.#held.set(worth, (this.#held.get(worth) ?? 0) + 1)
    this.#count++
  }

  /** @param turnOf another number each time: of those that are worth the same, others go */
  unwanted(maxTokens: number, turnOf: number): (row: TokenRow) => boolean {
    let surplus = this.#count - Math.floor(maxTokens * PRUNED_SHARE)
    for (const [worth, held] of [...this.#held].sort(([one], [other]) => one - other)) {
      if (surplus >= held) {
        surplus -= held
        continue
      }
      // Of those that are worth the same some go, by their hashes.
      const share = surplus / held
      return (row) => worthOf(row) < worth || (worthOf(row) === worth && lot(row.key, turnOf) < share)
    }
    return () => false
  }
}

/** Days; what is worth least goes first. */
function worthOf({ count, day }: TokenRow): number {
  return day + Math.min(8, Math.floor(Math.log2(Math.max(1, count)))) * DAYS_PER_DOUBLING
}

/** From 0 to 1. */
function lot(key: number, turnOf: number): number {
  const hash = Math.imul((key % 0x100000000) ^ Math.imul(turnOf, 0x9e3779b1), 0x85ebca6b)
  return ((hash ^ (hash >>> 15)) >>> 0) / 0x100000000
}
