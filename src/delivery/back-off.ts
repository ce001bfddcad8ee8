/**
 * How long what has failed is left alone: a first time, then twice as long with
 * each failure in a row, up to a bound. No timer; compared with the clock.
 */
export class BackOff {
  readonly #now: () => number
  readonly #firstMs: number
  readonly #mostMs: number
  #failures = 0
  #until = -Infinity

  constructor(now: () => number, { firstMs, mostMs }: { readonly firstMs: number; readonly mostMs: number }) {
    this.#now = now
    this.#firstMs = firstMs
    this.#mostMs = mostMs
  }

  /** It is to be left alone now. */
  get resting(): boolean {
    return this.#now() < this.#until
  }

  /** It failed the last time, whether that is long ago or not. */
  get failing(): boolean {
    return this.#failures > 0
  }

  /** Returns for how long it is left alone now. Failures that were under way together count once. */
  failed(): number {
    if (this.resting) return this.#until - this.#now()
    const pauseMs = Math.min(this.#firstMs * 2 ** this.#failures, this.#mostMs)
    this.#failures = Math.min(this.#failures + 1, 30)
    this.#until = this.#now() + pauseMs
    return pauseMs
  }

  /** As if it had never failed. */
  clear(): void {
    this.#failures = 0
    this.#until = -Infinity
  }
}
