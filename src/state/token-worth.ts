/**
 * Which tokens a store does without where it has too many: those that were seen
 * seldom and long ago; and when those that nobody has learnt for long may go.
 * The same for every store. Pure.
 */

/** Of too many tokens so many are removed that it is not soon done again. */
const PRUNED_SHARE = 0.9
/** So much above the bound there may be while more waits to be added: a look at all tokens takes a second or two. */
export const PRUNING_SLACK = 1.5
/** Each doubling of its count keeps a token for so many days longer than one that was seen once. */
const DAYS_PER_DOUBLING = 120

/** A few are soon taught again. */
const FEW_TOKENS = 1000
/** From one day to the day after next a whole day has passed, in whichever hours it began and ended. */
const HELD_DAYS = 2
/** Whoever says it again after a longer time has a clock that has jumped further. */
const LONGEST_HELD_DAYS = 60

export interface Expiry {
  /** tokens that there are */
  readonly all: number
  /** of these: nobody has learnt them for so long as they are kept */
  readonly going: number
  readonly day: number
  /** the day on which it was held back first */
  readonly heldOn: number | undefined
}

/**
 * The day on which an expiry is held back: of many tokens more than half would go
 * at once, as they do where a clock has jumped. Undefined: they may go. So they
 * may where the clock still says so when a day has passed.
 */
export function expiryHeldOn({ all, going, day, heldOn }: Expiry): number | undefined {
  if (all < FEW_TOKENS || going * 2 <= all) return undefined
  const since = heldOn === undefined ? -1 : day - heldOn
  if (since < 0 || since > LONGEST_HELD_DAYS) return day
  return since < HELD_DAYS ? heldOn : undefined
}

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
