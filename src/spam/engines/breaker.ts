/**
 * A circuit breaker: after so many failures in a row an engine is set aside and
 * costs nothing, for a pause that grows with each try that fails; then one
 * message is the try, and its success lets all others in again. No timer;
 * compared with the clock. Each change is told once.
 *
 * Only what shows that nobody answers is a failure. An engine that answers with
 * an error costs no time, and a stranger could send a message that it chokes on
 * to have it set aside for everybody. Of one that takes very long over a message
 * its guard finds out whether it is there at all, and judges anything.
 */
import type { BreakerSettings } from './settings.ts'

export type BreakerChange =
  | { readonly to: 'open'; readonly pauseMs: number; readonly failures: number; readonly cause: string }
  | { readonly to: 'closed'; readonly asideMs: number }

/** What whoever got in says in the end. */
export type Report = 'lost' | 'answered' | 'unclear'

export interface Pass {
  readonly trial: boolean
}

interface Aside {
  readonly sinceMs: number
  untilMs: number
  pauseMs: number
  trying: boolean
}

export class Breaker {
  readonly #settings: BreakerSettings
  readonly #now: () => number
  readonly #onChange: (change: BreakerChange) => void
  #failures = 0
  #cause: string | undefined
  #aside: Aside | undefined

  constructor(settings: BreakerSettings, context: { readonly now: () => number; readonly onChange: (change: BreakerChange) => void }) {
    this.#settings = settings
    this.#now = context.now
    this.#onChange = context.onChange
  }

  get state(): 'closed' | 'open' | 'half-open' {
    if (this.#aside === undefined) return 'closed'
    return this.#aside.trying || this.#now() < this.#aside.untilMs ? 'open' : 'half-open'
  }

  get failures(): number {
    return this.#failures
  }

  get cause(): string | undefined {
    return this.#cause
  }

  get retryInMs(): number | undefined {
    return this.#aside === undefined ? undefined : Math.max(0, this.#aside.untilMs - this.#now())
  }

  /** A sentence, while nobody is let in. */
  refusal(): string | undefined {
    const aside = this.#aside
    if (aside === undefined || this.state !== 'open') return undefined
    const next = aside.trying ? 'it is being tried' : `the next try is in ${seconds(aside.untilMs - this.#now())}`
    return `set aside since ${seconds(this.#now() - aside.sinceMs)} after ${this.#failures} failures in a row (${this.#cause ?? ''}); ${next}`
  }

  /** Undefined: not now, see `refusal`. Whoever gets a pass gives it back by `leave`. */
  enter(): Pass | undefined {
    if (this.state === 'open') return undefined
    if (this.#aside === undefined) return { trial: false }
    this.#aside.trying = true
    return { trial: true }
  }

  leave(pass: Pass, report: Report, cause: string): void {
    if (pass.trial && this.#aside !== undefined) this.#aside.trying = false
    if (report === 'answered') this.#close()
    else if (report === 'lost') this.#lose(pass, cause)
  }

  #close(): void {
    const aside = this.#aside
    this.#aside = undefined
    this.#failures = 0
    this.#cause = undefined
    if (aside !== undefined) this.#onChange({ to: 'closed', asideMs: this.#now() - aside.sinceMs })
  }

  #lose(pass: Pass, cause: string): void {
    const { failures, firstPauseMs, mostPauseMs } = this.#settings
    if (this.#aside !== undefined) {
      // Those that were under way when it was set aside say nothing new.
      if (!pass.trial) return
      this.#failures++
      this.#cause = cause
      this.#aside.pauseMs = Math.min(this.#aside.pauseMs * 2, mostPauseMs)
      this.#aside.untilMs = this.#now() + this.#aside.pauseMs
      return
    }
    this.#failures++
    this.#cause = cause
    if (this.#failures < failures) return
    const pauseMs = Math.min(firstPauseMs, mostPauseMs)
    this.#aside = { sinceMs: this.#now(), untilMs: this.#now() + pauseMs, pauseMs, trying: false }
    this.#onChange({ to: 'open', pauseMs, failures: this.#failures, cause })
  }
}

function seconds(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 1000))} s`
}
