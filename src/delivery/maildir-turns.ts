/**
 * Bounds how many mailboxes a process has open at once. One may take eight file
 * descriptors (each directory on the way is opened where root delivers for
 * others), and a process has 1024 of them or fewer: without a bound, a message
 * for some hundred mailboxes, or some hundred sessions, would end in EMFILE.
 *
 * First come, first served. Nothing is refused; whoever waits, waits for the
 * disk, which does no more than a few things at once anyway.
 */
import type { FileSystem } from './file-system.ts'

/** Eight descriptors each: half of what is left where a process may have 256. */
export const MOST_OPEN = 16

export class Turns {
  private free: number
  private readonly waiting: { readonly count: number; readonly go: () => void }[] = []

  constructor(most: number) {
    this.free = most
  }

  /** Does `work` while it holds so many places, `MOST_OPEN` at most. */
  async hold<T>(count: number, work: () => Promise<T>): Promise<T> {
    if (this.waiting.length > 0 || this.free < count) await new Promise<void>((go) => this.waiting.push({ count, go }))
    else this.free -= count
    try {
      return await work()
    } finally {
      this.free += count
      this.next()
    }
  }

  private next(): void {
    for (let [first] = this.waiting; first !== undefined && first.count <= this.free; [first] = this.waiting) {
      this.waiting.shift()
      this.free -= first.count
      first.go()
    }
  }
}

const turns = new WeakMap<FileSystem, Turns>()

/** Descriptors are the process's: whoever uses the same file system shares the places, of whichever hop. */
export function turnsOf(files: FileSystem): Turns {
  const known = turns.get(files)
  if (known !== undefined) return known
  const made = new Turns(MOST_OPEN)
  turns.set(files, made)
  return made
}
