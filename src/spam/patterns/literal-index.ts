/**
 * Finds all literals of a set in one pass over a text, case aside.
 *
 * Characters are numbered: 1 to 63, letters without case; all that are in no
 * literal are 0, and rare ones may share a number, which finds too much now and
 * then but never too little. Four numbers side by side say by one bit whether a
 * literal may begin there, and with the next one by another; if so, a tree of
 * the literals is followed from there, at most `MAX_DEPTH` characters deep. So
 * time is linear in the text, whatever stands in it. Of a long literal a part is looked for, its `stretchOf`.
 */
import { unicodeFold, variantsOf } from './fold.ts'
import { NumberTable } from './number-table.ts'
import { rarityOf } from './rarity.ts'

const CLASS_BITS = 6
const CLASSES = 1 << CLASS_BITS
/** Characters of a window, and of a literal that is found by the two it begins with. */
const WINDOW = 4
const SHORT = 2
const WINDOW_MASK = (1 << (WINDOW * CLASS_BITS)) - 1
const SHORT_SHIFT = (WINDOW - SHORT) * CLASS_BITS
const HASH_BITS = 18
const LITERALS_A_STEP = 100
export const MAX_DEPTH = 10

/** Is told which literal begins where; each as often as it is there. */
export type Found = (literal: number, at: number) => void

/** What begins with a window: literals that end within it, and the place in the tree for those that go on. */
interface Begin {
  readonly ended: number[]
  node: number
}

interface Literal {
  readonly number: number
  readonly length: number
  readonly window: number
}

export class LiteralIndex {
  readonly #classes = new Uint8Array(0x10000)
  /** for windows, by their hash: something may begin with it */
  readonly #bits = new Uint32Array(2 ** HASH_BITS / 32)
  /** for windows and the number behind */
  readonly #longerBits = new Uint32Array(2 ** HASH_BITS / 32)
  readonly #windows: NumberTable
  readonly #begins: Begin[] = []
  /** for the first two of a window: literals as short as that; undefined: there are none in the set */
  readonly #short: (readonly number[] | undefined)[] | undefined
  /** for (node, class): the node behind */
  readonly #tree: NumberTable
  readonly #ends: (number[] | undefined)[] = []

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
    const index = new LiteralIndex(stretches)
    for (const [number, stretch] of stretches.entries()) {
      if (stretch.length > SHORT) index.#add(number, stretch)
      if (number % LITERALS_A_STEP === 0) yield
    }
    return index
  }

  private constructor(stretches: readonly string[]) {
    this.#number(stretches)
    let [windows, nodes] = [0, 0]
    const short: Literal[] = []
    for (const [number, stretch] of stretches.entries()) {
      if (stretch.length <= SHORT) short.push({ number, length: stretch.length, window: this.#windowOf(stretch) })
      else if (stretch.length < WINDOW) windows += CLASSES
      else {
        windows++
        nodes += stretch.length - WINDOW
      }
    }
    this.#short = shortOnes(short)
    this.#windows = new NumberTable(windows)
    this.#tree = new NumberTable(nodes)
  }

  /** As far as the stretch goes; what is missing is 0. */
  #windowOf(stretch: string): number {
    let window = 0
    for (let i = 0; i < WINDOW; i++) window = (window << CLASS_BITS) | (i < stretch.length ? this.#classes[stretch.charCodeAt(i)] as number : 0)
    return window
  }

  /** Frequent characters have numbers of their own, the others share the rest. */
  #number(stretches: readonly string[]): void {
    const counts = new Map<number, number>()
    for (const stretch of stretches) for (let i = 0; i < stretch.length; i++) counts.set(stretch.charCodeAt(i), (counts.get(stretch.charCodeAt(i)) ?? 0) + 1)
    const units = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([unit]) => unit)
    const own = units.length < CLASSES ? units.length : CLASSES - 8
    const fold = unicodeFold()
    for (const [place, unit] of units.entries()) {
      const number = place < own ? place + 1 : own + 1 + (unit % (CLASSES - 1 - own))
      for (const variant of variantsOf(unit, fold)) this.#classes[variant] = number
    }
  }

  #add(number: number, stretch: string): void {
    const window = this.#windowOf(stretch)
    if (stretch.length < WINDOW) {
      // Whatever stands behind it.
      for (let last = 0; last < CLASSES; last++) this.#end(window | last, number)
      return
    }
    if (stretch.length === WINDOW) {
      this.#end(window, number)
      return
    }
    const begin = this.#begin(window)
    set(this.#longerBits, longerHashOf(window, this.#classes[stretch.charCodeAt(WINDOW)] as number))
    if (begin.node < 0) begin.node = this.#ends.push(undefined) - 1
    let { node } = begin
    for (let at = WINDOW; at < stretch.length; at++) {
      const one = this.#classes[stretch.charCodeAt(at)] as number
      const known = this.#tree.get((node << CLASS_BITS) | one)
      if (known < 0) this.#tree.set((node << CLASS_BITS) | one, this.#ends.push(undefined) - 1)
      node = known < 0 ? this.#ends.length - 1 : known
    }
    const ends = this.#ends[node]
    if (ends === undefined) this.#ends[node] = [number]
    else ends.push(number)
  }

  #end(window: number, literal: number): void {
    this.#begin(window).ended.push(literal)
    // The hashes of all that may stand next are neighbours.
    const word = longerHashOf(window, 0) >> 6 << 1
    this.#longerBits[word] = -1
    this.#longerBits[word + 1] = -1
  }

  #begin(window: number): Begin {
    const known = this.#begins[this.#windows.get(window)]
    if (known !== undefined) return known
    const begin: Begin = { ended: [], node: -1 }
    this.#windows.set(window, this.#begins.push(begin) - 1)
    set(this.#bits, hashOf(window))
    return begin
  }

  /** Units from `start` up to `end` are a text for themselves. */
  scan(units: Uint16Array, [start, end]: readonly [number, number], found: Found): void {
    const classes = this.#classes
    const bits = this.#bits
    const longer = this.#longerBits
    const short = this.#short
    let window = 0
    for (let at = start; at < end; at++) {
      window = ((window << CLASS_BITS) | (classes[units[at] as number] as number)) & WINDOW_MASK
      if (has(bits, hashOf(window)) && has(longer, longerHashOf(window, at + 1 < end ? classes[units[at + 1] as number] as number : 0))) this.#follow(units, [at - WINDOW + 1, end, window], found)
      if (short?.[window >> SHORT_SHIFT] !== undefined) tell(short[window >> SHORT_SHIFT], at - WINDOW + 1, found)
    }
    // Behind the end stands nothing.
    for (let at = end; at < end + WINDOW - 1; at++) {
      window = (window << CLASS_BITS) & WINDOW_MASK
      if (has(bits, hashOf(window))) this.#follow(units, [at - WINDOW + 1, end, window], found)
      tell(short?.[window >> SHORT_SHIFT], at - WINDOW + 1, found)
    }
  }

  #follow(units: Uint16Array, [from, end, window]: readonly [number, number, number], found: Found): void {
    const begin = this.#begins[this.#windows.get(window)]
    if (begin === undefined) return
    tell(begin.ended, from, found)
    let { node } = begin
    for (let at = from + WINDOW; node >= 0 && at < end; at++) {
      node = this.#tree.get((node << CLASS_BITS) | (this.#classes[units[at] as number] as number))
      if (node >= 0) tell(this.#ends[node], from, found)
    }
  }
}

function tell(literals: readonly number[] | undefined, at: number, found: Found): void {
  if (literals !== undefined) for (const literal of literals) found(literal, at)
}

function set(bits: Uint32Array, bit: number): void {
  bits[bit >> 5] = (bits[bit >> 5] as number) | (1 << (bit & 31))
}

function has(bits: Uint32Array, bit: number): boolean {
  return ((bits[bit >> 5] as number) >>> (bit & 31) & 1) === 1
}

function longerHashOf(window: number, next: number): number {
  return (Math.imul(window, 0x85ebca6b) >>> (32 - HASH_BITS)) ^ next
}

function hashOf(window: number): number {
  return Math.imul(window, 0x9e3779b1) >>> (32 - HASH_BITS)
}

function shortOnes(literals: readonly Literal[]): (readonly number[] | undefined)[] | undefined {
  if (literals.length === 0) return undefined
  const table: (number[] | undefined)[] = Array.from({ length: CLASSES ** SHORT }, () => undefined)
  for (const { number, length, window } of literals) {
    const from = window >> SHORT_SHIFT
    for (let pair = from; pair < from + (length < SHORT ? CLASSES : 1); pair++) {
      const others = table[pair]
      if (others === undefined) table[pair] = [number]
      else others.push(number)
    }
  }
  return table
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
