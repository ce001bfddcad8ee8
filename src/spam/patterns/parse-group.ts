/**
 * What stands between `(?` and a group's content, and which group has which
 * number and name (perlre, "Extended Patterns").
 */
import type { Cursor, Flags } from './cursor.ts'
import { foldOf, withFlag } from './cursor.ts'
import { NEVER } from './syntax.ts'
import type { Node } from './syntax.ts'

export type Opening =
  | { readonly kind: 'flags' }
  | { readonly kind: 'node'; readonly node: Node }
  | { readonly kind: 'open'; readonly wrap: (body: Node) => Node; readonly resets?: boolean }

const MAX_GROUPS = 1000

/** Numbers and names of groups; `(?|…)` begins again with each branch. */
export class GroupBook {
  count = 0
  /** how many there are in the whole source, about: brackets that are not escaped, quoted or followed by `?` */
  readonly total: number
  readonly #names = new Map<string, number[]>()
  readonly #pending: { groups: number[], name: string | undefined, at: number }[] = []
  readonly #branches: { from: number, highest: number, resets: boolean }[] = []
  #resetNext = false

  constructor(source: string) {
    this.total = source.replaceAll(/\\[^]|\[\^?\]?(?:\\[^]|[^\]\\])*\]/g, '').match(/\((?!\?(?!P?<\w|'))/g)?.length ?? 0
  }

  open(cursor: Cursor, name?: string): number {
    this.count++
    if (this.count > MAX_GROUPS) cursor.refuse(`a pattern has at most ${MAX_GROUPS} groups`)
    if (name !== undefined) {
      const others = this.#names.get(name)
      if (others === undefined) this.#names.set(name, [this.count])
      else others.push(this.count)
    }
    return this.count
  }

  resetBranches(): void {
    this.#resetNext = true
  }

  enterBranch(): void {
    this.#branches.push({ from: this.count, highest: this.count, resets: this.#resetNext })
    this.#resetNext = false
  }

  nextBranch(): void {
    const branch = this.#branches.at(-1)
    if (branch?.resets !== true) return
    branch.highest = Math.max(branch.highest, this.count)
    this.count = branch.from
  }

  leaveBranches(): void {
    const branch = this.#branches.pop()
    if (branch?.resets === true) this.count = Math.max(branch.highest, this.count)
  }

  /** Behind `\g` or `\k`. */
  reference(cursor: Cursor, began: number): Node {
    const found = cursor.match(/(-?\d+)|\{[ \t]*(-?\d+)[ \t]*\}|\{[ \t]*([A-Za-z_]\w*)[ \t]*\}|<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)'/y)
    if (found === undefined) cursor.refuse('a reference has no group', began)
    const [, plain, braced, ...names] = found
    const number = plain ?? braced
    if (number === undefined) return this.referenceByName(names.join(''), cursor, began)
    const group = Number(number)
    return this.referenceTo([group < 0 ? this.count + 1 + group : group], cursor, began)
  }

  referenceByName(name: string, cursor: Cursor, began: number): Node {
    const groups: number[] = []
    this.#pending.push({ groups, name, at: began })
    return { kind: 'reference', groups, fold: foldOf(cursor.flags) }
  }

  referenceTo(groups: number[], cursor: Cursor, began: number): Node {
    this.#pending.push({ groups, name: undefined, at: began })
    return { kind: 'reference', groups, fold: foldOf(cursor.flags) }
  }

  /** At the end: each reference has its group. */
  check(cursor: Cursor): void {
    for (const { groups, name, at } of this.#pending) {
      if (name !== undefined) groups.push(...this.#names.get(name) ?? cursor.refuse(`there is no group named ${name}`, at))
      if (groups.some((group) => group < 1 || group > this.count)) cursor.refuse(`there is no group ${groups.join()}`, at)
    }
  }
}

/** The opening bracket is behind us. */
export function openGroup(cursor: Cursor, groups: GroupBook): Opening {
  const began = cursor.at - 1
  if (cursor.peek() === '*') return openVerb(cursor, began)
  if (!cursor.take('?')) return cursor.flags.noCapture ? plain() : capture(groups.open(cursor))
  const named = cursor.match(/P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)'/y)
  if (named !== undefined) return capture(groups.open(cursor, named[1] ?? named[2] ?? ''))
  const referred = cursor.match(/P=([A-Za-z_]\w*)\)/y)?.[1]
  if (referred !== undefined) return { kind: 'node', node: groups.referenceByName(referred, cursor, began) }
  if (cursor.take(':')) return plain()
  if (cursor.take('|')) return { ...plain(), resets: true }
  if (cursor.take('>')) return { kind: 'open', wrap: (body) => ({ kind: 'atomic', body }) }
  if (cursor.take('=')) return look(false, false)
  if (cursor.take('!')) return look(false, true)
  if (cursor.take('<=')) return look(true, false)
  if (cursor.take('<!')) return look(true, true)
  if (cursor.peek() === '(') cursor.refuse('conditions are not supported', began)
  if (/^(?:[R0-9&]|[+-]\d|P>)/.test(cursor.source.slice(cursor.at, cursor.at + 2))) cursor.refuse('recursion is not supported', began)
  if (/^\??\{/.test(cursor.source.slice(cursor.at, cursor.at + 2))) cursor.refuse('code in a pattern is not supported', began)
  return openFlags(cursor, began)
}

function plain(): Extract<Opening, { kind: 'open' }> {
  return { kind: 'open', wrap: (body) => body }
}

function capture(group: number): Opening {
  return { kind: 'open', wrap: (body) => ({ kind: 'capture', body, group }) }
}

function look(behind: boolean, negative: boolean): Opening {
  return { kind: 'open', wrap: (body) => ({ kind: 'look', body, behind, negative }) }
}

/** `(?i)`, `(?i-s:`, `(?^i:` */
function openFlags(cursor: Cursor, began: number): Opening {
  const found = cursor.match(/(\^?)([a-z]*)(?:-([a-z]*))?([:)])/y)
  if (found === undefined) cursor.refuse('this kind of group is not known', began)
  const [, caret, on = '', off = '', end] = found
  let flags: Flags = caret !== '' ? { ...cursor.flags, ignoreCase: false, multiLine: false, dotAll: false, extended: false, moreExtended: false, noCapture: false } : cursor.flags
  for (const flag of on) flags = withFlag(flags, flag, true) ?? cursor.refuse(`the flag ${flag} is not supported`, began)
  for (const flag of off) flags = withFlag(flags, flag, false) ?? cursor.refuse(`the flag ${flag} cannot be turned off`, began)
  cursor.flags = flags
  return end === ')' ? { kind: 'flags' } : plain()
}

/** perlre, "Special Backtracking Control Verbs", and the long names of assertions */
function openVerb(cursor: Cursor, began: number): Opening {
  if (cursor.match(/\*(?:FAIL|F)\)/y) !== undefined) return { kind: 'node', node: NEVER }
  const name = cursor.match(/\*([a-z_]+):/y)?.[1]
  switch (name) {
    case 'pla':
    case 'positive_lookahead': return look(false, false)
    case 'nla':
    case 'negative_lookahead': return look(false, true)
    case 'plb':
    case 'positive_lookbehind': return look(true, false)
    case 'nlb':
    case 'negative_lookbehind': return look(true, true)
    case 'atomic': return { kind: 'open', wrap: (body) => ({ kind: 'atomic', body }) }
    default: cursor.refuse('verbs are not supported', began)
  }
}
