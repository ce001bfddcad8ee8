/**
 * What stands behind a backslash in a pattern (perlrebackslash), alike in a
 * class and outside; and which sets `\w`, `\p{…}` and their like are.
 */
import { closedOver, complementOf, HORIZONTAL, LAST_CODE_POINT, NOT_NEWLINE, propertySet, VERTICAL } from './character-set.ts'
import type { CharacterSet } from './character-set.ts'
import { alphabetOf, foldOf } from './cursor.ts'
import type { Cursor } from './cursor.ts'

export type Escape =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'set'; readonly set: CharacterSet }
  /** for the caller: an assertion, a reference, `\R` … */
  | { readonly kind: 'other'; readonly letter: string }

const CONTROLS: ReadonlyMap<string, number> = new Map([['a', 7], ['e', 27], ['f', 12], ['n', 10], ['r', 13], ['t', 9]])
const OTHERS = 'ABGKRXZzbgkQE'

/** Properties that are one where case does not count. */
const CASED = /^(?:.*[=:])?(?:Is_?)?(?:L[ult]|X?(?:Posix)?(?:Upper|Lower|Title)(?:[ _-]?case)?(?:[ _-]?letter)?)$/i

/** The backslash is behind us. */
export function parseEscape(cursor: Cursor): Escape {
  const began = cursor.at - 1
  if (cursor.ended) cursor.refuse('a backslash is the last character', began)
  const letter = String.fromCodePoint(cursor.nextCodePoint())
  const control = CONTROLS.get(letter)
  if (control !== undefined) return { kind: 'code', code: control }
  const set = setOf(cursor, letter)
  if (set !== undefined) return { kind: 'set', set }
  switch (letter) {
    case 'x': return { kind: 'code', code: hexadecimal(cursor) }
    case 'o': return { kind: 'code', code: braced(cursor, /\{\s*([0-7]+)\s*\}/y, 8) }
    case 'c': return { kind: 'code', code: controlCode(cursor) }
    case 'N': return named(cursor)
    case 'p':
    case 'P': return { kind: 'set', set: property(cursor, letter === 'P') }
    case 'C': cursor.refuse('\\C (one byte of a character) is not supported', began)
  }
  if (letter >= '0' && letter <= '9') {
    cursor.at--
    return { kind: 'other', letter: '0' }
  }
  // An unknown letter stands for itself, as in Perl, which warns.
  return OTHERS.includes(letter) ? { kind: 'other', letter } : { kind: 'code', code: letter.codePointAt(0) ?? 0 }
}

function setOf(cursor: Cursor, letter: string): CharacterSet | undefined {
  const { word, digit, space } = alphabetOf(cursor.flags)
  switch (letter) {
    case 'w': return word
    case 'W': return complementOf(word)
    case 'd': return digit
    case 'D': return complementOf(digit)
    case 's': return space
    case 'S': return complementOf(space)
    case 'h': return HORIZONTAL
    case 'H': return complementOf(HORIZONTAL)
    case 'v': return VERTICAL
    case 'V': return complementOf(VERTICAL)
    default: return undefined
  }
}

/** Up to three octal digits. */
export function octal(cursor: Cursor): number {
  return Number.parseInt(cursor.match(/[0-7]{1,3}/y)?.[0] ?? '0', 8)
}

function hexadecimal(cursor: Cursor): number {
  if (cursor.peek() === '{') return braced(cursor, /\{\s*([0-9A-Fa-f_]*)\s*\}/y, 16)
  return Number.parseInt(cursor.match(/[0-9A-Fa-f]{1,2}/y)?.[0] ?? '0', 16)
}

function braced(cursor: Cursor, form: RegExp, radix: number): number {
  const began = cursor.at
  const digits = cursor.match(form)?.[1]?.replaceAll('_', '')
  if (digits === undefined) cursor.refuse('the number of a character is not closed, or is no number', began)
  const code = digits === '' ? 0 : Number.parseInt(digits, radix)
  if (code > LAST_CODE_POINT) cursor.refuse('there is no character above U+10FFFF', began)
  return code
}

function controlCode(cursor: Cursor): number {
  const code = cursor.ended ? 0 : cursor.nextCodePoint()
  if (code < 0x20 || code > 0x7e) cursor.refuse('\\c must be followed by a printable ASCII character', cursor.at - 1)
  return String.fromCharCode(code).toUpperCase().charCodeAt(0) ^ 64
}

function named(cursor: Cursor): Escape {
  const code = cursor.match(/\{\s*U\+([0-9A-Fa-f]{1,6})\s*\}/y)?.[1]
  if (code !== undefined) {
    const number = Number.parseInt(code, 16)
    if (number > LAST_CODE_POINT) cursor.refuse('there is no character above U+10FFFF')
    return { kind: 'code', code: number }
  }
  if (/^\{[^\d,\s]/.test(cursor.source.slice(cursor.at, cursor.at + 2))) cursor.refuse('names of characters are not known: write \\N{U+…}')
  return { kind: 'set', set: NOT_NEWLINE }
}

function property(cursor: Cursor, negative: boolean): CharacterSet {
  const began = cursor.at
  const found = cursor.match(/\{\s*(\^?)([^{}]*)\}|(\p{L})/uy)
  if (found === undefined) cursor.refuse('\\p must be followed by the name of a property in braces', began)
  const name = (found[2] ?? found[3] ?? '').trim()
  const set = propertySet(name)
  if (set === undefined) cursor.refuse('this property of Unicode is not known', began)
  const closed = CASED.test(name) ? closedOver(set, foldOf(cursor.flags)) : set
  return negative !== (found[1] === '^') ? complementOf(closed) : closed
}
