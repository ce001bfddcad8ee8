/**
 * Finds all literals of a set in one pass over a text, case aside.
 *
 * Characters are numbered: letters without case; all that are in no literal are
 * 0, and rare ones may share a number, which finds too much now and then but
 * never too little. Of each literal one window of six numbers is looked for, or
 * of four where it is shorter, the one that mail has least; literals share windows
 * where that is as good. One bit for each window, by its hash, says that there is
 * nothing at a place, which is so at most places; otherwise the literals of the
 * window are compared one by one, first by a number of each that is seldom there. What is asked at each place
 * is small, to be near the processor. Literals that are shorter are windows as
 * they are, and have bits of their own. Time is linear in the text, whatever stands
 * in it: what is done at a place is bounded by the literals.
 */
import { beginsAtEdge, endsAtEdge, IN_WORDS, unmarked } from './edges.ts'
import { unicodeFold, variantsOf } from './fold.ts'
import { likelihoodOf } from './letter-pairs.ts'

const CLASS_BITS = 8
/** Below the highest: no window is -1. */
const CLASSES = (1 << CLASS_BITS) - 1
/** Numbers that rare characters share. */
const SHARED = 64
/** Characters of a window: of literals that have as many, and of those that have not. */
const LONG = 6
const WINDOW = 4
const TRIPLE_MASK = (1 << (3 * CLASS_BITS)) - 1
/** What a pair of numbers ends. */
const ENDS_QUAD = 1
const ENDS_TRIPLE = 2
const ENDS_SHORTER = 4
/** Beside these: a window of six may end here. */
const IS_LONG = 8
const PAIR_MASK = (1 << (2 * CLASS_BITS)) - 1
const CLASS_MASK = (1 << CLASS_BITS) - 1
const MULTIPLIER = 0x9e3779b1
/** For what of a window of six stands before the last four. */
const EARLIER = 0x85ebca77
/** Bits for each window, so that few places are taken for one that are none. */
const SPARSE = 32
const LEAST_HASH_BITS = 10
const MOST_HASH_BITS = 19
/** A window that has none yet costs so much more than one more literal in a window that has. */
const NEW_WINDOW = 3
/** How far from a window a number may stand by which a literal is told from others. */
const MOST_AWAY = 100
const HALF = 2 * CLASS_BITS
const LAST = 1 << HALF
const LITERALS_A_STEP = 64
const BEGINS_WORD = LAST << 1
const ENDS_WORD = LAST << 2
/** Numbers of a record, and of a slot. */
const RECORD = 4
const SLOT = 2
const LENGTH_MASK = (1 << HALF) - 1
const NOTHING = new Uint16Array(0)

/** Is told which literal begins where; each as often as it is there, the places of each in their order. */
export type Found = (literal: number, at: number) => void

export class LiteralIndex {
  readonly #classes = new Uint8Array(0x10000)
  /** of two numbers that stand side by side: do windows of four, of three, or shorter ones end with them? */
  readonly #ends = new Uint8Array(1 << (2 * CLASS_BITS))
  /** a bit for each window of six, of four and of three by its hash */
  #longs = new Uint32Array(1)
  #longShift = 31
  #quads = new Uint32Array(1)
  #quadShift = 31
  #triples = new Uint32Array(1)
  #tripleShift = 31
  /** windows by their hashes, 0 where there is none, and where in the records the first of theirs is; it is the last of them that says so */
  #slots = new Int32Array(SLOT)
  #mask = 0
  /**
   * One for each literal, side by side: the number that it is told from others by, how
   * far behind the window's last character that stands, its edges, and whether it is
   * the last of the window; how far before that character it begins, and its length;
   * where its numbers stand; which it is.
   */
  #records = new Int32Array(0)
  #numbers = new Uint8Array(0)
  /** what is scanned */
  #units: Uint16Array = NOTHING
  #start = 0
  #end = 0

  /** Each is folded, not empty, and may have marks (edges.ts). */
  static of(literals: readonly string[]): LiteralIndex {
    const making = LiteralIndex.making(literals)
    for (;;) {
      const step = making.next()
      if (step.done === true) return step.value
    }
  }

  /** The same, some literals a step. */
  static* making(marked: readonly string[]): Generator<void, LiteralIndex> {
    const index = new LiteralIndex()
    const literals = marked.map(unmarked)
    index.#number(literals)
    const windows = new Map<number, Entry[]>()
    const chosen = new Windows()
    // Those with the fewest places have the first choice.
    const shortest = [...literals.keys()].sort((a, b) => (literals[a] as string).length - (literals[b] as string).length)
    for (const [count, literal] of shortest.entries()) {
      const text = literals[literal] as string
      const at = chosen.choose(text)
      const numbers = index.#numbersOf(text)
      const size = Math.min(windowOf(text), text.length)
      const window = keyOf(numbers.slice(at, at + size))
      const edges = (beginsAtEdge(marked[literal] as string) ? BEGINS_WORD : 0) | (endsAtEdge(marked[literal] as string) ? ENDS_WORD : 0)
      const entry = { literal, numbers, before: at + size - 1, edges }
      const others = windows.get(window)
      if (others === undefined) windows.set(window, [entry])
      else others.push(entry)
      if (count % LITERALS_A_STEP === 0) yield
    }
    yield* index.#fill(literals, windows)
    return index
  }

  /** Frequent characters have numbers of their own, the others share the rest. */
  #number(literals: readonly string[]): void {
    const counts = new Map<number, number>()
    for (const literal of literals) for (let i = 0; i < literal.length; i++) counts.set(literal.charCodeAt(i), (counts.get(literal.charCodeAt(i)) ?? 0) + 1)
    const units = [...counts].sort((a, b) => Number(a[0] > 0x7f) - Number(b[0] > 0x7f) || b[1] - a[1] || a[0] - b[0]).map(([unit]) => unit)
    const own = units.length < CLASSES ? units.length : CLASSES - 1 - SHARED
    const fold = unicodeFold()
    for (const [place, unit] of units.entries()) {
      const number = place < own ? place + 1 : own + 1 + (unit % SHARED)
      for (const variant of variantsOf(unit, fold)) this.#classes[variant] = number
    }
  }

  #numbersOf(literal: string): readonly number[] {
    return Array.from({ length: literal.length }, (_, i) => this.#classes[literal.charCodeAt(i)] as number)
  }

  *#fill(literals: readonly string[], windows: ReadonlyMap<number, readonly Entry[]>): Generator<void, void> {
    const entries = [...windows.values()].flat()
    this.#reserve([...windows.keys()], entries)
    let place = 0
    let begin = 0
    for (const [window, some] of windows) {
      this.#setFirst(window, place)
      for (const { literal, numbers, before, edges } of some) {
        this.#mark(window, numbers.length)
        this.#records.set([checkOf(literals[literal] as string, numbers, before) | edges, (before << HALF) | numbers.length, begin, literal], place * RECORD)
        this.#numbers.set(numbers, begin)
        begin += numbers.length
        if (place % LITERALS_A_STEP === 0) yield
        place++
      }
      const last = (place - 1) * RECORD
      this.#records[last] = (this.#records[last] as number) | LAST
    }
  }

  #reserve(windows: readonly number[], entries: readonly Entry[]): void {
    const count = (least: number, most: number): number => entries.filter(({ numbers: { length } }) => length >= least && length <= most).length
    this.#longShift = 32 - hashBits(count(LONG, Infinity))
    this.#quadShift = 32 - hashBits(count(WINDOW, LONG - 1))
    this.#tripleShift = 32 - hashBits(count(WINDOW - 1, WINDOW - 1))
    this.#longs = new Uint32Array(2 ** (32 - this.#longShift - 5))
    this.#quads = new Uint32Array(2 ** (32 - this.#quadShift - 5))
    this.#triples = new Uint32Array(2 ** (32 - this.#tripleShift - 5))
    let size = 16
    while (size < windows.length * 2) size *= 2
    this.#mask = size - 1
    this.#slots = new Int32Array(size * SLOT)
    this.#records = new Int32Array(entries.length * RECORD)
    this.#numbers = new Uint8Array(entries.reduce((sum, { numbers }) => sum + numbers.length, 0))
  }

  #mark(window: number, length: number): void {
    const pair = window & PAIR_MASK
    if (length >= LONG) markBit(this.#longs, window >>> this.#longShift)
    else if (length >= WINDOW) {
      markBit(this.#quads, Math.imul(window, MULTIPLIER) >>> this.#quadShift)
      this.#ends[pair] = (this.#ends[pair] as number) | ENDS_QUAD
    } else if (length === WINDOW - 1) {
      markBit(this.#triples, Math.imul(window << CLASS_BITS, MULTIPLIER) >>> this.#tripleShift)
      this.#ends[pair] = (this.#ends[pair] as number) | ENDS_TRIPLE
    } else if (length === 2) this.#ends[pair] = (this.#ends[pair] as number) | ENDS_SHORTER
    else for (let before = window; before < this.#ends.length; before += CLASS_MASK + 1) this.#ends[before] = (this.#ends[before] as number) | ENDS_SHORTER
  }

  #setFirst(window: number, place: number): void {
    let slot = slotOf(window) & this.#mask
    while (this.#slots[slot * SLOT] !== 0) slot = (slot + 1) & this.#mask
    this.#slots[slot * SLOT] = window
    this.#slots[slot * SLOT + 1] = place * RECORD
  }

  /** Units from `start` up to `end` are a text for themselves. */
  scan(units: Uint16Array, [start, end]: readonly [number, number], found: Found): void {
    this.#units = units
    this.#start = start
    this.#end = end
    const classes = this.#classes
    const longs = this.#longs
    const longShift = this.#longShift
    const quads = this.#quads
    const quadShift = this.#quadShift
    const triples = this.#triples
    const tripleShift = this.#tripleShift
    const ends = this.#ends
    let window = 0
    let before = 0
    for (let at = start; at < end; at++) {
      // Its first two numbers stand two characters before the window's begin.
      const earlier = before
      before = window
      window = (window << CLASS_BITS) | (classes[units[at] as number] as number)
      const mixed = Math.imul(window, MULTIPLIER)
      const quad = mixed >>> quadShift
      const key = (mixed + Math.imul(earlier >>> (2 * CLASS_BITS), EARLIER)) | 1
      const long = key >>> longShift
      // Most places have none. That is asked in one go: a branch that goes now this way and now that costs more than a look.
      const which = ((ends[window & PAIR_MASK] as number) & (((quads[quad >>> 5] as number) >>> (quad & 31)) | ~ENDS_QUAD)) | ((((longs[long >>> 5] as number) >>> (long & 31)) & 1) * IS_LONG)
      if (which === 0) continue
      if ((which & IS_LONG) !== 0) this.#compare(key, at, found)
      if ((which & ENDS_QUAD) !== 0 && window >>> (3 * CLASS_BITS) !== 0) this.#compare(window, at, found)
      if ((which & (ENDS_TRIPLE | ENDS_SHORTER)) === 0) continue
      const triple = Math.imul(window << CLASS_BITS, MULTIPLIER) >>> tripleShift
      if ((which & ENDS_SHORTER) !== 0 || ((triples[triple >>> 5] as number) & 1 << (triple & 31)) !== 0) this.#short(window, at, found)
    }
    // It is somebody's mail, and may be large.
    this.#units = NOTHING
  }

  /** Windows that begin with nothing known are shorter ones. */
  #short(window: number, at: number, found: Found): void {
    const triple = window & TRIPLE_MASK
    const pair = window & PAIR_MASK
    if (triple > PAIR_MASK) this.#compare(triple, at, found)
    if (pair > CLASS_MASK) this.#compare(pair, at, found)
    this.#compare(window & CLASS_MASK, at, found)
  }

  /** With all that have this window, whose last character stands at a place. */
  #compare(window: number, at: number, found: Found): void {
    const slots = this.#slots
    let slot = slotOf(window) & this.#mask
    while (slots[slot * SLOT] !== window) {
      if (slots[slot * SLOT] === 0) return
      slot = (slot + 1) & this.#mask
    }
    const classes = this.#classes
    const records = this.#records
    const units = this.#units
    const start = this.#start
    const end = this.#end
    for (let record = slots[slot * SLOT + 1] as number; ; record += RECORD) {
      const check = records[record] as number
      const looked = at + ((check << HALF) >> (HALF + CLASS_BITS))
      if (looked >= start && looked < end && classes[units[looked] as number] === (check & CLASS_MASK)) {
        const from = at - ((records[record + 1] as number) >>> HALF)
        if (this.#isAt(record, from)) found(records[record + 3] as number, from)
      }
      if ((check & LAST) !== 0) return
    }
  }

  #isAt(record: number, from: number): boolean {
    const units = this.#units
    const edges = this.#records[record] as number
    const length = (this.#records[record + 1] as number) & LENGTH_MASK
    const behind = from + length
    if (from < this.#start || behind > this.#end) return false
    // No part of a longer word, where it must not be.
    if ((edges & BEGINS_WORD) !== 0 && from > this.#start && IN_WORDS[units[from - 1] as number] === 1) return false
    if ((edges & ENDS_WORD) !== 0 && behind < this.#end && IN_WORDS[units[behind] as number] === 1) return false
    const classes = this.#classes
    const numbers = this.#numbers
    const begin = this.#records[record + 2] as number
    for (let i = 0; i < length; i++) if (numbers[begin + i] !== classes[units[from + i] as number]) return false
    return true
  }
}

interface Entry {
  readonly literal: number
  readonly numbers: readonly number[]
  readonly before: number
  readonly edges: number
}

/** Which windows are looked for, and how likely each of them is. */
class Windows {
  readonly #likely = new Map<string, number>()
  readonly #used = new Set<string>()

  /** Where the window begins that costs least. */
  choose(literal: string): number {
    let best = 0
    let least = Infinity
    const size = windowOf(literal)
    for (let at = 0; at + size <= literal.length; at++) {
      const cost = this.#costOf(literal.slice(at, at + size))
      if (cost >= least) continue
      best = at
      least = cost
    }
    this.#used.add(literal.slice(best, best + size))
    return best
  }

  #costOf(window: string): number {
    let likely = this.#likely.get(window)
    if (likely === undefined) this.#likely.set(window, likely = likelihoodOf(window))
    return this.#used.has(window) ? likely : likely * (1 + NEW_WINDOW)
  }
}

/** The rarest character that is not in the window, the farthest of them: what stands near is what often stands there. */
function checkOf(literal: string, numbers: readonly number[], before: number): number {
  let best = before
  let least = Infinity
  const size = windowOf(literal)
  for (let at = 0; at < numbers.length; at++) {
    if (at <= before && at > before - size) continue
    const likely = likelihoodOf(literal.charAt(at)) / Math.abs(at - before)
    if (likely >= least || Math.abs(at - before) > MOST_AWAY) continue
    best = at
    least = likely
  }
  return (((best - before) & CLASS_MASK) << CLASS_BITS) | (numbers[best] as number)
}

/** How many characters of it are looked for. */
function windowOf(literal: string): number {
  return literal.length >= LONG ? LONG : WINDOW
}

/** What windows are known by: shorter ones are what they are, long ones may share it. Never 0. */
function keyOf(numbers: readonly number[]): number {
  const window = numbers.slice(-WINDOW).reduce((all, number) => (all << CLASS_BITS) | number, 0)
  if (numbers.length < LONG) return window
  const [first = 0, second = 0] = numbers
  return (Math.imul(window, MULTIPLIER) + Math.imul((first << CLASS_BITS) | second, EARLIER)) | 1
}

function markBit(bits: Uint32Array, bit: number): void {
  bits[bit >>> 5] = (bits[bit >>> 5] as number) | (1 << (bit & 31))
}

function hashBits(windows: number): number {
  return Math.min(MOST_HASH_BITS, Math.max(LEAST_HASH_BITS, Math.ceil(Math.log2(windows * SPARSE + 1))))
}

function slotOf(window: number): number {
  const mixed = Math.imul(window, 0x85ebca6b)
  return mixed ^ (mixed >>> 15)
}
