/**
 * Work that takes long, done in slices: between two of them everything else of
 * the process has its turn. It ends with what the work gives; what the work
 * throws is thrown.
 */
import { setImmediate } from 'node:timers/promises'

/** With the longest single step, which takes some 20 ms of 20,000 rules, a turn ends within 25. */
const SLICE_MS = 4

export async function inSlices<T>(work: Generator<void, T>): Promise<T> {
  let began = performance.now()
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    if (performance.now() - began < SLICE_MS) continue
    await setImmediate()
    began = performance.now()
  }
}

/** All at once, where nothing waits. */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}
