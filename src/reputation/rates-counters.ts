/**
 * Counts that all workers share, as the rates need them, and the same in the
 * memory of one process.
 *
 * In memory a window slides: what was counted in the window before this one
 * counts for the part of it that the last `windowMs` still cover, as if it had
 * come evenly. So a key costs two numbers, and a count is never too low by more
 * than that assumption. Bounded: where there are more keys than `maxKeys`, the
 * one that was not counted for longest is forgotten. Counts of what is under
 * way are never forgotten; there are as many as sessions at most.
 */
import { ByUse } from '../state/by-use.ts'

export interface SharedCounters {
  /**
   * Adds to what is counted under a key, and returns what the last `windowMs`
   * hold with it. An amount of 0 only reads. Answers at once and never throws:
   * one that counts over several processes or machines exchanges its counts in
   * the background, and where it cannot, counts alone and says so in the log.
   */
  add(key: string, amount: number, windowMs: number): number
  /** One more of this is under way; returns how many are now. `end` must follow once. What a process that dies had begun, ends. */
  begin(key: string): number
  end(key: string): void
}

export interface MemoryCountersSettings {
  /** milliseconds since 1970, so that the windows of all processes begin at once */
  readonly now: () => number
  /** 100,000 */
  readonly maxKeys?: number
}

interface Window {
  index: number
  current: number
  previous: number
}

const MAX_KEYS = 100_000

export class MemoryCounters implements SharedCounters {
  readonly #now: () => number
  readonly #maxKeys: number
  readonly #windows = new ByUse<Window>()
  readonly #underWay = new Map<string, number>()

  constructor({ now, maxKeys = MAX_KEYS }: MemoryCountersSettings) {
    this.#now = now
    this.#maxKeys = maxKeys
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#windows.size
  }

  add(key: string, amount: number, windowMs: number): number {
    const now = this.#now()
    const index = Math.floor(now / windowMs)
    const name = `${windowMs} ${key}`
    const window = moved(this.#windows.get(name), index)
    window.current += amount
    if (window.current + window.previous > 0) {
      this.#windows.set(name, window)
      this.#forgetOldest()
    } else this.#windows.delete(name)
    const covered = window.index > index ? 1 : 1 - (now % windowMs) / windowMs
    return window.current + Math.ceil(window.previous * covered)
  }

  begin(key: string): number {
    const count = (this.#underWay.get(key) ?? 0) + 1
    this.#underWay.set(key, count)
    return count
  }

  end(key: string): void {
    const count = (this.#underWay.get(key) ?? 0) - 1
    if (count > 0) this.#underWay.set(key, count)
    else this.#underWay.delete(key)
  }

  #forgetOldest(): void {
    for (;;) {
      const { oldest } = this.#windows
      if (oldest === undefined || this.#windows.size <= this.#maxKeys) return
      this.#windows.delete(oldest)
    }
  }
}

/** The window as it is at `index`. A clock set back by little changes nothing; by more, it all begins anew. */
function moved(window: Window | undefined, index: number): Window {
  if (window === undefined || Math.abs(index - window.index) > 1) return { index, current: 0, previous: 0 }
  return index === window.index + 1 ? { index, current: 0, previous: window.current } : window
}
