/**
 * The Unicode script of a letter (Unicode Standard Annex 24), by ranges: the
 * scripts that mail is written in. Digits, signs and marks have none. The share
 * of each script among the letters of a text.
 */
import { MAX_SCRIPT_CHARACTERS } from '../bounds.ts'
import { CodeArray } from './codes.ts'

/** First and last code point, in their order. What lies between them and is no letter is left out where it is common in mail. */
const RANGES: readonly (readonly [number, number, string])[] = [
  [0x41, 0x5a, 'Latin'], [0x61, 0x7a, 'Latin'], [0xaa, 0xaa, 'Latin'], [0xba, 0xba, 'Latin'], [0xc0, 0xd6, 'Latin'], [0xd8, 0xf6, 'Latin'], [0xf8, 0x2b8, 'Latin'],
  [0x370, 0x373, 'Greek'], [0x376, 0x377, 'Greek'], [0x37b, 0x37d, 'Greek'], [0x37f, 0x37f, 'Greek'], [0x386, 0x386, 'Greek'], [0x388, 0x3e1, 'Greek'], [0x3e2, 0x3ef, 'Coptic'], [0x3f0, 0x3ff, 'Greek'],
  [0x400, 0x481, 'Cyrillic'], [0x48a, 0x52f, 'Cyrillic'], [0x531, 0x556, 'Armenian'], [0x561, 0x587, 'Armenian'], [0x5d0, 0x5ea, 'Hebrew'],
  [0x620, 0x64a, 'Arabic'], [0x66e, 0x66f, 'Arabic'], [0x671, 0x6d3, 'Arabic'], [0x6fa, 0x6ff, 'Arabic'], [0x710, 0x72f, 'Syriac'], [0x750, 0x77f, 'Arabic'], [0x780, 0x7a5, 'Thaana'], [0x8a0, 0x8b4, 'Arabic'],
  [0x904, 0x939, 'Devanagari'], [0x958, 0x961, 'Devanagari'], [0x972, 0x97f, 'Devanagari'], [0x985, 0x9b9, 'Bengali'], [0x9ce, 0x9ce, 'Bengali'], [0x9dc, 0x9e1, 'Bengali'], [0xa05, 0xa39, 'Gurmukhi'], [0xa85, 0xab9, 'Gujarati'],
  [0xb05, 0xb39, 'Oriya'], [0xb83, 0xbb9, 'Tamil'], [0xc05, 0xc39, 'Telugu'], [0xc85, 0xcb9, 'Kannada'], [0xd05, 0xd3a, 'Malayalam'], [0xd85, 0xdc6, 'Sinhala'],
  [0xe01, 0xe30, 'Thai'], [0xe32, 0xe33, 'Thai'], [0xe40, 0xe46, 'Thai'], [0xe81, 0xeb0, 'Lao'], [0xec0, 0xec6, 'Lao'], [0xf40, 0xf6c, 'Tibetan'], [0x1000, 0x102a, 'Myanmar'], [0x10a0, 0x10ff, 'Georgian'],
  [0x1100, 0x11ff, 'Hangul'], [0x1200, 0x135a, 'Ethiopic'], [0x13a0, 0x13fd, 'Cherokee'], [0x1401, 0x166c, 'Canadian_Aboriginal'], [0x1780, 0x17b3, 'Khmer'], [0x1820, 0x1878, 'Mongolian'],
  [0x1d00, 0x1d25, 'Latin'], [0x1d26, 0x1d2a, 'Greek'], [0x1d2b, 0x1d2b, 'Cyrillic'], [0x1d2c, 0x1d5c, 'Latin'], [0x1d5d, 0x1d61, 'Greek'], [0x1d62, 0x1d65, 'Latin'], [0x1d66, 0x1d6a, 'Greek'], [0x1d6b, 0x1d77, 'Latin'], [0x1d78, 0x1d78, 'Cyrillic'], [0x1d79, 0x1dbe, 'Latin'], [0x1dbf, 0x1dbf, 'Greek'], [0x1e00, 0x1eff, 'Latin'], [0x1f00, 0x1fbc, 'Greek'], [0x1fc2, 0x1fcc, 'Greek'], [0x1fd0, 0x1fdb, 'Greek'], [0x1fe0, 0x1fec, 'Greek'], [0x1ff2, 0x1ffc, 'Greek'],
  [0x2071, 0x2071, 'Latin'], [0x207f, 0x207f, 'Latin'], [0x2c60, 0x2c7f, 'Latin'], [0x2c80, 0x2cee, 'Coptic'], [0x2d00, 0x2d2d, 'Georgian'], [0x2de0, 0x2dff, 'Cyrillic'],
  [0x3005, 0x3005, 'Han'], [0x3007, 0x3007, 'Han'], [0x3041, 0x3096, 'Hiragana'], [0x309d, 0x309f, 'Hiragana'], [0x30a1, 0x30fa, 'Katakana'], [0x30fd, 0x30ff, 'Katakana'], [0x3105, 0x312f, 'Bopomofo'], [0x3131, 0x3163, 'Hangul'], [0x3165, 0x318e, 'Hangul'], [0x31f0, 0x31ff, 'Katakana'],
  [0x3400, 0x4dbf, 'Han'], [0x4e00, 0x9fff, 'Han'], [0xa4d0, 0xa4fd, 'Lisu'], [0xa640, 0xa66e, 'Cyrillic'], [0xa680, 0xa69d, 'Cyrillic'], [0xa722, 0xa787, 'Latin'], [0xa78b, 0xa7ca, 'Latin'], [0xab30, 0xab5a, 'Latin'], [0xab70, 0xabbf, 'Cherokee'], [0xac00, 0xd7a3, 'Hangul'],
  [0xf900, 0xfa6d, 'Han'], [0xfb00, 0xfb06, 'Latin'], [0xfb13, 0xfb17, 'Armenian'], [0xfb1d, 0xfb4f, 'Hebrew'], [0xfb50, 0xfdfb, 'Arabic'], [0xfe70, 0xfefc, 'Arabic'], [0xff21, 0xff3a, 'Latin'], [0xff41, 0xff5a, 'Latin'], [0xff66, 0xff9d, 'Katakana'], [0xffa1, 0xffdc, 'Hangul'],
  [0x1d400, 0x1d6a5, 'Latin'], [0x1d6a8, 0x1d7cb, 'Greek'], [0x20000, 0x2fa1d, 'Han'], [0x30000, 0x3134a, 'Han'],
]

/** undefined: no letter, or of a script that is not told. */
export function scriptOf(code: number): string | undefined {
  let low = 0
  let high = RANGES.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const [first, last, script] = RANGES[middle] ?? [0, 0, '']
    if (code < first) high = middle - 1
    else if (code > last) low = middle + 1
    else return script
  }
  return undefined
}

/** The scripts of the first plane by 16-bit unit: an index into NAMES, 0 for none; made when text that is not ASCII comes for the first time. */
const NAMES = ['', ...new Set(RANGES.map(([, , script]) => script))]
let table: Uint8Array | undefined

/** Not 0 for letters, by 16-bit unit; halves of letters beyond the first plane are none. */
export function letterTable(): Uint8Array {
  return scriptTable()
}

function scriptTable(): Uint8Array {
  if (table !== undefined) return table
  table = new Uint8Array(0x1_0000)
  for (const [first, last, script] of RANGES) if (last < 0x1_0000) table.fill(NAMES.indexOf(script), first, last + 1)
  return table
}

const LATIN = NAMES.indexOf('Latin')
const array = new CodeArray()

/** Adds the letters of a text to `counts`, by index in NAMES. Those of ASCII, which most are, are told without a look-up or a branch. */
function count(text: string, counts: Float64Array): void {
  const scripts = scriptTable()
  const units = array.of(text.length > MAX_SCRIPT_CHARACTERS ? text.slice(0, MAX_SCRIPT_CHARACTERS) : text, false)
  let latin = 0
  for (let at = 0; at < units.length; at++) {
    const code = units[at] as number
    if (code < 0x80) {
      const place = (code | 0x20) - 0x61
      // 1 from 0 to 25
      latin += ((place - 26) & ~place) >>> 31
      continue
    }
    const index = code >= 0xd800 && code <= 0xdbff ? NAMES.indexOf(scriptOf(text.codePointAt(at) ?? 0) ?? '') : scripts[code] as number
    counts[index] = (counts[index] as number) + 1
  }
  counts[LATIN] = (counts[LATIN] as number) + latin
}

const ONLY_LATIN: ReadonlyMap<string, number> = new Map([['Latin', 1]])
const NO_LETTERS: ReadonlyMap<string, number> = new Map()

/** `ascii`: none of the texts has a character beyond ASCII. Shares of the letters of all, largest first. */
export function scriptShares(texts: readonly string[], ascii: boolean): ReadonlyMap<string, number> {
  if (ascii) return texts.some((text) => /[A-Za-z]/.test(text)) ? ONLY_LATIN : NO_LETTERS
  const counts = new Float64Array(NAMES.length)
  for (const text of texts) count(text, counts)
  let letters = 0
  for (let index = 1; index < counts.length; index++) letters += counts[index] ?? 0
  const found: [string, number][] = []
  for (let index = 1; index < counts.length; index++) {
    const share = (counts[index] ?? 0) / letters
    if (share > 0) found.push([NAMES[index] ?? '', share])
  }
  return new Map(found.sort((a, b) => b[1] - a[1]))
}
