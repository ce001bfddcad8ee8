/**
 * Looks on while rules are read: what takes how long, and whether there is enough time
 * and memory left. Whoever reads them gives up before he is ended from outside, and can
 * say what took so long.
 */
import { getHeapStatistics } from 'node:v8'
import { TooMuch } from './too-much.ts'

const LOOK_MS = 50
const MOST_NAMED = 3
/** Of the heap that the process may have: beyond it everything is garbage collection, and then it ends. */
const FULL = 0.8

export class ReadingWatch {
  readonly #until: number
  readonly #began = performance.now()
  /** by what it was spent on */
  readonly #spent = new Map<string, number>()
  #looked = performance.now()

  constructor(until: number) {
    this.#until = until
  }

  /** The same work; it throws `TooMuch`. */
  * over<S, T>(work: Generator<S, T>, name: (step: S) => string): Generator<void, T> {
    for (;;) {
      const began = performance.now()
      const step = work.next()
      if (step.done === true) return step.value
      const now = performance.now()
      const about = name(step.value)
      this.#spent.set(about, (this.#spent.get(about) ?? 0) + now - began)
      if (now - this.#looked >= LOOK_MS) this.#look(now)
      yield
    }
  }

  #look(now: number): void {
    this.#looked = now
    if (now > this.#until) throw this.#tooMuch(`to read them and to run their samples takes more than ${Math.round((now - this.#began) / 1000)} s`, true)
    if (this.#isFull()) throw this.#tooMuch(`to read them takes more than ${Math.round(FULL * getHeapStatistics().heap_size_limit / 1e6)} MB of memory`, false)
  }

  /** Only where somebody can collect the garbage: in a process that does nothing else. */
  #isFull(): boolean {
    const most = FULL * getHeapStatistics().heap_size_limit
    if (globalThis.gc === undefined || process.memoryUsage().heapUsed < most) return false
    globalThis.gc()
    return process.memoryUsage().heapUsed >= most
  }

  #tooMuch(message: string, mayPass: boolean): TooMuch {
    const all = [...this.#spent].sort(([, a], [, b]) => b - a)
    const total = all.reduce((sum, [, ms]) => sum + ms, 0)
    const told = all.slice(0, MOST_NAMED).map(([about, ms]) => `${about} ${Math.round(100 * ms / total)} %`)
    return new TooMuch(message, { mayPass, dearest: `most of the time went to ${told.join(', ')}` })
  }
}
