/**
 * Conditions of `meta` expressions: what is known beforehand is worked out (rules
 * that are not honoured count 0, as rules that are not there do in SpamAssassin),
 * the rest becomes conditions and quantities. Which rules' values are counted, not
 * just whether they hit, is told too. Pure.
 */
import type { Condition, Operator, Quantity } from '../rules/condition.ts'
import { sum } from '../rules/make-condition.ts'
import type { Expression } from './meta-expression.ts'

const ZERO: Expression = { kind: 'number', value: 0 }
const ONE: Expression = { kind: 'number', value: 1 }

/**
 * Without what is known.
 * @param known what a rule counts whatever the message is; undefined: it is to be asked
 */
export function simplified(tree: Expression, known: { readonly value: (id: string) => number | undefined; readonly matching: (glob: string) => readonly string[] }): Expression {
  const simple = (one: Expression): Expression => simplified(one, known)
  switch (tree.kind) {
    case 'number': return tree
    case 'rule': {
      const value = known.value(tree.id)
      return value === undefined ? tree : { kind: 'number', value }
    }
    case 'matching': return simple({ kind: 'sum', of: known.matching(tree.glob).map((id) => ({ kind: 'rule', id })) })
    case 'not':
    case 'minus': {
      const of = simple(tree.of)
      return of.kind === 'number' ? { kind: 'number', value: tree.kind === 'minus' ? -of.value : Number(of.value === 0) } : { kind: tree.kind, of }
    }
    case 'and':
    case 'or': return simpleList(tree.kind, tree.of.map(simple))
    case 'sum': {
      const parts = tree.of.map(simple)
      const open = parts.filter(({ kind }) => kind !== 'number')
      const value = parts.reduce((all, part) => (part.kind === 'number' ? all + part.value : all), 0)
      if (open.length === 0) return { kind: 'number', value }
      const [only] = open
      return value === 0 && open.length === 1 && only !== undefined ? only : { kind: 'sum', of: value === 0 ? open : [...open, { kind: 'number', value }] }
    }
    case 'choose': {
      const by = simple(tree.by)
      if (by.kind === 'number') return simple(by.value === 0 ? tree.no : tree.yes)
      return { kind: 'choose', by, yes: simple(tree.yes), no: simple(tree.no) }
    }
    case '*':
    case '/':
    case '>':
    case '>=':
    case '<':
    case '<=':
    case '=':
    case '!=': {
      const left = simple(tree.left)
      const right = simple(tree.right)
      return left.kind === 'number' && right.kind === 'number' ? { kind: 'number', value: worked(tree.kind, left.value, right.value) } : { kind: tree.kind, left, right }
    }
  }
}

function simpleList(kind: 'and' | 'or', parts: readonly Expression[]): Expression {
  const kept: Expression[] = []
  for (const [index, part] of parts.entries()) {
    if (part.kind !== 'number') {
      kept.push(part)
      continue
    }
    // What decides ends the list; what does not is its value only where it is the last.
    if ((part.value !== 0) === (kind === 'or')) {
      if (kind === 'and' || kept.length === 0) return part
      kept.push(part)
      break
    }
    if (index === parts.length - 1 && kind === 'and') kept.push(part)
  }
  const [only] = kept
  if (only === undefined) return parts.at(-1) ?? ZERO
  return kept.length === 1 ? only : { kind, of: kept }
}

function worked(kind: '*' | '/' | Operator, left: number, right: number): number {
  switch (kind) {
    case '*': return left * right
    // SpamAssassin takes it for no hit.
    case '/': return right === 0 ? 0 : left / right
    case '>': return Number(left > right)
    case '>=': return Number(left >= right)
    case '<': return Number(left < right)
    case '<=': return Number(left <= right)
    case '=': return Number(left === right)
    case '!=': return Number(left !== right)
  }
}

/** What is dear to find out, beside what is cheap. */
export type CostOf = (id: string) => number

/** Of several that must hold, or one of which must, the cheap ones are asked first. */
export function conditionOf(tree: Expression, costOf: CostOf): Condition {
  switch (tree.kind) {
    case 'rule': return { kind: 'rule', id: tree.id }
    case 'not': return { kind: 'not', of: conditionOf(tree.of, costOf) }
    case 'and':
    case 'or': return { kind: tree.kind === 'and' ? 'all' : 'any', of: cheapFirst(tree.of, costOf).map((one) => conditionOf(one, costOf)) }
    case '>':
    case '>=':
    case '<':
    case '<=':
    case '=':
    case '!=': return { kind: 'compare', left: quantityOf(tree.left, costOf), operator: tree.kind, right: quantityOf(tree.right, costOf) }
    case 'number':
    case 'minus':
    case 'sum':
    case '*':
    case '/':
    case 'choose':
    case 'matching': return { kind: 'compare', left: quantityOf(tree, costOf), operator: '!=', right: { kind: 'number', value: 0 } }
  }
}

export function quantityOf(tree: Expression, costOf: CostOf): Quantity {
  const quantity = (one: Expression): Quantity => quantityOf(one, costOf)
  switch (tree.kind) {
    case 'number': return tree
    case 'rule': return { kind: 'rule', id: tree.id }
    case 'minus': return { kind: '-', left: { kind: 'number', value: 0 }, right: quantity(tree.of) }
    case 'and': return { kind: 'both', of: tree.of.map(quantity) }
    case 'or': return { kind: 'either', of: tree.of.map(quantity) }
    case 'sum': return sum(tree.of.map(quantity))
    case '*':
    case '/': return { kind: tree.kind, left: quantity(tree.left), right: quantity(tree.right) }
    case 'choose': return { kind: 'choose', by: conditionOf(tree.by, costOf), yes: quantity(tree.yes), no: quantity(tree.no) }
    case 'not':
    case '>':
    case '>=':
    case '<':
    case '<=':
    case '=':
    case '!=': return { kind: 'truth', of: conditionOf(tree, costOf) }
    case 'matching': return { kind: 'number', value: 0 }
  }
}

function cheapFirst(parts: readonly Expression[], costOf: CostOf): readonly Expression[] {
  return parts.map((part) => ({ part, cost: costIn(part, costOf) })).sort((one, other) => one.cost - other.cost).map(({ part }) => part)
}

/** Of all rules that it names. */
export function costIn(tree: Expression, costOf: CostOf): number {
  let cost = 0
  namesIn(tree, (id) => void (cost += costOf(id)))
  return cost
}

/** Rules that it names; `all`: what it is itself is counted. */
export function namesIn(tree: Expression, found: (id: string, counted: boolean) => void, all = false): void {
  eachLeaf(tree, (leaf, counted) => {
    if (leaf.kind === 'rule') found(leaf.id, counted)
  }, all)
}

/** Rules that keep it from holding where they hit: those behind a `!`, and below a number. */
export function exceptionsIn(tree: Expression, found: (id: string) => void, excepted = false): void {
  switch (tree.kind) {
    case 'number':
    case 'matching': return
    case 'rule':
      if (excepted) found(tree.id)
      return
    case 'not':
    case 'minus': return exceptionsIn(tree.of, found, !excepted)
    case 'and':
    case 'or':
    case 'sum':
      for (const one of tree.of) exceptionsIn(one, found, excepted)
      return
    case 'choose':
      exceptionsIn(tree.yes, found, excepted)
      exceptionsIn(tree.no, found, excepted)
      return
    case '<':
    case '<=':
      exceptionsIn(tree.left, found, !excepted)
      exceptionsIn(tree.right, found, excepted)
      return
    case '=': return exceptionsIn(tree.left, found, tree.right.kind === 'number' && tree.right.value === 0 ? !excepted : excepted)
    case '*':
    case '/':
    case '>':
    case '>=':
    case '!=':
      exceptionsIn(tree.left, found, excepted)
      exceptionsIn(tree.right, found, tree.kind === '>' || tree.kind === '>=' ? !excepted : excepted)
      return
  }
}

/** What a meta counts that hits: below 0 it counts once, as in SpamAssassin. */
export function countOf(tree: Expression): Expression {
  if (tree.kind === 'number') return tree.value < 0 ? ONE : tree
  return mayBeBelow(tree) ? { kind: 'choose', by: { kind: '<', left: tree, right: ZERO }, yes: ONE, no: tree } : tree
}

function mayBeBelow(tree: Expression): boolean {
  switch (tree.kind) {
    case 'number': return tree.value < 0
    case 'minus': return true
    case 'and':
    case 'or':
    case 'sum': return tree.of.some(mayBeBelow)
    case '*':
    case '/': return mayBeBelow(tree.left) || mayBeBelow(tree.right)
    case 'choose': return mayBeBelow(tree.yes) || mayBeBelow(tree.no)
    default: return false
  }
}

/** What its `rules_matching()` ask for. */
export function globsIn(tree: Expression, found: (glob: string) => void): void {
  eachLeaf(tree, (leaf) => {
    if (leaf.kind === 'matching') found(leaf.glob)
  })
}

/** `counted`: its number counts, and not only whether it holds. */
function eachLeaf(tree: Expression, visit: (leaf: Expression, counted: boolean) => void, counted = false): void {
  switch (tree.kind) {
    case 'number':
    case 'matching':
    case 'rule': return visit(tree, counted)
    case 'not': return eachLeaf(tree.of, visit)
    case 'minus': return eachLeaf(tree.of, visit, true)
    case 'and':
    case 'or':
    case 'sum':
      for (const one of tree.of) eachLeaf(one, visit, counted || tree.kind === 'sum')
      return
    case 'choose':
      eachLeaf(tree.by, visit)
      eachLeaf(tree.yes, visit, true)
      eachLeaf(tree.no, visit, true)
      return
    case '*':
    case '/':
    case '>':
    case '>=':
    case '<':
    case '<=':
    case '=':
    case '!=':
      eachLeaf(tree.left, visit, true)
      eachLeaf(tree.right, visit, true)
      return
  }
}

/** `*` is anything, `?` one character. Only the last `*` is tried again: what those before it took does not matter. */
export function fitsGlob(name: string, glob: string): boolean {
  let [at, sign, star, again] = [0, 0, -1, 0]
  while (at < name.length) {
    if (glob[sign] === '*') {
      star = sign++
      again = at
    } else if (glob[sign] === '?' || glob[sign] === name[at]) {
      at++
      sign++
    } else if (star >= 0) {
      sign = star + 1
      at = ++again
    } else return false
  }
  while (glob[sign] === '*') sign++
  return sign === glob.length
}
