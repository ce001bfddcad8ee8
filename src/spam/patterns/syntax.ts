/**
 * The tree of a pattern, as the parser makes it and everybody else reads it.
 * Types, and a few facts about nodes. Pure.
 */
import type { CharacterSet } from './character-set.ts'
import type { FoldTable } from './fold.ts'

export type Assertion = 'start' | 'end' | 'end-or-newline' | 'line-start' | 'line-end'

export type Node =
  /** one code point; `fold`: case does not count, by this table */
  | { readonly kind: 'character'; readonly code: number; readonly fold: FoldTable | undefined }
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'sequence'; readonly items: readonly Node[] }
  | { readonly kind: 'choice'; readonly branches: readonly Node[] }
  | { readonly kind: 'repeat'; readonly body: Node; readonly least: number; readonly most: number; readonly mode: 'greedy' | 'lazy' }
  | { readonly kind: 'capture'; readonly body: Node; readonly group: number }
  | { readonly kind: 'atomic'; readonly body: Node }
  | { readonly kind: 'look'; readonly body: Node; readonly behind: boolean; readonly negative: boolean }
  /** the first of these groups that took part; none: no match */
  | { readonly kind: 'reference'; readonly groups: readonly number[]; readonly fold: FoldTable | undefined }
  | { readonly kind: 'assertion'; readonly what: Assertion }
  | { readonly kind: 'word-edge'; readonly word: CharacterSet; readonly negative: boolean }

export const EMPTY: Node = { kind: 'sequence', items: [] }
/** An empty look-ahead that must fail. */
export const NEVER: Node = { kind: 'look', body: EMPTY, behind: false, negative: true }

export interface Tree {
  readonly root: Node
  readonly groups: number
  /** characters of the text are bytes, and fold as ASCII */
  readonly bytes: boolean
}

/** Length of what a node matches, in code units; `most` may be Infinity. */
export interface Width {
  readonly least: number
  readonly most: number
}

const NOTHING: Width = { least: 0, most: 0 }
const ONE: Width = { least: 1, most: 1 }

export function widthOf(node: Node): Width {
  switch (node.kind) {
    case 'character': return node.code > 0xffff ? { least: 2, most: 2 } : ONE
    case 'set': return node.set.high ? { least: 1, most: 2 } : ONE
    case 'sequence': {
      let [least, most] = [0, 0]
      for (const item of node.items) {
        const width = widthOf(item)
        least += width.least
        most += width.most
      }
      return { least, most }
    }
    case 'choice': {
      const widths = node.branches.map(widthOf)
      return { least: Math.min(...widths.map(({ least }) => least)), most: Math.max(...widths.map(({ most }) => most)) }
    }
    case 'repeat': {
      const { least, most } = widthOf(node.body)
      return { least: least * node.least, most: most === 0 || node.most === 0 ? 0 : most * node.most }
    }
    case 'capture':
    case 'atomic': return widthOf(node.body)
    case 'reference': return { least: 0, most: Infinity }
    case 'look':
    case 'assertion':
    case 'word-edge': return NOTHING
  }
}

/** How many instructions a node becomes, about. */
export function sizeOf(node: Node): number {
  switch (node.kind) {
    case 'character':
    case 'set':
    case 'reference':
    case 'assertion':
    case 'word-edge': return 1
    case 'sequence': return node.items.reduce((size, item) => size + sizeOf(item), 0)
    case 'choice': return node.branches.reduce((size, branch) => size + sizeOf(branch), 1)
    case 'repeat': {
      if (isSingle(node.body)) return 1
      const copies = node.most === Infinity ? node.least + 1 : node.most
      return copies * (sizeOf(node.body) + 2)
    }
    case 'capture': return sizeOf(node.body) + 2
    case 'atomic':
    case 'look': return sizeOf(node.body) + 2
  }
}

export function isEmpty(node: Node): boolean {
  return node.kind === 'sequence' && node.items.length === 0
}

/** It matches exactly one code point, whichever way. */
export function isSingle(node: Node): node is Extract<Node, { kind: 'character' | 'set' }> {
  return node.kind === 'character' || node.kind === 'set'
}

/** Time and memory are bounded by text times pattern: nothing in it looks ahead by more than one character, remembers text or forbids going back. */
export function isLinear(node: Node): boolean {
  switch (node.kind) {
    case 'character':
    case 'set':
    case 'assertion':
    case 'word-edge': return true
    case 'sequence': return node.items.every(isLinear)
    case 'choice': return node.branches.every(isLinear)
    case 'repeat':
    case 'capture': return isLinear(node.body)
    case 'atomic': return node.body.kind === 'repeat' && isSingle(node.body.body)
    case 'look': return isSingle(node.body) || isEmpty(node.body)
    case 'reference': return false
  }
}
