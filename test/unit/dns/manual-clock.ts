/** A clock that stands still until a test moves it. */
import type { Clock } from '../../../src/dns/clock.ts'

export class ManualClock implements Clock {
  #now = 1_000_000
  #timers: { readonly at: number; readonly action: () => void }[] = []

  nowMs(): number {
    return this.#now
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { at: this.#now + delayMs, action }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Goes forward; what falls due on the way is called at its time. */
  advance(byMs: number): void {
    const end = this.#now + byMs
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (next === undefined) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#now = Math.max(this.#now, next.at)
      next.action()
    }
    this.#now = end
  }

  get pending(): number {
    return this.#timers.length
  }
}
