/**
 * The time as the relay sees it. All waits of a hop are fields compared on one
 * coarse tick, so no command costs a timer; a test hands in a clock of its own.
 */
export interface Clock {
  /** milliseconds, never going back */
  now(): number
  /** Calls `run` again and again; returns what stops it. Does not keep the process alive. */
  every(intervalMs: number, run: () => void): () => void
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  every(intervalMs, run) {
    const timer = setInterval(run, intervalMs)
    timer.unref()
    return () => clearInterval(timer)
  },
}
