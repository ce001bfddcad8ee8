/**
 * Work that takes long, done in slices: between two of them everything else of
 * the process has its turn. It gets a third of the time at least, however long
 * these turns are: somebody waits for its end. It ends with what the work gives;
 * what the work throws is thrown.
 */
import { setImmediate } from 'node:timers/promises'

/** With the longest single step, which takes some 20 ms of 20,000 rules, a turn ends within 25. */
const SLICE_MS = 4
/** Of the time that it has waited for its turn, up to a pause that nobody sees. */
const SHARE = 0.5
const MOST_MS = 250

/** How long it may go on after it has waited so long. */
export function sliceMs(waitedMs: number): number {
  return Math.min(MOST_MS, Math.max(SLICE_MS, SHARE * waitedMs))
}

/** @param nowMs a clock that never goes back */
export async function inSlices<T>(work: Generator<unknown, T>, nowMs = (): number => performance.now()): Promise<T> {
  let until = nowMs() + SLICE_MS
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    const before = nowMs()
    if (before < until) continue
    await setImmediate()
    const after = nowMs()
    until = after + sliceMs(after - before)
  }
}

/** All at once, where nothing waits. */
export function atOnce<T>(work: Generator<unknown, T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}
