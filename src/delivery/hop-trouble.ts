/**
 * What the log says of a next hop that cannot be used: each reason when it is new, and while
 * it lasts once a minute, with how often it was met since; and when it is over. With a line for
 * each message a hop that is down would hide everything else.
 */
import type { Log } from '../observe/log.ts'

const AGAIN_MS = 60_000
const MOST_REASONS = 10

export class HopTrouble {
  readonly #place: Readonly<Record<string, unknown>>
  readonly #log: Log
  readonly #now: () => number
  /** when it was told last, and how often it was met since */
  readonly #reasons = new Map<string, { toldAt: number; untold: number }>()

  /** @param place where the hop is */
  constructor(place: Readonly<Record<string, unknown>>, { log, now }: { readonly log: Log; readonly now: () => number }) {
    this.#place = place
    this.#log = log
    this.#now = now
  }

  met(facts: Readonly<Record<string, unknown>>): void {
    const reason = JSON.stringify(facts).replace(/\d+/g, '0')
    const before = this.#reasons.get(reason)
    const now = this.#now()
    if (before !== undefined && now - before.toldAt < AGAIN_MS) {
      before.untold++
      return
    }
    if (before === undefined && this.#reasons.size >= MOST_REASONS) this.#reasons.clear()
    this.#reasons.set(reason, { toldAt: now, untold: 0 })
    this.#log.warn({ ...this.#place, ...facts, ...(before !== undefined && before.untold > 0 && { timesSince: before.untold }) }, 'next hop cannot be used')
  }

  over(): void {
    if (this.#reasons.size === 0) return
    this.#reasons.clear()
    this.#log.info(this.#place, 'next hop can be used again')
  }
}
