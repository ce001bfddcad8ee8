/**
 * Messages go on together here. Those that do are checked one after the other,
 * then the rules are asked for each of them, then the classifier, and each step
 * finds in the processor's caches what the message before needed, too. Alone,
 * between commands and replies of others, a message costs half as much again.
 *
 * Nobody waits while there is nothing else to do: all go on as soon as the event
 * loop has come round without an event. Where events do not end, they go on when
 * there are enough of them, or the first has waited long enough. What goes on
 * together is bounded, as the event loop does not come round before it is done:
 * in number, in bytes, and where a site's own rules take long over each, by the
 * time that the last ones took.
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
  /** where they take longer together, fewer go on the next time */
  readonly togetherMs: number
}

/** 20 usual messages, or ten of 50 KB, take some 30 ms. */
export const COMPANY_BOUNDS: CompanyBounds = { most: 20, bytes: 512 * 1024, patienceMs: 25, togetherMs: 100 }

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
  #isLooking = false
  /** who went on just now */
  #gone: { readonly count: number; readonly atMs: number } | undefined
  /** how many go on together, as it is now */
  #most: number

  constructor(bounds: CompanyBounds, loop: EventLoop) {
    this.#bounds = bounds
    this.#loop = loop
    this.#most = bounds.most
  }

  join(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ bytes, sinceMs: this.#loop.nowMs(), go: resolve })
      this.#bytes += bytes
      this.#lookSoon()
    })
  }

  #lookSoon(): void {
    if (this.#isLooking) return
    this.#isLooking = true
    this.#loop.onNextTurn(this.#look)
    // Right behind it, and behind those who go on: before anything else has its turn.
    this.#loop.onNextTurn(this.#learn)
  }

  readonly #look = (): void => {
    this.#isLooking = false
    const events = this.#loop.events()
    const quiet = events === this.#events
    this.#events = events
    if (quiet || this.#isEnough()) {
      this.#events = undefined
      const together = this.#waiting.splice(0, this.#together())
      this.#gone = { count: together.length, atMs: this.#loop.nowMs() }
      for (const { go } of together) go()
    }
    if (this.#waiting.length > 0) this.#lookSoon()
  }

  /** Those that went on are done, or wait for something else. */
  readonly #learn = (): void => {
    const gone = this.#gone
    this.#gone = undefined
    if (gone === undefined) return
    const { most, togetherMs } = this.#bounds
    const tookMs = this.#loop.nowMs() - gone.atMs
    if (tookMs > togetherMs) this.#most = Math.max(1, Math.min(this.#most, Math.floor(gone.count * (togetherMs / tookMs))))
    else if (tookMs < togetherMs / 2) this.#most = Math.min(most, this.#most + 1)
  }

  #isEnough(): boolean {
    const { bytes, patienceMs } = this.#bounds
    const sinceMs = this.#waiting[0]?.sinceMs ?? 0
    return this.#waiting.length >= this.#most || this.#bytes >= bytes || this.#loop.nowMs() - sinceMs >= patienceMs
  }

  /** How many go on now; one does, however large it is. */
  #together(): number {
    const { bytes } = this.#bounds
    let count = 0
    let size = 0
    for (const waiter of this.#waiting) {
      if (count === this.#most || (count > 0 && size + waiter.bytes > bytes)) break
      count++
      size += waiter.bytes
    }
    this.#bytes -= size
    return count
  }
}
