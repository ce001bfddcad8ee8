/**
 * Makes a program of a tree: from the end to the begin, each instruction knows
 * the next. Counted repetitions of more than a character are written out; the
 * parser has bounded how long that becomes.
 */
import { ANY, NOT_NEWLINE, setOfCharacters } from './character-set.ts'
import type { CharacterSet } from './character-set.ts'
import { asciiFold, unicodeFold, variantsOf } from './fold.ts'
import { anyOf, ANYTHING, disjoint, either, firstOf } from './first.ts'
import type { First } from './first.ts'
import { Assembler } from './assembler.ts'
import { openLibrary } from './library.ts'
import type { Library } from './library.ts'
import * as op from './program.ts'
import type { Program } from './program.ts'
import { shareOf } from './required-characters.ts'
import { isEmpty, isSingle, widthOf } from './syntax.ts'
import type { Node, Tree } from './syntax.ts'

/** Where to go on, and what can stand first there. */
interface Target {
  readonly at: number
  readonly first: First
}

type Of<Kind extends Node['kind']> = Extract<Node, { kind: Kind }>

export function compile(tree: Tree, library = openLibrary()): Program {
  return new Compiler(tree, library).program
}

const ASSERTIONS = { 'start': op.START, 'end': op.END_OF_TEXT, 'end-or-newline': op.END_OR_NEWLINE, 'line-start': op.LINE_START, 'line-end': op.LINE_END } as const

class Compiler {
  readonly program: Program
  readonly #out: Assembler
  /** groups that something refers to, and the first of their three cells */
  readonly #groups = new Map<number, number>()
  #cells: number

  constructor(tree: Tree, library: Library) {
    this.#out = new Assembler(library)
    collectReferences(tree.root, this.#groups)
    const remembers = this.#groups.size === 0
    this.#cells = this.#groups.size * 3
    const fold = tree.bytes ? asciiFold() : unicodeFold()
    const end: Target = { at: this.#out.add(op.MATCHED, -1), first: ANYTHING }
    const start = this.#node(tree.root, end)
    this.program = {
      library, entry: this.#out.written(start.at), first: this.#out.table(start.first), cells: this.#cells,
      memos: remembers ? this.#out.memos : -1, anchor: anchorOf(tree.root), fold, share: shareOf(start.first),
    }
  }

  #node(node: Node, next: Target): Target {
    switch (node.kind) {
      case 'character':
      case 'set': return this.#single(node, next)
      case 'sequence': return this.#sequence(node.items, next)
      case 'choice': return this.#choice(node.branches.map((branch) => this.#node(branch, next)))
      case 'repeat': return this.#repeat(node, next)
      case 'capture': return this.#capture(node, next)
      case 'atomic': return this.#atomic(node, next)
      case 'look': return this.#look(node, next)
      case 'reference': return this.#reference(node, next)
      case 'assertion': return this.#step(node, next, this.#out.add(ASSERTIONS[node.what], next.at))
      case 'word-edge': return this.#step(node, next, this.#out.add(op.WORD_EDGE, next.at, ...this.#out.set(node.word), node.negative ? 1 : 0))
    }
  }

  #step(node: Node, next: Target, at: number): Target {
    return { at, first: firstOf(node, next.first) }
  }

  #single(node: Of<'character' | 'set'>, next: Target): Target {
    if (node.kind === 'character' && node.code < 0x10000 && (node.fold === undefined || sameFold(node.code, node.fold))) {
      return this.#step(node, next, this.#out.add(op.UNIT, next.at, node.code))
    }
    if (node.kind === 'character' && node.code < 0x10000 && node.fold !== undefined) return this.#step(node, next, this.#out.add(op.FOLDED, next.at, node.fold[node.code] as number))
    return this.#step(node, next, this.#out.add(op.SET, next.at, ...this.#setOf(node)))
  }

  #setOf(node: Of<'character' | 'set'>): readonly [number, number] {
    return this.#out.set(node.kind === 'set' ? node.set : setOfCharacter(node))
  }

  #sequence(items: readonly Node[], end: Target): Target {
    let next = end
    for (let at = items.length - 1; at >= 0; at--) {
      const item = items[at] as Node
      const from = stringBegin(items, at)
      if (from < at) {
        next = this.#string(items.slice(from, at + 1) as Of<'character'>[], next)
        at = from
      } else next = this.#node(item, next)
    }
    return next
  }

  #string(characters: readonly Of<'character'>[], next: Target): Target {
    const table = characters.find(({ fold, code }) => fold !== undefined && !sameFold(code, fold))?.fold
    const units = characters.map(({ code }) => table?.[code] ?? code)
    const at = this.#out.string(table === undefined ? op.STRING : op.STRING_FOLDED, next.at, units)
    return this.#step(characters[0] as Node, next, at)
  }

  #choice(branches: readonly Target[]): Target {
    const first = anyOf(branches.map((branch) => branch.first))
    return { at: this.#out.choice(branches, first), first }
  }

  #repeat(node: Of<'repeat'>, next: Target): Target {
    const { body, least, most, mode } = node
    if (most === 0) return next
    if (isSingle(body)) return this.#run(node, mode === 'lazy' ? op.RUN_LAZY : op.RUN, next)
    const empty = widthOf(body).least === 0
    let target = next
    if (most === Infinity) target = this.#loop(node, next, empty)
    else for (let times = least; times < most; times++) target = this.#optional(this.#node(body, target), next, mode)
    for (let times = 0; times < least; times++) target = this.#node(body, target)
    return target
  }

  #optional(taken: Target, left: Target, mode: 'greedy' | 'lazy'): Target {
    const [prefer, other] = mode === 'greedy' ? [taken, left] : [left, taken]
    const at = this.#out.fork(op.SPLIT, { next: prefer.at, other: other.at }, this.#out.memo(), this.#out.table(prefer.first), this.#out.table(other.first))
    return { at, first: either(taken.first, left.first) }
  }

  #loop({ body, mode }: Of<'repeat'>, next: Target, empty: boolean): Target {
    const first = either(firstOf(body, ANYTHING), next.first)
    const split = this.#out.add(op.SPLIT, -1)
    const memo = this.#out.memo()
    const cell = empty ? this.#cells++ : -1
    const back: Target = { at: empty ? this.#out.fork(op.ITERATED, { next: split, other: next.at }, cell) : split, first }
    const inner = this.#node(body, back)
    const taken: Target = { at: empty ? this.#out.add(op.ITERATE, inner.at, cell) : inner.at, first: empty ? ANYTHING : inner.first }
    const [prefer, other] = mode === 'greedy' ? [taken, next] : [next, taken]
    this.#out.change(split, { next: prefer.at, other: other.at }, memo, this.#out.table(prefer.first), this.#out.table(other.first))
    return { at: split, first: either(taken.first, next.first) }
  }

  /** Of one character or set. */
  #run(node: Of<'repeat'>, kind: number, next: Target): Target {
    const first = firstOf(node, next.first)
    const { body, least, most } = node
    if (!isSingle(body)) throw new Error('only one character at a time can be taken in a run')
    // Where nothing that it takes can stand first behind it, giving back is of no use.
    const settled = kind === op.RUN && disjoint(firstOf(body, ANYTHING), next.first)
    const at = this.#out.add(settled ? op.RUN_POSSESSIVE : kind, next.at, this.#out.memo(), ...this.#setOf(body), least, most === Infinity ? -1 : most, this.#out.table(next.first))
    return { at, first }
  }

  #capture({ body, group }: Of<'capture'>, next: Target): Target {
    const cell = this.#groups.get(group)
    if (cell === undefined) return this.#node(body, next)
    const inner = this.#node(body, { at: this.#out.add(op.CLOSE, next.at, cell), first: next.first })
    return { at: this.#out.add(op.OPEN, inner.at, cell), first: inner.first }
  }

  #atomic({ body }: Of<'atomic'>, next: Target): Target {
    if (body.kind === 'repeat' && body.mode === 'greedy' && isSingle(body.body) && body.most > 0) return this.#run(body, op.RUN_POSSESSIVE, next)
    const end: Target = { at: this.#out.add(op.MATCHED, -1), first: ANYTHING }
    return { at: this.#out.fork(op.ATOMIC, { next: next.at, other: this.#node(body, end).at }), first: firstOf(body, next.first) }
  }

  #look(node: Of<'look'>, next: Target): Target {
    const { body, behind, negative } = node
    const sign = negative ? 1 : 0
    if (isSingle(body)) return this.#step(node, next, this.#out.add(behind ? op.BEFORE_IN : op.NEXT_IN, next.at, ...this.#setOf(body), sign))
    if (isEmpty(body) && !negative) return next
    const end: Target = { at: this.#out.add(behind ? op.REACHED : op.MATCHED, -1), first: ANYTHING }
    const { at } = this.#node(body, end)
    if (!behind) return this.#step(node, next, this.#out.fork(op.LOOK_AHEAD, { next: next.at, other: at }, sign))
    const { least, most } = widthOf(body)
    return this.#step(node, next, this.#out.fork(op.LOOK_BEHIND, { next: next.at, other: at }, sign, least, most))
  }

  /** Several groups of one name: the first that took part. */
  #reference({ groups, fold }: Of<'reference'>, next: Target): Target {
    const targets = groups.map((group): Target => ({ at: this.#out.add(op.REFERENCE, next.at, this.#groups.get(group) ?? 0, fold === undefined ? 0 : 1), first: ANYTHING }))
    const [only] = targets
    return targets.length === 1 && only !== undefined ? only : this.#choice(targets)
  }
}

function collectReferences(node: Node, cells: Map<number, number>): void {
  switch (node.kind) {
    case 'reference':
      for (const group of node.groups) if (!cells.has(group)) cells.set(group, cells.size * 3)
      break
    case 'sequence':
      for (const item of node.items) collectReferences(item, cells)
      break
    case 'choice':
      for (const branch of node.branches) collectReferences(branch, cells)
      break
    case 'repeat':
    case 'capture':
    case 'atomic':
    case 'look': collectReferences(node.body, cells)
      break
    case 'character':
    case 'set':
    case 'assertion':
    case 'word-edge': break
  }
}

function sameFold(code: number, fold: Of<'character'>['fold']): boolean {
  return fold === undefined || variantsOf(code, fold).length === 1
}

function setOfCharacter({ code, fold }: Of<'character'>): CharacterSet {
  return setOfCharacters(fold === undefined ? [code] : variantsOf(code, fold))
}

/** Where a string begins that ends at an item: characters that all fold, or all do not. */
function stringBegin(items: readonly Node[], end: number): number {
  let folds: boolean | undefined
  let at = end
  for (; at >= 0; at--) {
    const item = items[at] as Node
    if (item.kind !== 'character' || item.code > 0xffff) break
    // A character without case goes with either.
    if (variantsOf(item.code, item.fold ?? unicodeFold()).length === 1) continue
    const its = item.fold !== undefined
    folds ??= its
    if (folds !== its) break
  }
  return at + 1 > end ? end : at + 1
}

/** Where a match can begin. */
export function anchorOf(node: Node, captured = false): Program['anchor'] {
  switch (node.kind) {
    case 'assertion': return node.what === 'start' ? 'text' : node.what === 'line-start' ? 'line' : 'none'
    case 'sequence': return node.items[0] === undefined ? 'none' : anchorOf(node.items[0], captured)
    case 'capture': return anchorOf(node.body, true)
    case 'atomic': return anchorOf(node.body, captured)
    case 'choice': {
      const anchors = node.branches.map((branch) => anchorOf(branch, captured))
      return anchors.every((anchor) => anchor === 'text') ? 'text' : anchors.every((anchor) => anchor !== 'none') ? 'line' : 'none'
    }
    case 'repeat': return leadsAnywhere(node) && !captured ? 'line' : 'none'
    case 'character':
    case 'set':
    case 'look':
    case 'reference':
    case 'word-edge': return 'none'
  }
}

/** What follows a leading `.*` further on, follows it at the begin of the line too. */
function leadsAnywhere({ body, least, most }: Of<'repeat'>): boolean {
  return least === 0 && most === Infinity && body.kind === 'set' && (body.set === NOT_NEWLINE || body.set === ANY)
}
