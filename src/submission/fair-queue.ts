/**
 * Work that waits, shared out by lanes (the networks of clients): each lane has
 * its turn after the others, however much it has brought. A lane may hold few;
 * where all places are taken, the lane with the most gives its last one to a
 * lane that has at least two fewer. Pure; bounded by what it is made with.
 */
export interface QueueBounds {
  readonly most: number
  readonly mostOfLane: number
}

export class FairQueue<T> {
  readonly #bounds: QueueBounds
  /** in the order of their turns; none is empty */
  readonly #lanes = new Map<string, T[]>()
  #size = 0

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds
  }

  get size(): number {
    return this.#size
  }

  /** Returns what has no place now: this one, another one, or nothing. */
  push(lane: string, item: T): T | undefined {
    const mine = this.#lanes.get(lane)
    if ((mine?.length ?? 0) >= this.#bounds.mostOfLane) return item
    const displaced = this.#size >= this.#bounds.most ? this.#displace((mine?.length ?? 0) + 1) : undefined
    if (displaced === undefined && this.#size >= this.#bounds.most) return item
    if (mine === undefined) this.#lanes.set(lane, [item])
    else mine.push(item)
    this.#size++
    return displaced
  }

  shift(): T | undefined {
    for (const [lane, items] of this.#lanes) {
      const item = items.shift()
      this.#size--
      this.#lanes.delete(lane)
      if (items.length > 0) this.#lanes.set(lane, items)
      return item
    }
    return undefined
  }

  /** The last one of the longest lane, if that has more than so many. */
  #displace(than: number): T | undefined {
    let longest: T[] | undefined
    for (const items of this.#lanes.values()) if (items.length > (longest?.length ?? than)) longest = items
    if (longest === undefined) return undefined
    this.#size--
    return longest.pop()
  }
}
