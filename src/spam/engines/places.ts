/**
 * So many at a time, so many that wait for a place, in their order. Whoever
 * does not get in is told so; nothing rejects.
 */
export class Places {
  readonly #limits: { readonly running: number; readonly waiting: number }
  readonly #first = new Set<() => void>()
  readonly #waiters = new Set<() => void>()
  #running = 0

  constructor(limits: { readonly running: number; readonly waiting: number }) {
    this.#limits = limits
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiters.size
  }

  /** `in` has to be given back by `leave`. `gone`: the signal came first. */
  enter(signal: AbortSignal): Promise<'in' | 'full' | 'gone'> {
    const full = this.#running >= this.#limits.running && this.#waiters.size >= this.#limits.waiting
    return full && !signal.aborted ? Promise.resolve('full') : this.#join(this.#waiters, signal)
  }

  /** The same, before all that wait, however many they are. */
  enterFirst(signal: AbortSignal): Promise<'in' | 'gone'> {
    return this.#join(this.#first, signal)
  }

  /** The place goes to the one that has waited longest, so that nobody comes between. */
  leave(): void {
    for (const waiters of [this.#first, this.#waiters]) {
      const [next] = waiters
      if (next === undefined) continue
      waiters.delete(next)
      return next()
    }
    this.#running--
  }

  #join(waiters: Set<() => void>, signal: AbortSignal): Promise<'in' | 'gone'> {
    if (signal.aborted) return Promise.resolve('gone')
    if (this.#running < this.#limits.running) {
      this.#running++
      return Promise.resolve('in')
    }
    return new Promise((resolve) => {
      const letIn = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve('in')
      }
      const giveUp = (): void => {
        waiters.delete(letIn)
        resolve('gone')
      }
      signal.addEventListener('abort', giveUp, { once: true })
      waiters.add(letIn)
    })
  }
}
