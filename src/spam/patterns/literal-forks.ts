/**
 * Tells the literals of one window apart: by which other character of them most
 * need not be compared. Some hundred may share a window (`website`, `web site is`),
 * and hardly two of them stand at one place.
 */
import type { Entry } from './literal-records.ts'

export interface Fork {
  /** how far behind the window's last character the one stands that is asked for */
  readonly asks: number
  /** by its number */
  readonly having: ReadonlyMap<number, readonly Entry[]>
  /** those that end before it, or begin behind */
  readonly others: readonly Entry[]
}

/** What stands farther from the window is not asked for. */
const MOST_AWAY = 32
/** Of many literals so many say well enough where they differ. */
const SAMPLED = 256
/** To ask costs as much as to compare so many. */
const ASKED = 1.5
/** Where a text has a window, the next character is one of those that the literals have, about so often. */
const LIKELY = 0.7

/** Undefined: it is as well to compare them one by one. What was asked before tells nothing new. */
export function forkOf(entries: readonly Entry[], asked: readonly number[]): Fork | undefined {
  if (entries.length <= ASKED) return undefined
  let asks: number | undefined
  let most = ASKED
  for (const [place, numbers] of byPlace(sampleOf(entries))) {
    if (asked.includes(place)) continue
    const spared = sparedBy(numbers)
    if (spared < most || (spared === most && (asks === undefined || Math.abs(place) >= Math.abs(asks)))) continue
    asks = place
    most = spared
  }
  return asks === undefined ? undefined : forkAt(entries, asks)
}

function sampleOf(entries: readonly Entry[]): readonly Entry[] {
  const step = Math.ceil(entries.length / SAMPLED)
  return step === 1 ? entries : entries.filter((_, at) => at % step === 0)
}

/** How many need not be compared, about, where they have these numbers at one place. */
function sparedBy(numbers: ReadonlyMap<number, number>): number {
  let all = 0
  let squares = 0
  for (const count of numbers.values()) {
    all += count
    squares += count * count
  }
  return all - (LIKELY * squares) / all
}

/** The characters beside the window by where they stand, and how many have which. */
function byPlace(entries: readonly Entry[]): Map<number, Map<number, number>> {
  const found = new Map<number, Map<number, number>>()
  for (const { numbers, window, size } of entries) {
    const last = window + size - 1
    const behind = Math.min(numbers.length, last + MOST_AWAY)
    for (let at = Math.max(0, last - MOST_AWAY); at < behind; at++) {
      if (at >= window && at <= last) continue
      let counts = found.get(at - last)
      if (counts === undefined) found.set(at - last, counts = new Map<number, number>())
      const number = numbers[at] as number
      counts.set(number, (counts.get(number) ?? 0) + 1)
    }
  }
  return found
}

function forkAt(entries: readonly Entry[], asks: number): Fork {
  const having = new Map<number, Entry[]>()
  const others: Entry[] = []
  for (const entry of entries) {
    const number = entry.numbers[entry.window + entry.size - 1 + asks]
    if (number === undefined) {
      others.push(entry)
      continue
    }
    const same = having.get(number)
    if (same === undefined) having.set(number, [entry])
    else same.push(entry)
  }
  return { asks, having, others }
}
