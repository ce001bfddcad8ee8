/**
 * Finds all literals of a set in one pass over a text, case aside.
 *
 * Characters are numbered: letters without case; all that are in no literal are
 * 0, and rare ones may share a number, which finds too much now and then but
 * never too little. Three numbers side by side say by one bit whether a literal
 * may begin there, with the two behind by others; what is left is compared with
 * the literals that begin so, which stand side by side in their order, so that
 * those that share what has failed are left out. All of it is small, to be near
 * the processor. Time is linear in the text, whatever stands in it: a literal
 * is at most `MAX_DEPTH` long. Of a longer one a part is looked for, its `stretchOf`.
 */
import { unicodeFold, variantsOf } from './fold.ts'
import { NumberTable } from './number-table.ts'
import { rarityOf } from './rarity.ts'

const CLASS_BITS = 8
const CLASSES = 1 << CLASS_BITS
/** Numbers that rare characters share. */
const SHARED = 64
/** Characters of a window; shorter literals are found by themselves. */
const WINDOW = 3
const WINDOW_MASK = (1 << (WINDOW * CLASS_BITS)) - 1
const PAIR_MASK = (1 << (2 * CLASS_BITS)) - 1
const HASH_BITS = 15
const TABLE_BYTES = 2 ** HASH_BITS / 4
export const MAX_DEPTH = 10
const LITERALS_A_STEP = 64

/** Is told which literal begins where; each as often as it is there. */
export type Found = (literal: number, at: number) => void

/** What a hash says of literals that begin so: one goes on; one ends here. */
const GOES_ON = 1
const ENDS = 2

export class LiteralIndex {
  readonly #classes = new Uint8Array(0x10000)
  /** for windows, for windows and the number behind, and for those and one more, by their hashes */
  readonly #first = new Uint8Array(TABLE_BYTES)
  readonly #second = new Uint8Array(TABLE_BYTES)
  readonly #third = new Uint8Array(TABLE_BYTES)
  /** of each number: literals of one character, and of two that end with it, by the number before */
  readonly #singles: (number[] | undefined)[] = new Array<undefined>(CLASSES).fill(undefined)
  readonly #pairs: (Map<number, number[]> | undefined)[] = new Array<undefined>(CLASSES).fill(undefined)
  /** which numbers end such a short one */
  readonly #endsShort = new Uint8Array(CLASSES)
  /** for a window: the first of the literals that begin with it */
  #windows = new NumberTable(0)
  /** of literals in their order: numbers of their characters, `MAX_DEPTH` each; length; how much of it the one before shares; which it is */
  #characters = new Uint8Array(0)
  #lengths = new Uint8Array(0)
  #shared = new Uint8Array(0)
  #literals = new Int32Array(0)

  /** Each is folded, not empty and at most `MAX_DEPTH` long. */
  static of(stretches: readonly string[]): LiteralIndex {
    const making = LiteralIndex.making(stretches)
    for (;;) {
      const step = making.next()
      if (step.done === true) return step.value
    }
  }

  /** The same, some literals a step. */
  static* making(stretches: readonly string[]): Generator<void, LiteralIndex> {
    const index = new LiteralIndex()
    index.#number(stretches)
    const long: { readonly numbers: string; readonly literal: number }[] = []
    for (const [literal, stretch] of stretches.entries()) {
      const numbers = index.#numbersOf(stretch)
      if (numbers.length < WINDOW) index.#addShort(numbers, literal)
      else long.push({ numbers, literal })
      if (literal % LITERALS_A_STEP === 0) yield
    }
    long.sort((a, b) => (a.numbers < b.numbers ? -1 : a.numbers > b.numbers ? 1 : 0))
    yield
    index.#reserve(long.length)
    for (const [place, { numbers, literal }] of long.entries()) {
      index.#add(place, numbers, literal)
      if (place % LITERALS_A_STEP === 0) yield
    }
    return index
  }

  /** Frequent characters have numbers of their own, the others share the rest. */
  #number(stretches: readonly string[]): void {
    const counts = new Map<number, number>()
    for (const stretch of stretches) for (let i = 0; i < stretch.length; i++) counts.set(stretch.charCodeAt(i), (counts.get(stretch.charCodeAt(i)) ?? 0) + 1)
    const units = [...counts].sort((a, b) => Number(a[0] > 0x7f) - Number(b[0] > 0x7f) || b[1] - a[1] || a[0] - b[0]).map(([unit]) => unit)
    const own = units.length < CLASSES ? units.length : CLASSES - 1 - SHARED
    const fold = unicodeFold()
    for (const [place, unit] of units.entries()) {
      const number = place < own ? place + 1 : own + 1 + (unit % SHARED)
      for (const variant of variantsOf(unit, fold)) this.#classes[variant] = number
    }
  }

  /** As characters, for they are compared. */
  #numbersOf(stretch: string): string {
    let numbers = ''
    for (let i = 0; i < stretch.length; i++) numbers += String.fromCharCode(this.#classes[stretch.charCodeAt(i)] as number)
    return numbers
  }

  #addShort(numbers: string, literal: number): void {
    const last = numbers.charCodeAt(numbers.length - 1)
    this.#endsShort[last] = 1
    if (numbers.length === 1) {
      (this.#singles[last] ??= []).push(literal)
      return
    }
    const pairs = (this.#pairs[last] ??= new Map<number, number[]>())
    const others = pairs.get(numbers.charCodeAt(0))
    if (others === undefined) pairs.set(numbers.charCodeAt(0), [literal])
    else others.push(literal)
  }

  #reserve(most: number): void {
    this.#windows = new NumberTable(most)
    this.#characters = new Uint8Array(most * MAX_DEPTH)
    this.#lengths = new Uint8Array(most)
    this.#shared = new Uint8Array(most)
    this.#literals = new Int32Array(most)
  }

  #add(place: number, numbers: string, literal: number): void {
    const begin = place * MAX_DEPTH
    for (let i = 0; i < numbers.length; i++) this.#characters[begin + i] = numbers.charCodeAt(i)
    this.#lengths[place] = numbers.length
    this.#literals[place] = literal
    let shared = 0
    while (place > 0 && shared < numbers.length && shared < (this.#lengths[place - 1] as number) && this.#characters[begin - MAX_DEPTH + shared] === numbers.charCodeAt(shared)) shared++
    this.#shared[place] = shared
    const window = (numbers.charCodeAt(0) << (2 * CLASS_BITS)) | (numbers.charCodeAt(1) << CLASS_BITS) | numbers.charCodeAt(2)
    if (shared < WINDOW) this.#windows.set(window, place)
    const length = numbers.length
    mark(this.#first, firstHash(window), length === WINDOW ? ENDS : GOES_ON)
    if (length > WINDOW) mark(this.#second, nextHash(window, numbers.charCodeAt(WINDOW)), length === WINDOW + 1 ? ENDS : GOES_ON)
    if (length > WINDOW + 1) mark(this.#third, nextHash(nextHash(window, numbers.charCodeAt(WINDOW)), numbers.charCodeAt(WINDOW + 1)), ENDS)
  }

  /** Units from `start` up to `end` are a text for themselves. */
  scan(units: Uint16Array, [start, end]: readonly [number, number], found: Found): void {
    const classes = this.#classes
    const first = this.#first
    const endsShort = this.#endsShort
    let window = 0
    for (let at = start; at < end; at++) {
      const number = classes[units[at] as number] as number
      window = ((window << CLASS_BITS) | number) & WINDOW_MASK
      const what = marked(first, firstHash(window))
      if (what !== 0 && (what >= ENDS || this.#goesOn(units, at + 1, window))) this.#compare(units, [at - WINDOW + 1, end, window], found)
      if (endsShort[number] === 1) this.#tellShort(window & PAIR_MASK, at, found)
    }
  }

  /** By what stands behind a window: may a literal that is longer begin with it? Where the text ends is for others to see. */
  #goesOn(units: Uint16Array, next: number, window: number): boolean {
    const hash = nextHash(window, this.#classes[units[next] ?? 0] as number)
    const what = marked(this.#second, hash)
    return what === GOES_ON ? marked(this.#third, nextHash(hash, this.#classes[units[next + 1] ?? 0] as number)) !== 0 : what !== 0
  }

  /** With all that begin with the window. */
  #compare(units: Uint16Array, [from, end, window]: readonly [number, number, number], found: Found): void {
    let place = this.#windows.get(window)
    if (place < 0) return
    const characters = this.#characters
    const classes = this.#classes
    const most = this.#lengths.length
    // So many characters are the same as those of the literal that was compared last.
    let same = WINDOW
    do {
      const length = this.#lengths[place] as number
      const begin = place * MAX_DEPTH
      const until = Math.min(length, end - from)
      while (same < until && characters[begin + same] === classes[units[from + same] as number]) same++
      if (same >= length) found(this.#literals[place] as number, from)
      place++
      // What shares more than is the same fails as this did.
      while (place < most && (this.#shared[place] as number) > same) place++
      // What shares less is behind all that could stand here.
    } while (place < most && this.#shared[place] === same)
  }

  #tellShort(pair: number, at: number, found: Found): void {
    const last = pair & (CLASSES - 1)
    tell(this.#singles[last], at, found)
    tell(this.#pairs[last]?.get(pair >> CLASS_BITS), at - 1, found)
  }
}

function tell(literals: readonly number[] | undefined, at: number, found: Found): void {
  if (literals !== undefined) for (const literal of literals) found(literal, at)
}

/** Two bits for each hash. */
function mark(table: Uint8Array, hash: number, what: number): void {
  table[hash >>> 2] = (table[hash >>> 2] as number) | (what << ((hash & 3) << 1))
}

function marked(table: Uint8Array, hash: number): number {
  return ((table[hash >>> 2] as number) >>> ((hash & 3) << 1)) & 3
}

function firstHash(window: number): number {
  return Math.imul(window, 0x9e3779b1) >>> (32 - HASH_BITS)
}

function nextHash(window: number, next: number): number {
  return Math.imul(Math.imul(window, 0x85ebca6b) + next + 1, 0x9e3779b1) >>> (32 - HASH_BITS)
}

/** The rarest part of a literal that the index can take, and where in the literal it begins. */
export function stretchOf(literal: string): { readonly stretch: string, readonly at: number } {
  if (literal.length <= MAX_DEPTH) return { stretch: literal, at: 0 }
  let best = { stretch: literal.slice(0, MAX_DEPTH), at: 0 }
  let least = rarityOf(best.stretch)
  for (let at = 1; at + MAX_DEPTH <= literal.length; at++) {
    const stretch = literal.slice(at, at + MAX_DEPTH)
    const rarity = rarityOf(stretch)
    if (rarity >= least) continue
    best = { stretch, at }
    least = rarity
  }
  return best
}
