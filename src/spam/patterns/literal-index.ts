/**
 * Finds all literals of a set in one pass over texts, case aside.
 *
 * Characters are numbered: letters without case; all that are in no literal are
 * 0, and rare ones may share a number, which finds too much now and then but
 * never too little. Of each literal one window is looked for (literal-windows.ts).
 * One bit for each window, by its hash, says that there is nothing at a place,
 * which is so at most places. What is asked at each place is small, to be near the
 * processor, and decides nothing: places that may have a window are noted, some
 * hundred of them, and then looked at. There the literals of the window are
 * compared, first by a number that some of them share and that is seldom there
 * (literal-records.ts). Time is linear in the text, whatever stands in it: what is
 * done at a place is bounded by the literals.
 */
import { IN_WORDS, unmarked } from './edges.ts'
import { unicodeFold, variantsOf } from './fold.ts'
import { addWindow, BEGINS_WORD, CLASS_BITS, EDGE_BITS, ENDS_WORD, HALF, HEAD, LENGTH_MASK, WORD_BYTES } from './literal-records.ts'
import type { Entry } from './literal-records.ts'
import { LONG, WINDOW, windowOf, Windows } from './literal-windows.ts'

/** Below the highest: no window is -1. */
const CLASSES = (1 << CLASS_BITS) - 1
/** Numbers that rare characters share. */
const SHARED = 64
const CLASS_MASK = (1 << CLASS_BITS) - 1
const TRIPLE_MASK = (1 << (3 * CLASS_BITS)) - 1
const PAIR_MASK = (1 << (2 * CLASS_BITS)) - 1
/** Which windows a pair of numbers ends. */
const ENDS_QUAD = 1
const ENDS_TRIPLE = 2
const IS_PAIR = 4
const ENDS_SINGLE = 8
/** Beside these: a window of six may end here. */
const IS_LONG = 16
const MULTIPLIER = 0x9e3779b1
/** For what of a window of six stands before the last four. */
const EARLIER = 0x85ebca77
/** Bits for each window, so that few places are taken for one that are none. */
const SPARSE = 32
const LEAST_HASH_BITS = 10
const MOST_HASH_BITS = 19
/** Windows of so many bits side by side have their literals side by side. */
const BUCKET_BITS = 4
const KNOWN = 2 ** 32
const LITERALS_A_STEP = 64
/** Places that are noted before they are looked at. */
const NOTED = 512
/** Of places that are noted: where, in which text, which windows end there, and what these are known by. Scans come one after another, never one within another. */
const ats = new Int32Array(NOTED)
const texts = new Int32Array(NOTED)
const whiches = new Uint8Array(NOTED)
const windows = new Int32Array(NOTED)
const keys = new Int32Array(NOTED)
const NOTHING: Text = { units: new Uint16Array(0), starts: [0] }

/** Units of texts one behind another, where each begins, and where the last ends. */
export interface Text {
  readonly units: Uint16Array
  readonly starts: readonly number[]
}

/** Some of the texts. */
export interface Texts {
  readonly first: number
  readonly behind: number
}

/** Is told which literal begins where, and in which text; each as often as it is there, text by text, the places of each in their order. */
export type Found = (literal: number, at: number, text: number) => void

/** Windows of one length: their hashes' bits, and where in the buckets theirs begin. */
interface Size {
  readonly shift: number
  readonly bits: Int32Array
  readonly first: number
}

const NO_SIZE: Size = { shift: 31, bits: new Int32Array(1), first: 0 }

export class LiteralIndex {
  readonly #classes = new Uint8Array(0x10000)
  /** of two numbers that stand side by side: which windows end with them? */
  readonly #ends = new Uint8Array(1 << (2 * CLASS_BITS))
  #longs = NO_SIZE
  #quads = NO_SIZE
  #triples = NO_SIZE
  #pairs = NO_SIZE
  #singles = NO_SIZE
  /** where the records of each bucket begin, and one more at the end */
  #buckets = new Int32Array(0)
  /** bucket by bucket the windows (literal-records.ts); and the same as bytes */
  #records = new Int32Array(0)
  #numbers = new Uint8Array(0)
  /** what is scanned, and who is told */
  #texts: Text = NOTHING
  #found: Found = () => undefined

  /** Each is folded, not empty, and may have marks (edges.ts). They are told by their places among them. */
  static of(literals: readonly string[]): LiteralIndex {
    const making = LiteralIndex.making(literals, literals.map((_, literal) => literal))
    for (;;) {
      const step = making.next()
      if (step.done === true) return step.value
    }
  }

  /** The same, some literals a step; each is told by what is given for it. */
  static* making(marked: readonly string[], names: readonly number[]): Generator<void, LiteralIndex> {
    const index = new LiteralIndex()
    const literals = marked.map(unmarked)
    index.#number(literals)
    const entries: Entry[] = []
    const chosen = new Windows()
    // Those with the fewest places have the first choice.
    const shortest = [...literals.keys()].sort((a, b) => (literals[a] as string).length - (literals[b] as string).length)
    for (const [count, literal] of shortest.entries()) {
      const text = literals[literal] as string
      entries.push({ name: names[literal] as number, marked: marked[literal] as string, numbers: index.#numbersOf(text), window: chosen.choose(text), size: windowOf(text) })
      if (count % LITERALS_A_STEP === 0) yield
    }
    yield* index.#fill(entries)
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

  *#fill(entries: readonly Entry[]): Generator<void, void> {
    this.#reserve(entries)
    /** by bucket, and what they are known by there */
    const entriesOf = new Map<number, Entry[]>()
    for (const [count, entry] of entries.entries()) {
      const { bucket, known } = this.#mark(entry)
      const key = bucket * KNOWN + (known >>> 0)
      const others = entriesOf.get(key)
      if (others === undefined) entriesOf.set(key, [entry])
      else others.push(entry)
      if (count % LITERALS_A_STEP === 0) yield
    }
    const words: number[] = []
    let filled = 0
    let count = 0
    for (const key of Float64Array.from(entriesOf.keys()).sort()) {
      const bucket = Math.floor(key / KNOWN)
      while (filled <= bucket) this.#buckets[filled++] = words.length
      const some = entriesOf.get(key) ?? []
      addWindow(words, key - bucket * KNOWN | 0, some)
      count += some.length
      if (count < LITERALS_A_STEP) continue
      count = 0
      yield
    }
    this.#buckets.fill(words.length, filled)
    this.#records = Int32Array.from(words)
    this.#numbers = new Uint8Array(this.#records.buffer)
  }

  #reserve(entries: readonly Entry[]): void {
    let first = 0
    const make = (size: number): Size => {
      const bits = hashBits(entries.reduce((count, entry) => count + Number(entry.size === size), 0))
      const made = { shift: 32 - bits, bits: new Int32Array(2 ** (bits - 5)), first }
      first += 2 ** (bits - BUCKET_BITS)
      return made
    }
    this.#longs = make(LONG)
    this.#quads = make(WINDOW)
    this.#triples = make(3)
    this.#pairs = make(2)
    this.#singles = make(1)
    this.#buckets = new Int32Array(first + 1)
  }

  /** Its bucket, and what its window is known by there. */
  #mark({ numbers, window, size }: Entry): { readonly bucket: number; readonly known: number } {
    const known = packed(numbers.slice(window, window + size).slice(-WINDOW))
    const ends = this.#ends
    const pair = known & PAIR_MASK
    switch (size) {
      case LONG: {
        const key = longKey(Math.imul(known, MULTIPLIER), packed(numbers.slice(window, window + LONG - WINDOW)))
        return { bucket: markBit(this.#longs, key), known: key }
      }
      case WINDOW:
        ends[pair] = (ends[pair] as number) | ENDS_QUAD
        return { bucket: markBit(this.#quads, Math.imul(known, MULTIPLIER)), known }
      case 3:
        ends[pair] = (ends[pair] as number) | ENDS_TRIPLE
        return { bucket: markBit(this.#triples, Math.imul(known << CLASS_BITS, MULTIPLIER)), known }
      case 2:
        ends[pair] = (ends[pair] as number) | IS_PAIR
        return { bucket: markBit(this.#pairs, Math.imul(known << (2 * CLASS_BITS), MULTIPLIER)), known }
      default:
        for (let before = known; before < ends.length; before += CLASS_MASK + 1) ends[before] = (ends[before] as number) | ENDS_SINGLE
        return { bucket: markBit(this.#singles, Math.imul(known << (3 * CLASS_BITS), MULTIPLIER)), known }
    }
  }

  /** Units of each text are for themselves. */
  scan(text: Text, { first, behind }: Texts, found: Found): void {
    this.#texts = text
    this.#found = found
    const { units, starts } = text
    const classes = this.#classes
    const ends = this.#ends
    const { bits: longs, shift: longShift } = this.#longs
    const { bits: quads, shift: quadShift } = this.#quads
    const { bits: triples, shift: tripleShift } = this.#triples
    let noted = 0
    for (let number = first; number < behind; number++) {
      const end = starts[number + 1] as number
      let window = 0
      let before = 0
      for (let at = starts[number] as number; at < end;) {
        for (const until = Math.min(end, at + NOTED - noted); at < until; at++) {
          // Its first two numbers stand two characters before the window's begin.
          const earlier = before
          before = window
          window = (window << CLASS_BITS) | (classes[units[at] as number] as number)
          const mixed = Math.imul(window, MULTIPLIER)
          const quad = mixed >>> quadShift
          const triple = Math.imul(window << CLASS_BITS, MULTIPLIER) >>> tripleShift
          const key = longKey(mixed, earlier >>> (2 * CLASS_BITS))
          const long = key >>> longShift
          const isThere = (((quads[quad >>> 5] as number) >>> (quad & 31)) & 1) | ((((triples[triple >>> 5] as number) >>> (triple & 31)) & 1) * ENDS_TRIPLE) | IS_PAIR | ENDS_SINGLE
          const which = ((ends[window & PAIR_MASK] as number) & isThere) | ((((longs[long >>> 5] as number) >>> (long & 31)) & 1) * IS_LONG)
          // Noted in any case, and counted if it is one: a branch that goes now this way and now that costs more.
          ats[noted] = at
          texts[noted] = number
          whiches[noted] = which
          windows[noted] = window
          keys[noted] = key
          noted += -which >>> 31
        }
        if (noted === NOTED) {
          this.#look(noted)
          noted = 0
        }
      }
    }
    this.#look(noted)
    // It is somebody's mail, and may be large.
    this.#texts = NOTHING
  }

  /** At the places that are noted. */
  #look(noted: number): void {
    const buckets = this.#buckets
    const records = this.#records
    const { shift: longShift } = this.#longs
    const { shift: quadShift, first: firstQuad } = this.#quads
    const { shift: tripleShift, first: firstTriple } = this.#triples
    const { shift: pairShift, first: firstPair } = this.#pairs
    const { shift: singleShift, first: firstSingle } = this.#singles
    for (let place = 0; place < noted; place++) {
      const window = windows[place] as number
      let which = whiches[place] as number
      while (which !== 0) {
        let bucket: number
        let size: number
        let known: number
        if ((which & IS_LONG) !== 0) {
          which &= ~IS_LONG
          size = LONG
          known = keys[place] as number
          bucket = known >>> longShift >>> BUCKET_BITS
        } else if ((which & ENDS_QUAD) !== 0) {
          which &= ~ENDS_QUAD
          size = WINDOW
          known = window
          bucket = firstQuad + (Math.imul(known, MULTIPLIER) >>> quadShift >>> BUCKET_BITS)
        } else if ((which & ENDS_TRIPLE) !== 0) {
          which &= ~ENDS_TRIPLE
          size = 3
          known = window & TRIPLE_MASK
          bucket = firstTriple + (Math.imul(known << CLASS_BITS, MULTIPLIER) >>> tripleShift >>> BUCKET_BITS)
        } else if ((which & IS_PAIR) !== 0) {
          which &= ~IS_PAIR
          size = 2
          known = window & PAIR_MASK
          bucket = firstPair + (Math.imul(known << (2 * CLASS_BITS), MULTIPLIER) >>> pairShift >>> BUCKET_BITS)
        } else {
          which = 0
          size = 1
          known = window & CLASS_MASK
          bucket = firstSingle + (Math.imul(known << (3 * CLASS_BITS), MULTIPLIER) >>> singleShift >>> BUCKET_BITS)
        }
        const until = buckets[bucket + 1] as number
        let record = buckets[bucket] as number
        while (record < until && records[record] !== known) record = records[record + 1] as number
        if (record < until) this.#compare(place, record, size)
      }
    }
  }

  /** With all literals of its window. */
  #compare(place: number, window: number, size: number): void {
    const records = this.#records
    const found = this.#found
    const at = ats[place] as number
    const text = texts[place] as number
    const { units, starts } = this.#texts
    const start = starts[text] as number
    const end = starts[text + 1] as number
    const classes = this.#classes
    const numbers = this.#numbers
    const behindAll = records[window + 1] as number
    for (let check = window + HEAD; check < behindAll;) {
      const asked = records[check] as number
      const behind = records[check + 1] as number
      const looked = at + (asked >> CLASS_BITS)
      if (looked >= start && looked < end && classes[units[looked] as number] === (asked & CLASS_MASK)) {
        for (let literal = check + HEAD; literal < behind;) {
          const sizes = records[literal] as number
          const length = sizes & LENGTH_MASK
          const rest = length - size
          const begin = at - (sizes >>> HALF)
          const bytes = (literal + HEAD) * WORD_BYTES
          literal += HEAD + ((rest + WORD_BYTES - 1) >>> 2)
          if (begin < start || begin + length > end) continue
          // All that is not in the window, before it and behind it.
          const before = at + 1 - size - begin
          let same = 0
          while (same < before && numbers[bytes + same] === classes[units[begin + same] as number]) same++
          if (same < before) continue
          while (same < rest && numbers[bytes + same] === classes[units[begin + size + same] as number]) same++
          if (same < rest) continue
          const name = records[(bytes >>> 2) - 1] as number
          // No part of a longer word, where it must not be.
          if ((name & BEGINS_WORD) !== 0 && begin > start && IN_WORDS[units[begin - 1] as number] === 1) continue
          if ((name & ENDS_WORD) !== 0 && begin + length < end && IN_WORDS[units[begin + length] as number] === 1) continue
          found(name >> EDGE_BITS, begin, text)
        }
      }
      check = behind
    }
  }
}

function packed(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => (all << CLASS_BITS) | number, 0)
}

/** What windows of six are known by; others may share it. */
function longKey(mixed: number, earlier: number): number {
  return (mixed + Math.imul(earlier, EARLIER)) | 0
}

/** Its bucket. */
function markBit({ shift, bits, first }: Size, hash: number): number {
  const bit = hash >>> shift
  bits[bit >>> 5] = (bits[bit >>> 5] as number) | (1 << (bit & 31))
  return first + (bit >>> BUCKET_BITS)
}

function hashBits(windows: number): number {
  return Math.min(MOST_HASH_BITS, Math.max(LEAST_HASH_BITS, Math.ceil(Math.log2(windows * SPARSE + 1))))
}
