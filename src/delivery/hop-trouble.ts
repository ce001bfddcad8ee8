/**
 * What the log says of a next hop that cannot be used: each reason when it is new, and while
 * it lasts once a minute, with how often it was met since; and that it is over, with the first
 * connection that works after a minute without trouble. With a line for each message a hop that
 * is down, or takes only some of the connections, would hide everything else.
 */
import type { Log } from '../observe/log.ts'

const QUIET_MS = 60_000
/** those beyond are told as one */
const MOST_REASONS = 10
const OTHERS = ''

export class HopTrouble {
  readonly #place: Readonly<Record<string, unknown>>
  readonly #log: Log
  readonly #now: () => number
  /** when it was told last, and how often it was met since */
  readonly #reasons = new Map<string, { toldAt: number; untold: number }>()
  #metAt = 0

  /** @param place where the hop is */
  constructor(place: Readonly<Record<string, unknown>>, { log, now }: { readonly log: Log; readonly now: () => number }) {
    this.#place = place
    this.#log = log
    this.#now = now
  }

  met(facts: Readonly<Record<string, unknown>>): void {
    const now = this.#now()
    this.#metAt = now
    const reason = this.#reasonOf(facts, now)
    const before = this.#reasons.get(reason)
    if (before !== undefined && now - before.toldAt < QUIET_MS) {
      before.untold++
      return
    }
    this.#reasons.set(reason, { toldAt: now, untold: 0 })
    this.#log.warn({ ...this.#place, ...facts, ...(before !== undefined && before.untold > 0 && { timesSince: before.untold }) }, 'next hop cannot be used')
  }

  /** To be called with each connection that works. */
  over(): void {
    if (this.#reasons.size === 0 || this.#now() - this.#metAt < QUIET_MS) return
    this.#reasons.clear()
    this.#log.info(this.#place, 'next hop can be used again')
  }

  /** Where it came to, and the code of the reply or of the system: texts may differ with each connection. */
  #reasonOf({ stage, cause, detail }: Readonly<Record<string, unknown>>, now: number): string {
    const code = /^\d{3}\b|\bE[A-Z]{3,}\b/.exec(String(detail))?.[0]
    const reason = JSON.stringify([stage, cause, code])
    if (this.#reasons.has(reason)) return reason
    if (this.#reasons.size >= MOST_REASONS) {
      for (const [old, { toldAt }] of this.#reasons) if (now - toldAt >= QUIET_MS) this.#reasons.delete(old)
    }
    return this.#reasons.size < MOST_REASONS ? reason : OTHERS
  }
}
