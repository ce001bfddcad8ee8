/**
 * So many at a time, so many that wait for a place, in their order. Whoever
 * does not get in is told so; nothing rejects.
 */
export class Places {
  readonly #limits: { readonly running: number; readonly waiting: number }
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
    if (signal.aborted) return Promise.resolve('gone')
    if (this.#running < this.#limits.running) {
      this.#running++
      return Promise.resolve('in')
    }
    if (this.#waiters.size >= this.#limits.waiting) return Promise.resolve('full')
    return new Promise((resolve) => {
      const letIn = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve('in')
      }
      const giveUp = (): void => {
        this.#waiters.delete(letIn)
        resolve('gone')
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiters.add(letIn)
    })
  }

  /** The place goes to the one that has waited longest, so that nobody comes between. */
  leave(): void {
    const [next] = this.#waiters
    if (next === undefined) {
      this.#running--
      return
    }
    this.#waiters.delete(next)
    next()
  }
}
