/** A class in brackets (perlrecharclass), with ranges and the classes of POSIX. */
import { closedOver, complementOf, SetBuilder } from './character-set.ts'
import type { CharacterSet } from './character-set.ts'
import { alphabetOf, foldOf } from './cursor.ts'
import type { Cursor } from './cursor.ts'
import { octal, parseEscape } from './parse-escape.ts'

/** A character, or a set, which cannot end a range. */
type Member = number | CharacterSet

const DASH = 0x2d

/** The opening bracket is behind us. */
export function parseClass(cursor: Cursor): CharacterSet {
  const began = cursor.at - 1
  const builder = new SetBuilder()
  const negated = cursor.take('^')
  for (let first = true; ; first = false) {
    if (cursor.flags.moreExtended) cursor.match(/[ \t]+/y)
    if (cursor.ended) cursor.refuse('a class is not closed', began)
    if (!first && cursor.take(']')) break
    addMember(cursor, builder)
  }
  return builder.build({ negated, fold: foldOf(cursor.flags) })
}

function addMember(cursor: Cursor, builder: SetBuilder): void {
  const at = cursor.at
  const from = parseMember(cursor)
  const ranges = cursor.peek() === '-' && cursor.peek(1) !== ']' && cursor.peek(1) !== ''
  if (!ranges) {
    add(builder, from)
    return
  }
  cursor.at++
  const to = parseMember(cursor)
  if (typeof from === 'number' && typeof to === 'number') {
    if (from > to) cursor.refuse('a range of a class goes backwards', at)
    builder.range(from, to)
  } else {
    // `[\w-x]`: the dash is one.
    add(builder, from)
    builder.range(DASH, DASH)
    add(builder, to)
  }
}

function add(builder: SetBuilder, member: Member): void {
  if (typeof member === 'number') builder.range(member, member)
  else builder.set(member)
}

function parseMember(cursor: Cursor): Member {
  if (cursor.peek() === '[' && /[:.=]/.test(cursor.peek(1))) {
    const posix = parsePosix(cursor)
    if (posix !== undefined) return posix
  }
  if (!cursor.take('\\')) return cursor.nextCodePoint()
  const began = cursor.at - 1
  const escape = parseEscape(cursor)
  switch (escape.kind) {
    case 'code': return escape.code
    case 'set': return escape.set
    case 'other': {
      if (escape.letter === 'b') return 8
      if (escape.letter === '0') return /[89]/.test(cursor.peek()) ? cursor.nextCodePoint() : octal(cursor)
      if (/[BRX]/.test(escape.letter)) cursor.refuse(`\\${escape.letter} cannot stand in a class`, began)
      return escape.letter.charCodeAt(0)
    }
  }
}

function parsePosix(cursor: Cursor): CharacterSet | undefined {
  const began = cursor.at
  const found = cursor.match(/\[([:.=])(\^?)(\w*)\1\]/y)
  // A bracket that opens nothing is one.
  if (found === undefined) return undefined
  const [, form, negative, name = ''] = found
  if (form !== ':') cursor.refuse('collating elements and equivalence classes are not supported', began)
  const set = alphabetOf(cursor.flags).posix.get(name)
  if (set === undefined) cursor.refuse(`there is no class [:${name}:]`, began)
  // Where case does not count, capitals are small letters too.
  const closed = name === 'upper' || name === 'lower' ? closedOver(set, foldOf(cursor.flags)) : set
  return negative === '^' ? complementOf(closed) : closed
}
