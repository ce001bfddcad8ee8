/**
 * An engine that answers message after message with an error costs no time and
 * is not set aside, but judges nothing either: that is told once, and once that
 * it is over. Whoever can make it err could have it told again and again, so
 * after each time there is a pause.
 */
import type { Attempt } from './engine.ts'

export type StreakChange =
  | { readonly to: 'errors'; readonly failures: number; readonly cause: string }
  | { readonly to: 'over'; readonly errorsMs: number }

export class ErrorStreak {
  readonly #settings: { readonly failures: number; readonly pauseMs: number }
  readonly #now: () => number
  #errors = 0
  #lastToldMs = -Infinity
  #told = false

  constructor(settings: { readonly failures: number; readonly pauseMs: number }, now: () => number) {
    this.#settings = settings
    this.#now = now
  }

  /** What is to be told, if anything. */
  take(attempt: Attempt): StreakChange | undefined {
    if (attempt.status !== 'failed') return this.#end()
    if (attempt.engine !== 'answered') return undefined
    this.#errors++
    const { failures, pauseMs } = this.#settings
    if (this.#told || this.#errors < failures || this.#now() - this.#lastToldMs < pauseMs) return undefined
    this.#told = true
    this.#lastToldMs = this.#now()
    return { to: 'errors', failures: this.#errors, cause: attempt.cause }
  }

  #end(): StreakChange | undefined {
    const told = this.#told
    this.#errors = 0
    this.#told = false
    return told ? { to: 'over', errorsMs: this.#now() - this.#lastToldMs } : undefined
  }
}
