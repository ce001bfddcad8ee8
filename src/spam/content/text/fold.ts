/**
 * Text as disguises leave it when they are taken off: lower case, letters of
 * other scripts that look like ASCII as ASCII, nothing invisible, digits for
 * letters inside words put right, s.p.a.c.e.d and s p a c e d words joined, what
 * is written backwards turned around. For patterns; nobody is shown it. Text of other languages stays what it is: only
 * a word that mixes scripts, or that has nothing but look-alikes in it while the
 * text is in Latin letters, is changed.
 */
import { CodeArray, isAscii, type Codes } from './codes.ts'
import { confusedWith, isInvisible } from './confusables.ts'
import { letterTable } from './scripts.ts'
import { turnedBack } from './turned.ts'
import { WordMender } from './word-mender.ts'

/** It may have to be left out, or stands for a letter in two halves. */
const INVISIBLE = 1
/** Normalization (NFKC) may change it. */
const COMPATIBLE = 2
const CONFUSED = 4

/** Ranges of what normalization changes; a character in them that it leaves alone costs a little time. */
const COMPATIBLE_RANGES: readonly (readonly [number, number])[] = [
  [0xaa, 0xaa], [0xb2, 0xb5], [0xb8, 0xba], [0xbc, 0xbe], [0x132, 0x133], [0x13f, 0x140], [0x149, 0x149], [0x17f, 0x17f], [0x1c4, 0x1cc], [0x1f1, 0x1f3], [0x2b0, 0x2e4], [0x300, 0x36f], [0x3d0, 0x3d6], [0x3f0, 0x3f9],
  [0x1d2c, 0x1d6a], [0x1d78, 0x1dbf], [0x2070, 0x209c], [0x2100, 0x2121], [0x2123, 0x218b], [0x2460, 0x24ea], [0x3200, 0x33ff], [0xa69c, 0xa69d], [0xab5c, 0xab5f], [0xf900, 0xfaff], [0xfb00, 0xfdff], [0xfe10, 0xfe6f], [0xff01, 0xffee], [0xd835, 0xd835], [0xd83c, 0xd83c],
]

let classes: Uint8Array | undefined

/** By 16-bit unit; made when text beyond ASCII comes for the first time. */
function classTable(): Uint8Array {
  if (classes !== undefined) return classes
  const table = new Uint8Array(0x1_0000)
  for (const [first, last] of COMPATIBLE_RANGES) table.fill(COMPATIBLE, first, last + 1)
  for (let code = 0xa0; code < 0x1_0000; code++) table[code] = (table[code] ?? 0) | (isInvisible(code) ? INVISIBLE : 0) | (confusedWith(code) !== 0 ? CONFUSED : 0)
  table[0xd83c] = INVISIBLE | COMPATIBLE
  table[0xdb40] = INVISIBLE
  classes = table
  return table
}

/** The classes of all characters, together. */
function classesIn(codes: Codes): number {
  const table = classTable()
  let found = 0
  for (let at = 0; at < codes.length; at++) found |= table[codes[at] as number] as number
  return found
}

/** The next character of a class, from `from` on; the length where there is none. */
function nextOf(codes: Codes, from: number, wanted: number): number {
  const table = classTable()
  let at = from
  while (at < codes.length && ((table[codes[at] as number] as number) & wanted) === 0) at++
  return at
}

/** One of two units that make a letter beyond the first plane: badges and flags that spell words (`🅰`, `🇦`). */
function pictureLetter(high: number, low: number): number {
  if (high !== 0xd83c) return 0
  if (low >= 0xdd30 && low <= 0xdd49) return low - 0xdd30 + 97
  if (low >= 0xdd50 && low <= 0xdd69) return low - 0xdd50 + 97
  if (low >= 0xdd70 && low <= 0xdd89) return low - 0xdd70 + 97
  if (low >= 0xdde6 && low <= 0xddff) return low - 0xdde6 + 97
  return 0
}

/** Without what shows nothing, and with the letters of pictures as letters. */
function withoutInvisible(text: string, codes: Codes): string {
  const pieces: string[] = []
  let from = 0
  for (let at = nextOf(codes, 0, INVISIBLE); at < codes.length; at = nextOf(codes, at + 1, INVISIBLE)) {
    const code = codes[at] as number
    if (code < 0xd800 || code > 0xdfff) {
      pieces.push(text.slice(from, at))
      from = at + 1
      continue
    }
    const low = codes[at + 1] ?? 0
    const letter = pictureLetter(code, low)
    // U+E0000 to U+E01EF: tags and selectors, which show nothing either.
    if (letter === 0 && !(code === 0xdb40 && low >= 0xdc00 && low <= 0xddef)) continue
    pieces.push(text.slice(from, at), letter === 0 ? '' : String.fromCharCode(letter))
    at++
    from = at + 1
  }
  pieces.push(text.slice(from))
  return pieces.join('')
}

function isAsciiLetter(code: number): boolean {
  const lower = code | 32
  return lower >= 97 && lower <= 122
}

/** Look-alikes in words that are in disguise become what they look like. */
class Unmasker {
  private readonly text: string
  /** 16-bit units */
  private readonly codes: Codes
  private readonly latin: boolean
  private readonly letters = letterTable()
  private readonly classes = classTable()

  constructor(text: string, codes: Codes, latin: boolean) {
    this.text = text
    this.codes = codes
    this.latin = latin
  }

  unmask(): string {
    const { text, codes } = this
    let done = 0
    for (let at = nextOf(codes, 0, CONFUSED); at < codes.length; at = nextOf(codes, at, CONFUSED)) {
      let from = at
      while (from > done && this.isPart(from - 1)) from--
      let to = at + 1
      while (to < codes.length && this.isPart(to)) to++
      if (this.isMasked(from, to)) {
        this.show(from, to)
        done = to
      }
      at = to
    }
    return done === 0 ? text : Buffer.from(codes.buffer, codes.byteOffset, codes.byteLength).toString('utf16le')
  }

  private isPart(at: number): boolean {
    const code = this.codes[at] as number
    return this.letters[code] !== 0 || (code >= 48 && code <= 57)
  }

  private isMasked(from: number, to: number): boolean {
    let ascii = 0
    let others = 0
    for (let at = from; at < to; at++) {
      const code = this.codes[at] as number
      if (isAsciiLetter(code)) ascii++
      else if (this.letters[code] !== 0 && ((this.classes[code] as number) & CONFUSED) === 0) others++
    }
    // A letter alone may be one of a spaced word, which is in no disguise.
    return ascii > 0 || (this.latin && others === 0 && to - from > 1)
  }

  /** Each is a unit as well: they are put where they stand. */
  private show(from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const code = this.codes[at] as number
      if (((this.classes[code] as number) & CONFUSED) !== 0) this.codes[at] = confusedWith(code)
    }
  }
}

const array = new CodeArray()

/**
 * More marks on one letter than any language has are left out: normalization
 * puts them in order, which takes the square of their number (UAX 15 §13 allows 30).
 */
const MANY_MARKS = /(\p{M}{30})\p{M}+/gu
/** Normalization makes up to 18 characters of one; no text that people read grows by more than this. */
const MAX_GROWTH = 2

/** So much is folded at a time: what is made on the way stays small, and what is plain ASCII is quick wherever it stands. */
const PIECE_CHARACTERS = 16_384
/** How far back a place between two words is looked for. */
const MAX_WORD_CHARACTERS = 256

function foldPiece(text: string, latin: boolean): string {
  let plain = text
  const ascii = isAscii(text)
  if (!ascii) {
    const found = classesIn(array.of(plain, false))
    if ((found & INVISIBLE) !== 0) plain = withoutInvisible(plain, array.of(plain, false))
    if ((found & COMPATIBLE) !== 0) plain = plain.replace(MANY_MARKS, '$1').normalize('NFKC')
    // Normalization makes Greek and Cyrillic letters of others.
    if ((found & (CONFUSED | COMPATIBLE)) !== 0) plain = new Unmasker(plain, array.of(plain, false), latin).unmask()
  }
  const lower = plain.toLowerCase()
  return new WordMender(lower, array.of(lower, ascii)).mend()
}

/** The end of the piece that begins at `from`: between two words, where there is such a place. */
function pieceEnd(text: string, from: number): number {
  const end = from + PIECE_CHARACTERS
  if (end >= text.length) return text.length
  const last = text.slice(end - MAX_WORD_CHARACTERS, end)
  const between = Math.max(last.lastIndexOf(' '), last.lastIndexOf('\n'))
  return between > 0 ? end - MAX_WORD_CHARACTERS + between : end
}

/** `latin`: most of its letters are Latin. Of a long text that grows beyond MAX_GROWTH the end is left out. */
export function fold(written: string, latin: boolean): string {
  const text = turnedBack(written)
  if (text.length <= PIECE_CHARACTERS) return foldPiece(text, latin)
  const pieces: string[] = []
  let room = text.length * MAX_GROWTH
  for (let from = 0; from < text.length && room > 0;) {
    const end = pieceEnd(text, from)
    const piece = foldPiece(text.slice(from, end), latin)
    pieces.push(piece)
    room -= piece.length
    from = end
  }
  return pieces.join('')
}
