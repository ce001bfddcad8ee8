/**
 * Finds all literals of a set in one pass over a text, case aside.
 *
 * Characters are numbered: 1 to 63, letters without case; all that are in no
 * literal are 0, and rare ones may share a number, which finds too much now and
 * then but never too little. Three numbers side by side say by one bit whether a
 * literal may begin there; if so, a tree of the literals is followed from
 * there, at most `MAX_DEPTH` characters deep. So time is linear in the text,
 * whatever stands in it. Of a long literal a part is looked for, its `stretchOf`.
 */
import { unicodeFold, variantsOf } from './fold.ts'
import { rarityOf } from './rarity.ts'

const CLASS_BITS = 6
const CLASSES = 1 << CLASS_BITS
const TRIGRAMS = 1 << (3 * CLASS_BITS)
export const MAX_DEPTH = 10
const ROOT = 0

/** Is told which literal begins where; each as often as it is there. */
export type Found = (literal: number, at: number) => void

export class LiteralIndex {
  readonly #classes = new Uint8Array(0x10000)
  readonly #trigrams = new Uint32Array(TRIGRAMS / 32)
  readonly #nodes: NodeTable
  /** for each node: the literals that end there, in `#ends` */
  readonly #endsFrom: Int32Array
  readonly #ends: Int32Array

  /** Each is folded, not empty and at most `MAX_DEPTH` long. */
  constructor(stretches: readonly string[]) {
    this.#number(stretches)
    this.#nodes = new NodeTable(stretches.reduce((sum, { length }) => sum + length, 1))
    const ends: (number[] | undefined)[] = []
    for (const [literal, stretch] of stretches.entries()) {
      const classes = Array.from(stretch, (_, i) => this.#classes[stretch.charCodeAt(i)] as number)
      this.#markTrigrams(classes)
      let node = ROOT
      for (const one of classes) node = this.#nodes.childOrNew(node, one)
      const others = ends[node]
      if (others === undefined) ends[node] = [literal]
      else others.push(literal)
    }
    this.#endsFrom = new Int32Array(this.#nodes.count + 1)
    let sum = 0
    for (let node = 0; node < this.#nodes.count; node++) {
      this.#endsFrom[node] = sum
      sum += ends[node]?.length ?? 0
    }
    this.#endsFrom[this.#nodes.count] = sum
    this.#ends = Int32Array.from(Array.from(ends, (some) => some ?? []).flat())
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

  #markTrigrams(classes: readonly number[]): void {
    const [first = 0, second, third] = classes
    const from = (first << (2 * CLASS_BITS)) | ((second ?? 0) << CLASS_BITS) | (third ?? 0)
    const count = third !== undefined ? 1 : second !== undefined ? CLASSES : CLASSES * CLASSES
    for (let trigram = from; trigram < from + count; trigram++) this.#trigrams[trigram >> 5] = (this.#trigrams[trigram >> 5] as number) | (1 << (trigram & 31))
  }

  /** Units from `start` up to `end` are a text for themselves. */
  scan(units: Uint16Array, [start, end]: readonly [number, number], found: Found): void {
    const classes = this.#classes
    const trigrams = this.#trigrams
    let window = 0
    for (let at = start; at < end; at++) {
      window = ((window << CLASS_BITS) | (classes[units[at] as number] as number)) & (TRIGRAMS - 1)
      if (((trigrams[window >> 5] as number) >>> (window & 31) & 1) === 1 && at >= start + 2) this.#follow(units, [at - 2, end], found)
    }
    // Nothing stands behind the last two.
    for (let at = Math.max(start, end - 2); at < end; at++) this.#follow(units, [at, end], found)
  }

  #follow(units: Uint16Array, [from, end]: readonly [number, number], found: Found): void {
    let node = ROOT
    for (let at = from; at < end; at++) {
      node = this.#nodes.child(node, this.#classes[units[at] as number] as number)
      if (node < 0) return
      for (let i = this.#endsFrom[node] as number; i < (this.#endsFrom[node + 1] as number); i++) found(this.#ends[i] as number, from)
    }
  }
}

/** A tree in one table: (node, number of a character) → node. */
class NodeTable {
  count = 1
  readonly #mask: number
  readonly #keys: Int32Array
  readonly #values: Int32Array

  constructor(most: number) {
    let size = 64
    while (size < most * 2) size *= 2
    this.#mask = size - 1
    this.#keys = new Int32Array(size).fill(-1)
    this.#values = new Int32Array(size)
  }

  /** -1: none */
  child(node: number, character: number): number {
    const key = (node << CLASS_BITS) | character
    const keys = this.#keys
    for (let slot = this.#slotOf(key); ; slot = (slot + 1) & this.#mask) {
      const there = keys[slot] as number
      if (there === key) return this.#values[slot] as number
      if (there === -1) return -1
    }
  }

  childOrNew(node: number, character: number): number {
    const known = this.child(node, character)
    if (known >= 0) return known
    const key = (node << CLASS_BITS) | character
    let slot = this.#slotOf(key)
    while (this.#keys[slot] !== -1) slot = (slot + 1) & this.#mask
    this.#keys[slot] = key
    this.#values[slot] = this.count
    return this.count++
  }

  #slotOf(key: number): number {
    const mixed = Math.imul(key, 0x9e3779b1)
    return (mixed ^ (mixed >>> 15)) & this.#mask
  }
}

/** The rarest part of a literal that the index can take, and where in the literal it begins. */
export function stretchOf(literal: string): { readonly stretch: string, readonly at: number } {
  let best = { stretch: literal.slice(0, MAX_DEPTH), at: 0 }
  for (let at = 1; at + MAX_DEPTH <= literal.length; at++) {
    const stretch = literal.slice(at, at + MAX_DEPTH)
    if (rarityOf(stretch) < rarityOf(best.stretch)) best = { stretch, at }
  }
  return best
}
