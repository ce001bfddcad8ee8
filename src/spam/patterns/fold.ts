/**
 * Case folding: which characters a pattern with the flag `i` takes as one
 * (Unicode's simple case folding, CaseFolding.txt with status C and S). Where
 * one character folds to two (`ß` and `ss`), it stays as it is. Pure.
 *
 * Text that is bytes folds A to Z only, as Perl does.
 */

/** Where the Basic Multilingual Plane has letters with case; outside nothing folds. */
const CASED: readonly (readonly [number, number])[] = [
  [0x41, 0x5a], [0xb5, 0x24f], [0x250, 0x587], [0x10a0, 0x10ff], [0x13a0, 0x13fd], [0x1c80, 0x1cbf], [0x1d79, 0x1d8e],
  [0x1e00, 0x1fff], [0x2126, 0x2188], [0x24b6, 0x24e9], [0x2c00, 0x2d2d], [0xa640, 0xa69b], [0xa722, 0xa7f6], [0xab53, 0xabbf], [0xff21, 0xff5a],
]
/** dotless i: its capital is I, and yet it is not the same as i */
const DOTLESS_I = 0x131

export type FoldTable = Uint16Array

let unicode: FoldTable | undefined
let ascii: FoldTable | undefined
let variants: Map<number, number[]> | undefined

/** Folds a code unit by looking it up; surrogates are themselves. */
export function unicodeFold(): FoldTable {
  if (unicode !== undefined) return unicode
  unicode = identity()
  for (const [first, last] of CASED) for (let code = first; code <= last; code++) unicode[code] = folded(code)
  return unicode
}

export function asciiFold(): FoldTable {
  if (ascii !== undefined) return ascii
  ascii = identity()
  for (let code = 0x41; code <= 0x5a; code++) ascii[code] = code + 32
  return ascii
}

/** Of a code point, also beyond the first plane. */
export function foldCodePoint(code: number, table: FoldTable): number {
  if (code < 0x10000) return table[code] as number
  if (table === ascii) return code
  return String.fromCodePoint(code).toLowerCase().codePointAt(0) ?? code
}

/** All code points that fold to the same as this one, itself among them. */
export function variantsOf(code: number, table: FoldTable): readonly number[] {
  const to = foldCodePoint(code, table)
  if (table === ascii) return to >= 0x61 && to <= 0x7a ? [to, to - 32] : [code]
  if (to >= 0x10000) {
    const capital = String.fromCodePoint(to).toUpperCase().codePointAt(0) ?? to
    return capital === to ? [to] : [to, capital]
  }
  variants ??= variantsByFold()
  return variants.get(to) ?? [code]
}

function variantsByFold(): Map<number, number[]> {
  const table = unicodeFold()
  const found = new Map<number, number[]>()
  for (const [first, last] of CASED) {
    for (let code = first; code <= last; code++) {
      const to = table[code] as number
      if (to === code) continue
      const others = found.get(to)
      if (others === undefined) found.set(to, [to, code])
      else others.push(code)
    }
  }
  return found
}

function identity(): FoldTable {
  const table = new Uint16Array(0x10000)
  for (let code = 0; code < 0x10000; code++) table[code] = code
  return table
}

/** By way of the capital: characters that share one (σ and ς, s and ſ) are the same. */
function folded(code: number): number {
  if (code === DOTLESS_I) return code
  const text = String.fromCharCode(code)
  const capital = text.toUpperCase()
  const small = (capital.length === 1 ? capital : text).toLowerCase()
  return small.length === 1 ? small.charCodeAt(0) : code
}
