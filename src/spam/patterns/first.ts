/**
 * Which characters can stand first where a part of a pattern begins to match:
 * what lets the matcher leave out tries that cannot succeed. Always at least
 * all that can. Pure.
 */
import { foldCodePoint, variantsOf } from './fold.ts'
import type { Node } from './syntax.ts'
import { widthOf } from './syntax.ts'

/** One byte for each of U+0000 to U+00FF, one for all others, one for the end of the text. */
export type First = Uint8Array
export const HIGH = 256
export const END = 257
const ENTRIES = 258

export const ANYTHING: First = new Uint8Array(ENTRIES).fill(1)

/** `follow`: what can stand first behind the node. */
export function firstOf(node: Node, follow: First): First {
  switch (node.kind) {
    case 'character': {
      const first = new Uint8Array(ENTRIES)
      const codes = node.fold === undefined ? [node.code] : [foldCodePoint(node.code, node.fold), ...variantsOf(node.code, node.fold)]
      for (const code of codes) first[Math.min(code, HIGH)] = 1
      return first
    }
    case 'set': {
      const first = new Uint8Array(ENTRIES)
      first.set(node.set.low)
      first[HIGH] = node.set.high ? 1 : 0
      return first
    }
    case 'sequence': {
      // Behind an item that cannot be empty nothing counts.
      let end = 0
      while (end < node.items.length && widthOf(node.items[end] as Node).least === 0) end++
      let first = follow
      for (let at = Math.min(end, node.items.length - 1); at >= 0; at--) first = firstOf(node.items[at] as Node, first)
      return first
    }
    case 'choice': return anyOf(node.branches.map((branch) => firstOf(branch, follow)))
    case 'repeat': {
      if (node.most === 0) return follow
      const inner = widthOf(node.body).least === 0 ? either(firstOf(node.body, ANYTHING), follow) : firstOf(node.body, ANYTHING)
      return node.least === 0 ? either(inner, follow) : inner
    }
    case 'capture':
    case 'atomic': return firstOf(node.body, follow)
    case 'look': return node.negative || node.behind ? follow : both(firstOf(node.body, ANYTHING), follow)
    case 'reference': return ANYTHING
    case 'assertion': return both(ofAssertion(node.what), follow)
    case 'word-edge': return follow
  }
}

const AT_END = only(END)
const AT_LINE_END = only(END, 10)

function ofAssertion(what: Extract<Node, { kind: 'assertion' }>['what']): First {
  switch (what) {
    case 'start':
    case 'line-start': return ANYTHING
    case 'end': return AT_END
    case 'end-or-newline':
    case 'line-end': return AT_LINE_END
  }
}

function only(...entries: readonly number[]): First {
  const first = new Uint8Array(ENTRIES)
  for (const entry of entries) first[entry] = 1
  return first
}

export function either(one: First, other: First): First {
  if (one === other || one === ANYTHING) return one
  if (other === ANYTHING) return other
  const first = one.slice()
  add(first, other)
  return first
}

/** Of one at least. */
export function anyOf(all: readonly First[]): First {
  const [one] = all
  if (one === undefined) throw new Error('nothing to choose from')
  if (all.length === 1) return one
  if (all.includes(ANYTHING)) return ANYTHING
  const first = one.slice()
  for (const other of all) add(first, other)
  return first
}

function add(first: Uint8Array, other: First): void {
  for (let entry = 0; entry < ENTRIES; entry++) first[entry] = (first[entry] as number) | (other[entry] as number)
}

export function both(one: First, other: First): First {
  if (one === other || other === ANYTHING) return one
  if (one === ANYTHING) return other
  const first = one.slice()
  for (let entry = 0; entry < ENTRIES; entry++) first[entry] = (first[entry] as number) & (other[entry] as number)
  return first
}

export function disjoint(one: First, other: First): boolean {
  for (let entry = 0; entry < ENTRIES; entry++) if (one[entry] === 1 && other[entry] === 1) return false
  return true
}
