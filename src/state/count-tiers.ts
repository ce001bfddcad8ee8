/**
 * Which counts may make room for which. A flood of one kind is bounded by what
 * there is for that kind, and makes nothing of another kind forgotten: neither
 * senders on port 25 nor failed logins of made-up names open a lock, or take
 * away from an owner that the network is known. The kind is in the key, as
 * `src/submission/guard.ts` names it; all that is not about logins is a rate.
 */
import { ByUse } from './by-use.ts'

/** 0 rates, 1 failed logins, 2 locks, 3 networks that an account is known in. */
export const COUNT_TIERS = 4
/** What there is for each, in proportion to what there is for rates. */
const SHARES: readonly number[] = [1, 0.5, 0.5, 0.5]

/** @param name `<window in milliseconds> <key>` */
export function tierOf(name: string): number {
  const at = name.indexOf(' ') + 1
  if (!name.startsWith('login ', at)) return 0
  if (name.startsWith('login lock', at)) return 2
  return name.startsWith('login known ', at) ? 3 : 1
}

export function boundOf(tier: number, most: number): number {
  return Math.ceil(most * (SHARES[tier] ?? 1))
}

/** A map by name; each kind forgets its own that were not counted for longest. */
export class TieredCounts<T> {
  /** each in the order in which they were counted last */
  readonly #tiers: readonly ByUse<T>[] = Array.from({ length: COUNT_TIERS }, () => new ByUse<T>())
  readonly #most: number
  readonly #forgotten: (name: string) => void

  /** @param most of rates; of the others in proportion */
  constructor(most: number, forgotten: (name: string) => void) {
    this.#most = most
    this.#forgotten = forgotten
  }

  get size(): number {
    return this.#tiers.reduce((sum, tier) => sum + tier.size, 0)
  }

  get(name: string): T | undefined {
    return this.#tierOf(name).get(name)
  }

  delete(name: string): void {
    this.#tierOf(name).delete(name)
  }

  /** As one that was counted now. */
  renew(name: string, value: T): void {
    const counts = this.#tierOf(name)
    counts.set(name, value)
    this.#forgetOldest(counts, boundOf(tierOf(name), this.#most))
  }

  /** In its place, or as the newest. */
  set(name: string, value: T): void {
    if (!this.#tierOf(name).replace(name, value)) this.renew(name, value)
  }

  /** Some at once, and not one with each that comes. */
  #forgetOldest(counts: ByUse<T>, most: number): void {
    if (counts.size <= most) return
    for (;;) {
      const { oldest } = counts
      if (oldest === undefined || counts.size <= most - most / 16) return
      counts.delete(oldest)
      this.#forgotten(oldest)
    }
  }

  #tierOf(name: string): ByUse<T> {
    const found = this.#tiers[tierOf(name)]
    if (found === undefined) throw new RangeError(`no tier for ${name}`)
    return found
  }
}
