/**
 * Messages go on together here. Those that do are checked one after the other,
 * then the rules are asked for each of them, then the classifier, and each step
 * finds in the processor's caches what the message before needed, too. Alone,
 * between commands and replies of others, a message costs half as much again.
 *
 * Nobody waits while there is nothing else to do: all go on as soon as the event
 * loop has come round without an event. Where events do not end, they go on when
 * there are enough of them, or the first has waited long enough. What goes on
 * together is bounded, as the event loop does not come round before it is done.
 */
import { performance } from 'node:perf_hooks'

export interface Company {
  /** Resolves when a message of so many bytes may go on. */
  join(bytes: number): Promise<void>
}

export interface CompanyBounds {
  /** messages that go on together */
  readonly most: number
  /** beyond so many bytes no other goes on with them */
  readonly bytes: number
  /** what the first of them waits at most */
  readonly patienceMs: number
}

/** 20 usual messages, or ten of 50 KB, take some 30 ms. */
export const COMPANY_BOUNDS: CompanyBounds = { most: 20, bytes: 512 * 1024, patienceMs: 25 }

export interface EventLoop {
  nowMs(): number
  /** that it has seen up to now */
  events(): number
  /** Calls `action` when the loop has come round. */
  onNextTurn(action: () => void): void
}

export const eventLoop: EventLoop = {
  nowMs: () => performance.now(),
  events: () => performance.nodeTiming.uvMetricsInfo.events,
  onNextTurn(action) {
    setImmediate(action)
  },
}

/** Of whom there is only one at a time. */
export const ALONE: Company = { join: () => Promise.resolve() }

interface Waiter {
  readonly bytes: number
  readonly sinceMs: number
  readonly go: () => void
}

export class BusyCompany implements Company {
  readonly #bounds: CompanyBounds
  readonly #loop: EventLoop
  /** the first to come first */
  readonly #waiting: Waiter[] = []
  #bytes = 0
  /** that had been seen a turn ago; undefined: nobody has looked yet */
  #events: number | undefined

  constructor(bounds: CompanyBounds, loop: EventLoop) {
    this.#bounds = bounds
    this.#loop = loop
  }

  join(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ bytes, sinceMs: this.#loop.nowMs(), go: resolve })
      this.#bytes += bytes
      if (this.#waiting.length === 1) this.#loop.onNextTurn(this.#look)
    })
  }

  readonly #look = (): void => {
    const events = this.#loop.events()
    const quiet = events === this.#events
    this.#events = events
    if (quiet || this.#isEnough()) {
      this.#events = undefined
      for (const { go } of this.#waiting.splice(0, this.#together())) go()
    }
    if (this.#waiting.length > 0) this.#loop.onNextTurn(this.#look)
  }

  #isEnough(): boolean {
    const { most, bytes, patienceMs } = this.#bounds
    const sinceMs = this.#waiting[0]?.sinceMs ?? 0
    return this.#waiting.length >= most || this.#bytes >= bytes || this.#loop.nowMs() - sinceMs >= patienceMs
  }

  /** How many go on now; one does, however large it is. */
  #together(): number {
    const { most, bytes } = this.#bounds
    let count = 0
    let size = 0
    for (const waiter of this.#waiting) {
      if (count === most || (count > 0 && size + waiter.bytes > bytes)) break
      count++
      size += waiter.bytes
    }
    this.#bytes -= size
    return count
  }
}
