/** Several counters on one file, with one clock that stands until it is moved. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { SharedCounters } from '../../../src/reputation/rates-counters.ts'
import { DatabaseCounters } from '../../../src/state/shared-counters.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { RecordedLog } from '../delivery/scripted-hop.ts'

export const MINUTE = 60_000
/** the first moment of a window of an hour */
export const START = 1_800_000_000_000

export interface Bed {
  readonly directory: string
  readonly log: RecordedLog
  readonly all: readonly DatabaseCounters[]
  readonly pass: (ms: number) => void
  /** All exchange, twice, so that each has heard of each. */
  readonly settle: () => void
  readonly now: () => number
}

export function bed(t: TestContext, count: number, bounds: { readonly maxKeys?: number; readonly maxRows?: number } = {}): Bed {
  const directory = temporaryDirectory('rates')
  const log = new RecordedLog()
  let now = START
  const all = Array.from({ length: count }, () => new DatabaseCounters(directory, { log, now: () => now, ...bounds }))
  t.after(() => {
    for (const counters of all) counters.close()
  })
  return {
    directory, log, all, now: () => now,
    pass: (ms) => void (now += ms),
    settle: () => {
      for (let i = 0; i < 2; i++) for (const counters of all) counters.exchange()
    },
  }
}

export function pair(t: TestContext): Bed & { readonly a: DatabaseCounters; readonly b: DatabaseCounters } {
  const made = bed(t, 2)
  const [a, b] = made.all
  assert.ok(a !== undefined && b !== undefined)
  return { ...made, a, b }
}

export const read = (counters: SharedCounters, key = 'k', windowMs = MINUTE): number => counters.add(key, 0, windowMs)
