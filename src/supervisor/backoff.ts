/**
 * How long to wait before a worker that died is replaced. The first time not
 * at all: a crash is rare and its place is wanted. While replacements keep
 * dying young: 1 s, doubling to 30 s, so that a fault that comes back at once
 * does not eat the machine. A worker that lived long starts the count anew.
 */
const FIRST_MS = 1000
const LONGEST_MS = 30_000
/** to die before this is to die young */
export const YOUNG_MS = 30_000

export class Backoff {
  private deaths = 0

  /** The wait before the next start, after a worker that lived this long. */
  afterDeath(livedMs: number): number {
    this.deaths = livedMs < YOUNG_MS ? this.deaths + 1 : 1
    return this.deaths === 1 ? 0 : Math.min(FIRST_MS * 2 ** (this.deaths - 2), LONGEST_MS)
  }
}
