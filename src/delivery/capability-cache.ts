/**
 * What a next hop last said it can do, and when it may be asked again. No I/O:
 * told by whoever speaks with the hop.
 */
import type { Capabilities } from '../smtp/capabilities.ts'

const FRESH_MS = 5 * 60_000
/** A hop that is down is asked once in this time, however many want to know. */
const RETRY_MS = 1000

export class CapabilityCache {
  #now: () => number
  #known: Capabilities | undefined
  #learnedAt = -Infinity
  #failedAt = -Infinity

  constructor(now: () => number) {
    this.#now = now
  }

  /** The last word, however old. */
  get known(): Capabilities | undefined {
    return this.#known
  }

  get fresh(): boolean {
    return this.#now() - this.#learnedAt < FRESH_MS
  }

  get mayAsk(): boolean {
    return this.#now() - this.#failedAt >= RETRY_MS
  }

  learned(capabilities: Capabilities): void {
    this.#known = capabilities
    this.#learnedAt = this.#now()
  }

  failed(): void {
    this.#failedAt = this.#now()
  }
}
