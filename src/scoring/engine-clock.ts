/** The clock of this process, for engines. */
import type { EngineClock } from '../spam/engines/engine.ts'

export const engineClock: EngineClock = {
  nowMs: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs)
    return () => clearTimeout(timer)
  },
}
