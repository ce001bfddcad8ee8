/**
 * Reads a regular expression in Perl's syntax (perlre) into a tree. What cannot
 * be read, or asks for more than the bounds, ends in a `Refusal` that says what
 * and where. Not supported: code, recursion, conditions, \G, \X, verbs.
 */
import { ANY, NOT_NEWLINE, SetBuilder, VERTICAL } from './character-set.ts'
import { alphabetOf, Cursor, foldOf } from './cursor.ts'
import type { Flags } from './cursor.ts'
import { parseClass } from './parse-class.ts'
import { octal, parseEscape } from './parse-escape.ts'
import { GroupBook, openGroup } from './parse-group.ts'
import { EMPTY, NEVER, sizeOf, widthOf } from './syntax.ts'
import type { Node, Tree } from './syntax.ts'

const MAX_SOURCE_CHARACTERS = 32_768
const MAX_NESTING = 100
/** perlre: a quantifier counts to 65,534 */
const MAX_COUNT = 65_534
/** Instructions that a pattern may become, with every counted repetition written out. */
const MAX_SIZE = 10_000
/** perlre: a look-behind looks at most so far */
const MAX_BEHIND = 255

export function parse(source: string, flags: Flags): Tree {
  const cursor = new Cursor(source, flags)
  if (source.length > MAX_SOURCE_CHARACTERS) cursor.refuse(`a pattern has at most ${MAX_SOURCE_CHARACTERS} characters`, MAX_SOURCE_CHARACTERS)
  const parser = new Parser(cursor)
  const root = parser.choice(0)
  if (!cursor.ended) cursor.refuse('a bracket closes nothing')
  parser.groups.check(cursor)
  if (sizeOf(root) > MAX_SIZE) cursor.refuse(`with its repetitions written out the pattern is longer than ${MAX_SIZE} instructions`, 0)
  return { root, groups: parser.groups.count, bytes: flags.rules === 'bytes' }
}

class Parser {
  readonly #cursor: Cursor
  readonly groups: GroupBook

  constructor(cursor: Cursor) {
    this.#cursor = cursor
    this.groups = new GroupBook(cursor.source)
  }

  /** Up to a closing bracket or the end. */
  choice(depth: number): Node {
    const cursor = this.#cursor
    if (depth > MAX_NESTING) cursor.refuse(`brackets are nested more than ${MAX_NESTING} deep`)
    this.groups.enterBranch()
    const branches = [this.#sequence(depth)]
    while (cursor.take('|')) {
      this.groups.nextBranch()
      branches.push(this.#sequence(depth))
    }
    this.groups.leaveBranches()
    const [only] = branches
    return branches.length === 1 && only !== undefined ? only : { kind: 'choice', branches }
  }

  #sequence(depth: number): Node {
    const cursor = this.#cursor
    const items: Node[] = []
    for (;;) {
      this.#skipBlanks()
      if (cursor.ended || cursor.peek() === '|' || cursor.peek() === ')') break
      const began = cursor.at
      const quoted = cursor.peek() === '\\' && cursor.peek(1) === 'Q'
      let item = this.#atom(depth)
      if (item === undefined) continue
      if (quoted && item.kind === 'sequence') {
        // A quantifier behind a quotation is that of its last character.
        items.push(...item.items.slice(0, -1))
        item = item.items.at(-1) ?? EMPTY
      }
      this.#skipBlanks()
      const whole = this.#quantified(item, began)
      if (whole.kind === 'sequence') items.push(...whole.items)
      else items.push(whole)
    }
    const [only] = items
    return items.length === 1 && only !== undefined ? only : { kind: 'sequence', items }
  }

  #skipBlanks(): void {
    const cursor = this.#cursor
    while (cursor.match(/\(\?#[^)]*\)/y) !== undefined || (cursor.flags.extended && cursor.match(/[\s\x85\u200e\u200f\u2028\u2029]+|#[^\n]*/y) !== undefined));
  }

  /** undefined: it was no more than a change of flags, or a quotation */
  #atom(depth: number): Node | undefined {
    const cursor = this.#cursor
    const began = cursor.at
    const code = cursor.nextCodePoint()
    switch (code) {
      case 0x5b: return { kind: 'set', set: parseClass(cursor) }
      case 0x28: return this.#group(depth, began)
      case 0x2e: return { kind: 'set', set: cursor.flags.dotAll ? ANY : NOT_NEWLINE }
      case 0x5e: return { kind: 'assertion', what: cursor.flags.multiLine ? 'line-start' : 'start' }
      case 0x24: return { kind: 'assertion', what: cursor.flags.multiLine ? 'line-end' : 'end-or-newline' }
      case 0x2a:
      case 0x2b:
      case 0x3f: return cursor.refuse('a quantifier follows nothing', began)
      case 0x5c: return this.#escape(began)
      default: return this.#character(code)
    }
  }

  #character(code: number): Node {
    return { kind: 'character', code, fold: foldOf(this.#cursor.flags) }
  }

  #group(depth: number, began: number): Node | undefined {
    const cursor = this.#cursor
    const outside = cursor.flags
    const opened = openGroup(cursor, this.groups)
    switch (opened.kind) {
      // The flags hold up to the end of the group around.
      case 'flags': return undefined
      case 'node': return opened.node
      case 'open': {
        if (opened.resets) this.groups.resetBranches()
        const body = this.choice(depth + 1)
        if (!cursor.take(')')) cursor.refuse('a bracket is not closed', began)
        cursor.flags = outside
        const node = opened.wrap(body)
        if (node.kind === 'look' && node.behind && widthOf(node.body).most > 2 * MAX_BEHIND) cursor.refuse(`a look-behind looks at most ${MAX_BEHIND} characters back`, began)
        return node
      }
    }
  }

  #escape(began: number): Node | undefined {
    const cursor = this.#cursor
    const escape = parseEscape(cursor)
    if (escape.kind === 'code') return this.#character(escape.code)
    if (escape.kind === 'set') return { kind: 'set', set: escape.set }
    switch (escape.letter) {
      case 'A': return { kind: 'assertion', what: 'start' }
      case 'z': return { kind: 'assertion', what: 'end' }
      case 'Z': return { kind: 'assertion', what: 'end-or-newline' }
      case 'b':
      case 'B':
        if (cursor.peek() === '{') cursor.refuse(`\\${escape.letter}{…} (borders of Unicode) is not supported`, began)
        return { kind: 'word-edge', word: alphabetOf(cursor.flags).word, negative: escape.letter === 'B' }
      case 'R': return newlines()
      // What was matched begins here for whoever replaces it; whether it matches is the same.
      case 'K': return EMPTY
      case 'Q': return this.#quotation()
      case 'E': return undefined
      case '0': return this.#number()
      case 'g':
      case 'k': return this.groups.reference(cursor, began)
      default: return cursor.refuse(`\\${escape.letter} is not supported`, began)
    }
  }

  #quotation(): Node | undefined {
    const cursor = this.#cursor
    const end = cursor.source.indexOf('\\E', cursor.at)
    const quoted = cursor.source.slice(cursor.at, end < 0 ? cursor.source.length : end)
    cursor.at = end < 0 ? cursor.source.length : end + 2
    return quoted === '' ? undefined : { kind: 'sequence', items: Array.from(quoted, (character) => this.#character(character.codePointAt(0) ?? 0)) }
  }

  /** `\1` to `\9` are references, further ones are where there are so many groups; all others are octal. */
  #number(): Node {
    const cursor = this.#cursor
    const began = cursor.at - 1
    const digits = /^(?:0|[1-9]\d{0,4})/.exec(cursor.source.slice(cursor.at, cursor.at + 5))?.[0] ?? '0'
    const number = Number(digits)
    if (number === 0 || (number > 9 && number > this.groups.total)) return /[89]/.test(cursor.peek()) ? this.#character(cursor.nextCodePoint()) : this.#character(octal(cursor))
    cursor.at += digits.length
    return this.groups.referenceTo([number], cursor, began)
  }

  #quantified(item: Node, began: number): Node {
    const cursor = this.#cursor
    const at = cursor.at
    const counts = this.#counts()
    if (counts === undefined) return item
    const [least, most] = counts
    if (Math.max(least, most === Infinity ? 0 : most) > MAX_COUNT) cursor.refuse(`a quantifier counts to at most ${MAX_COUNT}`, at)
    const mode = cursor.take('?') ? 'lazy' : 'greedy'
    const possessive = mode === 'greedy' && cursor.take('+')
    this.#skipBlanks()
    const behind = cursor.at
    if (this.#counts() !== undefined) cursor.refuse('a quantifier follows a quantifier', behind)
    // As in Perl, more at least than at most matches nothing.
    const node: Node = least > most ? NEVER : { kind: 'repeat', body: item, least, most, mode }
    if (sizeOf(node) > MAX_SIZE) cursor.refuse(`with its repetitions written out this is longer than ${MAX_SIZE} instructions`, began)
    return possessive ? { kind: 'atomic', body: node } : node
  }

  #counts(): readonly [least: number, most: number] | undefined {
    const cursor = this.#cursor
    if (cursor.take('*')) return [0, Infinity]
    if (cursor.take('+')) return [1, Infinity]
    if (cursor.take('?')) return [0, 1]
    const found = cursor.match(/\{[ \t]*(?:(\d+)[ \t]*(?:(,)[ \t]*(\d*))?|,[ \t]*(\d+))[ \t]*\}/y)
    if (found === undefined) return undefined
    const [, least, comma, most, mostAlone] = found
    if (least === undefined) return [0, Number(mostAlone)]
    if (comma === undefined) return [Number(least), Number(least)]
    return [Number(least), most === undefined || most === '' ? Infinity : Number(most)]
  }
}

/** `\R`: once taken, CR LF is not taken apart. */
function newlines(): Node {
  const pair: Node = { kind: 'sequence', items: [{ kind: 'character', code: 13, fold: undefined }, { kind: 'character', code: 10, fold: undefined }] }
  const single: Node = { kind: 'set', set: new SetBuilder().set(VERTICAL).build({ negated: false, fold: undefined }) }
  return { kind: 'atomic', body: { kind: 'choice', branches: [pair, single] } }
}
