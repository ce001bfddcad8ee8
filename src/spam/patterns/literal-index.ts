/**
 * Finds all literals of a set in one pass over texts, case aside.
 *
 * Characters are numbered: letters without case; all that are in no literal are
 * 0, and rare ones may share a number, which finds too much now and then but
 * never too little. Of each literal one window is looked for (literal-windows.ts).
 * One bit for each window, by its hash, says that there is nothing at a place,
 * which is so at most places. What is asked at each place is small, to be near the
 * processor, and decides nothing: places that may have a window are noted, some
 * hundred of them, and then looked at. First it is seen which windows these may be;
 * then what is told of each is read once, as all that is far away is waited for
 * together in this way; then the literals of the window are compared, those that
 * are left when one character after another was asked for (literal-forks.ts).
 * Time is linear in the text, whatever stands in it: what is done at a place is
 * bounded by the literals. Where time is spent, constants of modules are written as
 * numbers beside their names: a name is looked up each time.
 */
import { IN_WORDS, unmarked } from './edges.ts'
import { unicodeFold, variantsOf } from './fold.ts'
import { addWindow, CLASS_BITS } from './literal-records.ts'
import type { ASKS_FROM, ASKS_MASK, BEGINS_WORD, CASE, EDGE_BITS, ENDS_WORD, Entry, HALF, HEAD, KNOWN_MASK, KNOWS, LENGTH_MASK, WORD_BYTES } from './literal-records.ts'
import { LONG, WINDOW, windowOf, Windows } from './literal-windows.ts'
import { behindBuckets, BUCKET_BITS, hashed, markBit, NO_WINDOWS } from './window-hashes.ts'

/** Below the highest: no window is -1. */
const CLASSES = (1 << CLASS_BITS) - 1
/** Numbers that rare characters share. */
const SHARED = 64
const CLASS_MASK = 0xff
const PAIR_MASK = 0xffff
const MULTIPLIER = 0x9e3779b1
/** For what of a window of six stands before the last four. */
const EARLIER = 0x85ebca77
/** So few literals have few pairs at their windows' ends: these are asked alone. */
const FEW_LITERALS = 2500
const KNOWN = 2 ** 32
const LITERALS_A_STEP = 64
/** Places that are noted before they are looked at. */
const NOTED = 512
/** Where they are. Scans come one after another, never one within another. */
const places = new Int32Array(NOTED)
/** Of a window that may be there: where its last character is, its length, what it is known by, its bucket and then where the records of that begin and end, and what the first is known by; at most so many at a place. */
const HIT = 6
const hits = new Int32Array(NOTED * HIT * 5)
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

export class LiteralIndex {
  readonly #classes = new Uint8Array(0x10000)
  /** of two numbers that stand side by side: which windows end with them? One bit for each length: that of one is 1, that of six is 32 */
  readonly #ends = new Uint8Array(1 << (2 * CLASS_BITS))
  /** windows of six, and the others */
  #longs = NO_WINDOWS
  #shorts = NO_WINDOWS
  /** where the records of each bucket begin, and one more at the end */
  #buckets = new Int32Array(0)
  /** bucket by bucket the windows (literal-records.ts); and the same as bytes */
  #records = new Int32Array(0)
  #numbers = new Uint8Array(0)
  #isSmall = false
  /** of a small one the last four numbers of windows that have as many */
  #quads = NO_WINDOWS
  /** what is scanned, which of these texts what is noted began in, and who is told */
  #texts: Text = NOTHING
  #text = 0
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
      yield* addWindow(words, key - bucket * KNOWN | 0, some)
      count += some.length
      if (count < LITERALS_A_STEP) continue
      count = 0
      yield
    }
    this.#buckets.fill(words.length, filled)
    // There is something where an empty bucket's records would be.
    words.push(0)
    this.#records = Int32Array.from(words)
    this.#numbers = new Uint8Array(this.#records.buffer)
  }

  #reserve(entries: readonly Entry[]): void {
    const longs = entries.reduce((count, { size }) => count + Number(size === LONG), 0)
    this.#isSmall = entries.length <= FEW_LITERALS
    if (this.#isSmall) this.#quads = hashed(entries.length, 0)
    this.#longs = hashed(longs, 0)
    this.#shorts = hashed(entries.length - longs, behindBuckets(this.#longs))
    this.#buckets = new Int32Array(behindBuckets(this.#shorts) + 1)
  }

  /** Its bucket, and what its window is known by there. */
  #mark({ numbers, window, size }: Entry): { readonly bucket: number; readonly known: number } {
    const last = packed(numbers.slice(window, window + size).slice(-WINDOW))
    const ends = this.#ends
    const step = size === 1 ? CLASS_MASK + 1 : ends.length
    for (let pair = last & PAIR_MASK; pair < ends.length; pair += step) ends[pair] = (ends[pair] as number) | (1 << (size - 1))
    if (this.#isSmall && size >= WINDOW) markBit(this.#quads, Math.imul(last, MULTIPLIER))
    if (size === LONG) {
      // Others may share it.
      const known = (Math.imul(last, MULTIPLIER) + Math.imul(packed(numbers.slice(window, window + LONG - WINDOW)), EARLIER)) | 0
      return { bucket: markBit(this.#longs, known), known }
    }
    // Of another length is another number: no character of a literal is 0.
    const known = last << (CLASS_BITS * (WINDOW - size))
    return { bucket: markBit(this.#shorts, Math.imul(known, MULTIPLIER)), known }
  }

  /** Units of each text are for themselves. */
  scan(text: Text, { first, behind }: Texts, found: Found): void {
    this.#texts = text
    this.#text = first
    this.#found = found
    const { units, starts } = text
    const classes = this.#classes
    const ends = this.#ends
    const { bits: longs, shift: longShift } = this.#longs
    const { bits: shorts, shift: shortShift } = this.#shorts
    const isSmall = this.#isSmall
    const { bits: quads, shift: quadShift } = this.#quads
    const ats = places
    let noted = 0
    for (let number = first; number < behind; number++) {
      const end = starts[number + 1] as number
      let window = 0
      let before = 0
      for (let at = starts[number] as number; at < end;) {
        const until = Math.min(end, at + NOTED - noted)
        // Noted in any case, and counted if it is one: a branch that goes now this way and now that costs more.
        if (isSmall) {
          for (; at < until; at++) {
            window = (window << (8 satisfies typeof CLASS_BITS)) | (classes[units[at] as number] as number)
            const quad = Math.imul(window, 0x9e3779b1 satisfies typeof MULTIPLIER) >>> quadShift
            // 7: windows of fewer than four characters are told by their ends alone.
            ats[noted] = at
            noted += -((ends[window & (0xffff satisfies typeof PAIR_MASK)] as number) & (-(((quads[quad >>> 5] as number) >>> quad) & 1) | 7)) >>> 31
          }
        } else {
          for (; at < until; at++) {
            // Its first two numbers stand two characters before the window's begin.
            const earlier = before >>> 16
            before = window
            window = (window << (8 satisfies typeof CLASS_BITS)) | (classes[units[at] as number] as number)
            const quad = Math.imul(window, 0x9e3779b1 satisfies typeof MULTIPLIER)
            const long = (quad + Math.imul(earlier, 0x85ebca77 satisfies typeof EARLIER)) >>> longShift
            const triple = (quad << (8 satisfies typeof CLASS_BITS)) >>> shortShift
            ats[noted] = at
            noted += -((ends[window & (0xffff satisfies typeof PAIR_MASK)] as number) & whichOf((longs[long >>> 5] as number) >>> long, (shorts[quad >>> shortShift >>> 5] as number) >>> (quad >>> shortShift), (shorts[triple >>> 5] as number) >>> triple)) >>> 31
          }
        }
        if (noted === (512 satisfies typeof NOTED)) {
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
    const end = this.#gather(noted)
    this.#open(end)
    this.#compare(end)
  }

  /** Notes which windows may end there, each in any case, and counts those that may: where the last of these hits ends. */
  #gather(noted: number): number {
    const { units, starts } = this.#texts
    const classes = this.#classes
    const ends = this.#ends
    const { bits: longs, shift: longShift } = this.#longs
    const { bits: shorts, shift: shortShift, first } = this.#shorts
    const classBits = 8 satisfies typeof CLASS_BITS
    const bucketBits = 4 satisfies typeof BUCKET_BITS
    const step = 6 satisfies typeof HIT
    const ats = places
    const into = hits
    let text = this.#text
    let hit = 0
    for (let place = 0; place < noted; place++) {
      const at = ats[place] as number
      while (at >= (starts[text + 1] as number)) text++
      let earlier = 0
      let window = 0
      for (let one = Math.max(starts[text] as number, at + 1 - (6 satisfies typeof LONG)); one <= at; one++) {
        earlier = (earlier << classBits) | (window >>> 24)
        window = (window << classBits) | (classes[units[one] as number] as number)
      }
      const mixed = Math.imul(window, 0x9e3779b1 satisfies typeof MULTIPLIER)
      const known = (mixed + Math.imul(earlier, 0x85ebca77 satisfies typeof EARLIER)) | 0
      const long = known >>> longShift
      const quad = mixed >>> shortShift
      const triple = (mixed << classBits) >>> shortShift
      const which = (ends[window & (0xffff satisfies typeof PAIR_MASK)] as number) & whichOf((longs[long >>> 5] as number) >>> long, (shorts[quad >>> 5] as number) >>> quad, (shorts[triple >>> 5] as number) >>> triple)
      into[hit] = at
      into[hit + 1] = 6 satisfies typeof LONG
      into[hit + 2] = known
      into[hit + 3] = long >>> bucketBits
      hit += ((which >>> 5) & 1) * step
      into[hit] = at
      into[hit + 1] = 4 satisfies typeof WINDOW
      into[hit + 2] = window
      into[hit + 3] = first + (quad >>> bucketBits)
      hit += ((which >>> 3) & 1) * step
      into[hit] = at
      into[hit + 1] = 3
      into[hit + 2] = window << classBits
      into[hit + 3] = first + (triple >>> bucketBits)
      hit += ((which >>> 2) & 1) * step
      if ((which & 3) === 0) continue
      for (let size = 2; size > 0; size--) {
        const shifted = window << (classBits * (4 - size))
        into[hit] = at
        into[hit + 1] = size
        into[hit + 2] = shifted
        into[hit + 3] = first + (Math.imul(shifted, MULTIPLIER) >>> shortShift >>> bucketBits)
        hit += ((which >>> (size - 1)) & 1) * step
      }
    }
    return hit
  }

  /** In place of its bucket a hit has the records of it. */
  #open(behindHits: number): void {
    const buckets = this.#buckets
    const records = this.#records
    const opened = hits
    for (let hit = 0; hit < behindHits; hit += 6 satisfies typeof HIT) {
      const bucket = opened[hit + 3] as number
      const record = buckets[bucket] as number
      opened[hit + 3] = record
      opened[hit + 4] = buckets[bucket + 1] as number
      opened[hit + 5] = records[record] as number
    }
  }

  /** With all literals of the windows. */
  #compare(behindHits: number): void {
    const { units, starts } = this.#texts
    const classes = this.#classes
    const records = this.#records
    const numbers = this.#numbers
    const found = this.#found
    const opened = hits
    const inWords = IN_WORDS
    const head = 2 satisfies typeof HEAD
    let text = this.#text
    for (let hit = 0; hit < behindHits; hit += 6 satisfies typeof HIT) {
      const until = opened[hit + 4] as number
      const known = opened[hit + 2] as number
      let record = opened[hit + 3] as number
      while (record < until && records[record] !== known) record = records[record + 1] as number
      if (record >= until) continue
      const at = opened[hit] as number
      const size = opened[hit + 1] as number
      while (at >= (starts[text + 1] as number)) text++
      const start = starts[text] as number
      const end = starts[text + 1] as number
      const behindAll = records[record + 1] as number
      for (let place = record + head; place < behindAll;) {
        const what = records[place] as number
        if (what <= 0) {
          if (what === 0) {
            place = records[place + 1] as number
            continue
          }
          const looked = at + (what & (0xff satisfies typeof ASKS_MASK)) - (128 satisfies typeof ASKS_FROM)
          const number = looked >= start && looked < end ? classes[units[looked] as number] as number : -1
          const behind = place + head + (2 satisfies typeof CASE) * ((what >>> (8 satisfies typeof KNOWS)) & (0xffff satisfies typeof KNOWN_MASK))
          let one = place + head
          while (one < behind && records[one] !== number) one += 2 satisfies typeof CASE
          place = records[(one < behind ? one : place) + 1] as number
          continue
        }
        const length = what & (0xffff satisfies typeof LENGTH_MASK)
        const rest = length - size
        const begin = at - (what >>> (16 satisfies typeof HALF))
        const bytes = (place + head) * (4 satisfies typeof WORD_BYTES)
        place += head + ((rest + 3) >>> 2)
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
        if ((name & (1 satisfies typeof BEGINS_WORD)) !== 0 && begin > start && inWords[units[begin - 1] as number] === 1) continue
        if ((name & (2 satisfies typeof ENDS_WORD)) !== 0 && begin + length < end && inWords[units[begin + length] as number] === 1) continue
        found(name >> (2 satisfies typeof EDGE_BITS), begin, text)
      }
    }
    this.#text = text
  }
}

/** Of what lengths windows may end at a place, by the bits of their hashes, a bit for each length; of two and one it is for their numbers to say. */
function whichOf(long: number, quad: number, triple: number): number {
  return ((long & 1) << 5) | ((quad & 1) << 3) | ((triple & 1) << 2) | 3
}

function packed(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => (all << CLASS_BITS) | number, 0)
}
