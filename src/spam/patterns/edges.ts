/**
 * Literals that begin or end where a word does. A mark at a literal's begin says
 * that no letter, digit or underscore of ASCII stands before it, one at its end
 * that none stands behind it: what is a word for a pattern is not looked at
 * within other words.
 */

/** The mark: no pattern needs the control character that it is. */
export const EDGE = '\b'

const WORD = /[A-Za-z0-9_]/

/** The literal without marks. */
export function unmarked(literal: string): string {
  return literal.slice(Number(beginsAtEdge(literal)), literal.length - Number(endsAtEdge(literal)))
}

export function beginsAtEdge(literal: string): boolean {
  return literal.startsWith(EDGE)
}

export function endsAtEdge(literal: string): boolean {
  return literal.length > 1 && literal.endsWith(EDGE)
}

/** In code units, without marks. */
export function lengthOf(literal: string): number {
  return unmarked(literal).length
}

/** One behind the other. A mark stays where it stands beside a character of a word at the begin or end; elsewhere it says nothing, or something else. */
export function joinedLiterals(one: string, other: string): string {
  if (one === '' || one === EDGE) {
    const rest = other.startsWith(EDGE) ? other.slice(1) : other
    if (rest === '') return one === '' ? other : EDGE
    return (one === EDGE || rest !== other) && WORD.test(rest.charAt(0)) ? EDGE + rest : rest
  }
  const begin = endsAtEdge(one) ? one.slice(0, -1) : one
  if (other === '') return one
  if (other === EDGE) return WORD.test(begin.charAt(begin.length - 1)) ? begin + EDGE : begin
  return begin + (other.startsWith(EDGE) ? other.slice(1) : other)
}

/** One byte for each of U+0000 to U+FFFF: 1 for what is in a word wherever there are words. */
export const IN_WORDS: Uint8Array = Uint8Array.from({ length: 0x10000 }, (_, unit) => Number(unit < 128 && WORD.test(String.fromCharCode(unit))))
