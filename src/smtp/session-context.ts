/** What a session is given: the way out to its client, its options, a clock, and somebody to tell of bugs. */
import type { SessionOptions } from './conversation.ts'
import type { Transport } from './transport.ts'

export interface SessionContext {
  readonly transport: Transport
  readonly options: SessionOptions
  /** milliseconds; only differences count, a second's precision is enough */
  readonly now: () => number
  readonly onError: (error: unknown) => void
}
