/** Long work in turns: others have the event loop after each few milliseconds. */
import { setImmediate as turn } from 'node:timers/promises'

const SLICE_MS = 10

export class Slices {
  readonly #signal: AbortSignal | undefined
  #until = performance.now() + SLICE_MS

  constructor(signal?: AbortSignal) {
    this.#signal = signal
  }

  /** Whether it is time to `rest`. */
  due(): boolean {
    return performance.now() >= this.#until
  }

  /** false: the work is to stop. */
  async rest(): Promise<boolean> {
    await turn()
    this.#until = performance.now() + SLICE_MS
    return this.#signal?.aborted !== true
  }
}
