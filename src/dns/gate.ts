/**
 * So many look-ups at once, so many that wait for a place, each until its
 * deadline. Whoever does not get in is told why.
 */
import type { Clock } from './clock.ts'

export type Entry = { readonly status: 'in' } | { readonly status: 'out'; readonly cause: string }

interface Waiter {
  readonly settle: (entry: Entry) => void
}

const IN: Entry = { status: 'in' }

export class Gate {
  readonly #limits: { readonly inFlight: number; readonly waiting: number }
  readonly #clock: Clock
  readonly #waiters = new Set<Waiter>()
  #inFlight = 0
  #closed: string | undefined

  constructor(limits: { readonly inFlight: number; readonly waiting: number }, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  enter(deadlineMs: number): Promise<Entry> {
    const { inFlight, waiting } = this.#limits
    if (this.#closed !== undefined) return Promise.resolve({ status: 'out', cause: this.#closed })
    if (this.#inFlight < inFlight) {
      this.#inFlight++
      return Promise.resolve(IN)
    }
    if (this.#waiters.size >= waiting) return Promise.resolve({ status: 'out', cause: `${inFlight} look-ups are in flight and ${waiting} wait, which is the most` })
    return new Promise((resolve) => {
      const waiter: Waiter = {
        settle: (entry) => {
          callOff()
          this.#waiters.delete(waiter)
          resolve(entry)
        },
      }
      const cause = `no place among the ${inFlight} look-ups in flight came free in time`
      const callOff = this.#clock.after(deadlineMs - this.#clock.nowMs(), () => waiter.settle({ status: 'out', cause }))
      this.#waiters.add(waiter)
    })
  }

  /** Gives a place back: to the one that has waited longest, if there is one. */
  leave(): void {
    const [next] = this.#waiters
    if (next) next.settle(IN)
    else this.#inFlight--
  }

  close(cause: string): void {
    this.#closed = cause
    for (const waiter of [...this.#waiters]) waiter.settle({ status: 'out', cause })
  }
}
