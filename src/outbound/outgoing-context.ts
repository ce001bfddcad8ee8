/** What mail that goes out is given of its worker. */
import type { Resolver } from '../dns/resolver.ts'
import type { Log } from '../observe/log.ts'
import type { SharedCounters } from '../reputation/rates-counters.ts'

export interface OutgoingContext {
  readonly resolver: Resolver
  readonly counters: SharedCounters
  readonly log: Log
  /** monotonic, milliseconds */
  readonly now: () => number
}
