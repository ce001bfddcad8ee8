/**
 * Watches that a worker is alive: asks it every ten seconds, and tells when six
 * questions in a row were not answered. A worker in an endless loop keeps its
 * listening sockets, so that clients connect and hear nothing; nobody else
 * would notice.
 *
 * Questions are counted, not seconds. Where the machine, or the supervisor
 * itself, stood still for an hour, one question is open afterwards and not an
 * hour of silence.
 */
import type { Clock } from './clock.ts'

export const PING_EVERY_MS = 10_000
const MOST_UNANSWERED = 6
/** what a worker is silent for until it is given up */
export const SILENCE_MS = PING_EVERY_MS * MOST_UNANSWERED

export interface PulseParts {
  readonly clock: Clock
  readonly ping: () => void
  /** called once */
  readonly onSilence: () => void
}

export class Pulse {
  private readonly parts: PulseParts
  private unanswered = 0
  private cancel: () => void = () => undefined

  constructor(parts: PulseParts) {
    this.parts = parts
  }

  start(): void {
    this.unanswered = 0
    this.beat()
  }

  stop(): void {
    this.cancel()
    this.unanswered = 0
  }

  answered(): void {
    this.unanswered = 0
  }

  /** One open question says nothing: it may have been asked just now. */
  regular(): boolean {
    return this.unanswered < 2
  }

  private beat(): void {
    this.cancel()
    if (this.unanswered === MOST_UNANSWERED) {
      this.parts.onSilence()
      return
    }
    this.unanswered++
    this.parts.ping()
    this.cancel = this.parts.clock.after(PING_EVERY_MS, () => this.beat())
  }
}
