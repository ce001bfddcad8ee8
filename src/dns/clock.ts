/** Time as the resolver sees it, so that its tests wait for nothing. */
export interface Clock {
  /** milliseconds on a clock that only goes forward */
  nowMs(): number
  /** Calls `action` once, later; returns what calls it off. */
  after(delayMs: number, action: () => void): () => void
}

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs)
    return () => clearTimeout(timer)
  },
}
