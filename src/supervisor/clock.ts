/** Time as the supervisor sees it, so that its tests wait for nothing. */
export interface Clock {
  /** milliseconds on a clock that only goes forward */
  nowMs(): number
  /** Calls `action` once, later; returns what calls it off. The wait keeps no process alive. */
  after(delayMs: number, action: () => void): () => void
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs).unref()
    return () => clearTimeout(timer)
  },
}
