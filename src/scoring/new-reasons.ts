/**
 * Why something fails again and again: each reason is news once, until it works. A server
 * that cannot be reached is one reason however that shows; what it replies may be another
 * each time, and is told, but for the numbers in it.
 */
import { RedisError } from '../state/redis-connection.ts'

/** Who fails in so many ways has been told of often enough. */
const MOST = 10

export class NewReasons {
  readonly #told = new Set<string>()

  /** Whether it is to be told. */
  isNew(error: unknown): boolean {
    const reason = error instanceof RedisError && error.trouble === 'unreachable' ? error.trouble : textOf(error).replace(/\d+/g, '0')
    if (this.#told.has(reason) || this.#told.size >= MOST) return false
    this.#told.add(reason)
    return true
  }

  /** It works; true where it did not. */
  over(): boolean {
    const were = this.#told.size > 0
    this.#told.clear()
    return were
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
