/**
 * Fuzzing with a seed: the same seed gives the same inputs, on every machine.
 *
 * Without variables each target runs its own fixed number of iterations from a
 * fixed seed, so that CI is deterministic. POSTERN_FUZZ_SECONDS gives each
 * target so much time and a seed of the day; POSTERN_FUZZ_SEED sets the seed;
 * POSTERN_FUZZ_START begins at that iteration. A failure says how to come back
 * to it, and the numbers are printed at the end of each target.
 */
import { test } from 'node:test'

const seconds = Number(process.env['POSTERN_FUZZ_SECONDS'] ?? 0)
const seed = Number(process.env['POSTERN_FUZZ_SEED'] ?? (seconds > 0 ? Date.now() % 0x7fffffff : 5321))
const first = Number(process.env['POSTERN_FUZZ_START'] ?? 0)
/** One input may not keep a parser busy for longer; far above what any needs, even on a machine that is busy. */
const MAX_STEP_MS = 5000

/** A small generator (mulberry32); good enough to choose inputs. */
export class Random {
  private state: number

  constructor(from: number) {
    this.state = from | 0
  }

  private next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }

  /** 0 … below - 1 */
  below(bound: number): number {
    return this.next() % bound
  }

  chance(of: number): boolean {
    return this.next() / 0x1_0000_0000 < of
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T
  }

  bytes(most: number): string {
    return Array.from({ length: this.below(most + 1) }, () => String.fromCharCode(this.below(256))).join('')
  }

  /** Words of a grammar in any order, now and then with noise between them. */
  soup(words: readonly string[], most: number, noise = 0.05): string {
    let text = ''
    for (let left = this.below(most + 1); left > 0; left--) text += this.chance(noise) ? this.bytes(3) : this.pick(words)
    return text
  }

  /** A valid text with a few faults. */
  spoil(text: string, words: readonly string[]): string {
    let spoiled = text
    for (let faults = this.below(4); faults > 0; faults--) {
      const at = this.below(spoiled.length + 1)
      const what = this.below(4)
      if (what === 0) spoiled = spoiled.slice(0, at) + this.pick(words) + spoiled.slice(at)
      else if (what === 1) spoiled = spoiled.slice(0, at) + spoiled.slice(at + 1 + this.below(4))
      else if (what === 2) spoiled = spoiled.slice(0, at) + String.fromCharCode(this.below(256)) + spoiled.slice(at + 1)
      else spoiled = spoiled.slice(0, at) + spoiled.slice(this.below(spoiled.length + 1), at + 20) + spoiled.slice(at)
    }
    return spoiled
  }

  /** The same bytes in pieces; one byte each, or few, or many. */
  pieces(bytes: Buffer): Buffer[] {
    const found: Buffer[] = []
    const size = this.pick([1, 2, 3, 7, 40, 1000])
    for (let at = 0; at < bytes.length;) {
      const length = 1 + this.below(size)
      found.push(bytes.subarray(at, at + length))
      at += length
    }
    return found
  }
}

/** Runs `body` over and over, each time with a generator of its own. */
export function fuzz(name: string, iterations: number, body: (random: Random) => void | Promise<void>): void {
  test(name, async (t) => {
    const until = seconds > 0 ? Date.now() + seconds * 1000 : Infinity
    const last = seconds > 0 ? Infinity : first + iterations
    let i = first
    for (; i < last && Date.now() < until; i++) {
      // A machine that stands still for a moment is no fault of the input: that would be slow again.
      if ((await once(body, i)) > MAX_STEP_MS && (await once(body, i)) > MAX_STEP_MS) {
        throw new Error(`one input took more than ${MAX_STEP_MS} ms, twice: POSTERN_FUZZ_SEED=${seed} POSTERN_FUZZ_START=${i}`)
      }
    }
    t.diagnostic(`${name}: seed ${seed}, ${i - first} iterations`)
  })
}

/** One iteration; returns how long it took, in milliseconds. */
async function once(body: (random: Random) => void | Promise<void>, i: number): Promise<number> {
  const began = performance.now()
  try {
    const work = body(new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(i + 1, 0x85ebca6b)))
    if (work !== undefined) await work
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    throw new Error(`${cause}\nagain with POSTERN_FUZZ_SEED=${seed} POSTERN_FUZZ_START=${i}`, { cause: error })
  }
  return performance.now() - began
}
