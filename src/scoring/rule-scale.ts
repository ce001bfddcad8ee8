/**
 * Weighs groups of rules: each is made ready for use by itself, and of those that take
 * most, parts, down to single rules. Bounded by time: for some there may be none left.
 */
import type { PackedRules } from './packed-rules.ts'
import { MOST_COST, type RulesBounds, type RulesCost } from './rules-bounds.ts'
import { RuleStock } from './rule-stock.ts'
import { heldMb, made, TooDear } from './rules-cost.ts'

export interface Weighing {
  /** what is weighed */
  readonly by: keyof RulesCost
  /** of `performance.now()` */
  readonly until: number
}

export interface Weighed {
  /** numbers of rules */
  readonly members: readonly number[]
  readonly weight: number
  /** they take more than that: they were not made ready to the end */
  readonly cut: boolean
}

type Weight = Pick<Weighed, 'weight' | 'cut'>

const PARTS = 6
/** One group may take so much of the time that is left. */
const SHARE_OF_TIME = 0.25
const NO_BOUNDS: RulesBounds = { ms: Infinity, mb: Infinity }

export class Scale {
  /** false: there was no time left for some of them */
  inTime = true
  readonly #stock: RuleStock
  readonly #weighing: Weighing
  /** of a set with hardly anything in it; undefined: not known yet */
  #least: number | undefined

  constructor(stock: RuleStock, weighing: Weighing) {
    this.#stock = stock
    this.#weighing = weighing
  }

  async weighAll(groups: readonly (readonly number[])[]): Promise<readonly Weighed[]> {
    const least = this.#least ??= await this.#begin()
    const found: Weighed[] = []
    for (const members of groups) {
      const weight = await this.#weigh(this.#stock.packed(members))
      if (weight === undefined) this.inTime = false
      else found.push({ members, cut: weight.cut, weight: Math.max(0, weight.weight - least) })
    }
    return found
  }

  async #begin(): Promise<number> {
    // What all sets have in common is there with the first.
    await this.#weigh(RuleStock.least)
    return (await this.#weigh(RuleStock.least))?.weight ?? 0
  }

  /** Single rules of these groups of which each weighs so much, the heaviest first. */
  async single(groups: readonly Weighed[], least: number): Promise<readonly Weighed[]> {
    const open = groups.filter(({ weight }) => weight >= least)
    const single: Weighed[] = []
    for (let group = heaviest(open); group !== undefined; group = heaviest(open)) {
      const { members } = group
      if (members.length === 1) single.push(group)
      else open.push(...(await this.weighAll(mixed(members, PARTS))).filter(({ weight }) => weight >= least))
    }
    return single.sort((a, b) => b.weight - a.weight)
  }

  /** Undefined: there is no time left. */
  async #weigh(packed: PackedRules): Promise<Weight | undefined> {
    const { by, until } = this.#weighing
    const now = performance.now()
    if (now >= until) return undefined
    const bounds = by === 'ms' ? { most: NO_BOUNDS, until: now + SHARE_OF_TIME * (until - now) } : { most: { ...NO_BOUNDS, mb: MOST_COST.mb }, until }
    // Each time anew: those before have left something behind that others share.
    const before = by === 'mb' ? heldMb(1) : undefined
    try {
      const { set, ms } = await made(packed, { ...bounds, before })
      if (by === 'ms') return { weight: ms, cut: false }
      const held = heldMb(1)
      // They are kept to here.
      return held === undefined || before === undefined || set.rules.length === 0 ? undefined : { weight: held - before, cut: false }
    } catch (error) {
      if (!(error instanceof TooDear)) throw error
      if (by === 'ms') return { weight: error.ms, cut: true }
      return error.by === 'mb' ? { weight: MOST_COST.mb, cut: true } : undefined
    }
  }
}

function heaviest(open: Weighed[]): Weighed | undefined {
  return open.sort((a, b) => a.weight - b.weight).pop()
}

/** So many parts at most, each with some of the begin and some of the end. */
export function mixed<T>(list: readonly T[], parts: number): readonly (readonly T[])[] {
  const count = Math.min(parts, list.length)
  return Array.from({ length: count }, (_, part) => list.filter((_one, at) => at % count === part))
}
