/**
 * A pattern as states that each wait for one character: what an `Automaton`
 * follows all at once. Only for patterns whose answer yes or no does not depend
 * on which way is tried first, and that are small when their repetitions are
 * written out.
 */
import { setOfCharacters } from './character-set.ts'
import type { CharacterSet } from './character-set.ts'
import { variantsOf } from './fold.ts'
import { ANYTHING, disjoint, firstOf } from './first.ts'
import { isEmpty, isSingle } from './syntax.ts'
import type { Assertion, Node, Tree } from './syntax.ts'

export type Condition =
  | { readonly kind: Assertion }
  /** numbers of sets */
  | { readonly kind: 'word-edge' | 'next' | 'before'; readonly set: number; readonly negative: boolean }

/** Each leads to one other, a `fork` to two. */
export type State =
  | { readonly kind: 'matched' }
  | { readonly kind: 'take'; readonly set: number; readonly next: number }
  | { readonly kind: 'fork'; readonly next: number; other: number }
  | { readonly kind: 'if'; readonly condition: Condition; readonly next: number }

export interface States {
  readonly states: readonly State[]
  readonly entry: number
  readonly sets: readonly CharacterSet[]
}

const MAX_STATES = 1000

/** Undefined: not for this pattern. */
export function statesOf(tree: Tree): States | undefined {
  const builder = new Builder()
  const entry = builder.node(tree.root, builder.add({ kind: 'matched' }))
  return entry === undefined ? undefined : { states: builder.states, entry, sets: builder.sets }
}

const NOTHING = setOfCharacters([])

class Builder {
  readonly states: State[] = []
  readonly sets: CharacterSet[] = []
  readonly #characters = new Map<string, number>()

  add(state: State): number | undefined {
    return this.states.length >= MAX_STATES ? undefined : this.states.push(state) - 1
  }

  /** Where a node begins that leads to another; undefined passes through. */
  node(node: Node, next: number | undefined): number | undefined {
    if (next === undefined) return undefined
    switch (node.kind) {
      case 'character': return this.add({ kind: 'take', set: this.#character(node), next })
      case 'set': return this.add({ kind: 'take', set: this.#set(node.set), next })
      case 'sequence': return this.#sequence(node.items, next)
      case 'choice': return this.#choice(node.branches.map((branch) => this.node(branch, next)))
      case 'repeat': return this.#repeat(node, next)
      case 'capture': return this.node(node.body, next)
      case 'assertion': return this.add({ kind: 'if', condition: { kind: node.what }, next })
      case 'word-edge': return this.add({ kind: 'if', condition: { kind: 'word-edge', set: this.#set(node.word), negative: node.negative }, next })
      case 'look': return this.#look(node, next)
      case 'atomic':
      case 'reference': return undefined
    }
  }

  #set(set: CharacterSet): number {
    const known = this.sets.indexOf(set)
    return known >= 0 ? known : this.sets.push(set) - 1
  }

  #character({ code, fold }: Extract<Node, { kind: 'character' }>): number {
    const all = fold === undefined ? [code] : variantsOf(code, fold)
    const key = all.toSorted((a, b) => a - b).join()
    let set = this.#characters.get(key)
    if (set === undefined) {
      set = this.sets.push(setOfCharacters(all)) - 1
      this.#characters.set(key, set)
    }
    return set
  }

  #sequence(items: readonly Node[], end: number): number | undefined {
    let next: number | undefined = end
    for (let at = items.length - 1; at >= 0; at--) {
      const item = items[at] as Node
      if (item.kind === 'atomic') {
        // Never giving back makes no difference where nothing of it could be used behind it.
        const behind: Node = { kind: 'sequence', items: items.slice(at + 1) }
        const { body } = item
        if (body.kind !== 'repeat' || !isSingle(body.body) || !disjoint(firstOf(body.body, ANYTHING), firstOf(behind, ANYTHING))) return undefined
        next = this.node(body, next)
      } else next = this.node(item, next)
    }
    return next
  }

  #choice(branches: readonly (number | undefined)[]): number | undefined {
    let all = branches.at(-1)
    for (const branch of branches.slice(0, -1)) {
      if (branch === undefined || all === undefined) return undefined
      all = this.add({ kind: 'fork', next: branch, other: all })
    }
    return all
  }

  #repeat({ body, least, most }: Extract<Node, { kind: 'repeat' }>, next: number): number | undefined {
    let at: number | undefined = next
    if (most === Infinity) {
      const fork: State = { kind: 'fork', next, other: -1 }
      at = this.add(fork)
      const inner = this.node(body, at)
      if (inner === undefined) return undefined
      fork.other = inner
    } else {
      for (let times = least; times < most && at !== undefined; times++) at = this.#choice([this.node(body, at), next])
    }
    for (let times = 0; times < least && at !== undefined; times++) at = this.node(body, at)
    return at
  }

  #look({ body, behind, negative }: Extract<Node, { kind: 'look' }>, next: number): number | undefined {
    if (isSingle(body)) {
      const set = body.kind === 'set' ? this.#set(body.set) : this.#character(body)
      return this.add({ kind: 'if', condition: { kind: behind ? 'before' : 'next', set, negative }, next })
    }
    if (!isEmpty(body)) return undefined
    return negative ? this.add({ kind: 'take', set: this.#set(NOTHING), next }) : next
  }
}
