/**
 * Sets of characters: classes of a pattern, `\w`, `\s`, `.`, and properties of
 * Unicode. A set answers for one code point; what lies above U+00FF is found
 * out in pages of 256 when it is asked for, and counted, as a text can ask for
 * all that there are.
 */
import { unicodeFold, variantsOf } from './fold.ts'
import type { FoldTable } from './fold.ts'
import { Pages } from './pages.ts'

type Range = readonly [first: number, last: number]

export const LAST_CODE_POINT = 0x10ffff

/** None of a page, and all of it: most pages of most sets. */
export const EMPTY_PAGE = new Uint8Array(256)
export const FULL_PAGE = new Uint8Array(256).fill(1)
/** What it takes to ask for each character of a page, and for all at once. */
const STEPS_PER_PAGE = 32
const STEPS_AT_ONCE = 4
/** Behind U+1FFFF nothing has case. */
const FIRST_WITHOUT_CASE = 0x20000

/** Steps that making pages has taken, of all sets since the begin. */
export const making = { steps: 0 }

interface Known {
  /** Sets with the same have the same members. */
  readonly key?: string
  readonly few?: readonly number[] | undefined
  readonly high?: boolean
  /** Of the 256 from a code point on: true where all are members, false where none is, undefined where each has to be asked for. */
  readonly whole?: (first: number) => boolean | undefined
}

let withoutKey = 0

export class CharacterSet {
  readonly key: string
  readonly #test: (code: number) => boolean
  readonly #whole: Known['whole']
  #pages: Pages<Uint8Array> | undefined
  #low: Uint8Array | undefined
  /** its members, folded or not, where they are few and known; otherwise undefined */
  readonly few: readonly number[] | undefined
  /** it may have members above U+00FF */
  readonly high: boolean

  constructor(test: (code: number) => boolean, known?: Known) {
    this.#test = test
    this.key = known?.key ?? `#${++withoutKey}`
    this.#whole = known?.whole
    this.few = known?.few
    this.high = known?.high ?? true
  }

  /** U+0000 to U+00FF, one byte each: 1 for a member. */
  get low(): Uint8Array {
    this.#low ??= this.#made(0)
    return this.#low
  }

  has(code: number): boolean {
    if (code < 256) return this.low[code] === 1
    return this.high && this.page(code)[code & 255] === 1
  }

  /** Of the 256 characters that one is among, one byte each: 1 for a member. */
  page(code: number): Uint8Array {
    if (code < 256) return this.low
    return this.high ? this.#pages?.of(code) ?? this.#addPage(code) : EMPTY_PAGE
  }

  #addPage(code: number): Uint8Array {
    const page = this.#made(code & ~255)
    if (this.#pages === undefined) {
      this.#pages = new Pages<Uint8Array>()
      this.#pages.keep(EMPTY_PAGE)
      this.#pages.keep(FULL_PAGE)
    }
    this.#pages.put(code, page === EMPTY_PAGE ? 1 : page === FULL_PAGE ? 2 : this.#pages.keep(page))
    return page
  }

  #made(first: number): Uint8Array {
    const whole = this.#whole?.(first)
    making.steps += whole === undefined ? STEPS_PER_PAGE : STEPS_AT_ONCE
    if (whole !== undefined) return whole ? FULL_PAGE : EMPTY_PAGE
    const page = new Uint8Array(256)
    let members = 0
    for (let i = 0; i < 256; i++) if (this.#test(first | i)) members += page[i] = 1
    return members === 0 ? EMPTY_PAGE : members === 256 ? FULL_PAGE : page
  }
}

/** How many members a set may have for them to be named one by one. */
const MOST_FEW = 12

/** Puts a set together out of ranges and other sets. */
export class SetBuilder {
  readonly #ranges: Range[] = []
  readonly #sets: CharacterSet[] = []

  range(first: number, last: number): this {
    this.#ranges.push([first, last])
    return this
  }

  set(set: CharacterSet): this {
    this.#sets.push(set)
    return this
  }

  /** `fold`: a character is in where a single one or a range has any that folds like it. */
  build(how: { negated: boolean, fold: FoldTable | undefined }): CharacterSet {
    const ranges = merged(this.#ranges)
    const sets = this.#sets
    const { fold, negated } = how
    const inRanges = (code: number) => within(ranges, code) || (fold !== undefined && ranges.length > 0 && variantsOf(code, fold).some((variant) => within(ranges, variant)))
    const test = (code: number) => inRanges(code) || sets.some((set) => set.has(code))
    const whole = (first: number) => wholeOf(sets, ranges, { first, fold })
    const key = `${negated ? '^' : ''}[${ranges.join(' ')} ${sets.map((set) => set.key).join(' ')}]${foldName(fold)}`
    if (negated) return new CharacterSet((code) => !test(code), { key, whole: (first) => inverse(whole(first)) })
    const few = sets.length === 0 ? membersOf(ranges) : undefined
    const high = sets.some((set) => set.high) || ranges.some(([, last]) => last > 255) || (fold !== undefined && foldsHigh(ranges, fold))
    return new CharacterSet(test, { key, few, high, whole })
  }
}

function foldName(fold: FoldTable | undefined): string {
  return fold === undefined ? '' : fold === unicodeFold() ? 'i' : 'a'
}

/** Does one below U+0100 fold like one above? */
function foldsHigh(ranges: readonly Range[], fold: FoldTable): boolean {
  return ranges.some(([first, last]) => {
    for (let code = first; code <= Math.min(last, 255); code++) if (variantsOf(code, fold).some((variant) => variant > 255)) return true
    return false
  })
}

/** Of a page from its first character on. */
function wholeOf(sets: readonly CharacterSet[], ranges: readonly Range[], { first, fold }: { first: number, fold: FoldTable | undefined }): boolean | undefined {
  const pages = sets.map((set) => wholePage(set, first))
  if (pages.includes(true)) return true
  if (pages.includes(undefined) || (fold !== undefined && ranges.length > 0 && first < FIRST_WITHOUT_CASE)) return undefined
  return ranges.some((range) => range[0] <= first + 255 && range[1] >= first) ? undefined : false
}

function wholePage(set: CharacterSet, first: number): boolean | undefined {
  const page = set.page(first)
  return page === FULL_PAGE ? true : page === EMPTY_PAGE ? false : undefined
}

function inverse(whole: boolean | undefined): boolean | undefined {
  return whole === undefined ? undefined : !whole
}

/** With all characters that fold like one of its own. */
export function closedOver(set: CharacterSet, fold: FoldTable | undefined): CharacterSet {
  if (fold === undefined) return set
  const whole = (first: number) => first < FIRST_WITHOUT_CASE ? undefined : wholePage(set, first)
  return new CharacterSet((code) => set.has(code) || variantsOf(code, fold).some((variant) => set.has(variant)), { key: `(${set.key})${foldName(fold)}`, whole })
}

export function complementOf(set: CharacterSet): CharacterSet {
  return new CharacterSet((code) => !set.has(code), { key: `^${set.key}`, whole: (first) => inverse(wholePage(set, first)) })
}

/** Named one by one. */
export function setOfCharacters(all: readonly number[]): CharacterSet {
  return new CharacterSet((code) => all.includes(code), { key: `{${all.toSorted((a, b) => a - b).join(' ')}}`, few: all, high: all.some((code) => code > 255), whole: (first) => all.some((code) => code >= first && code < first + 256) ? undefined : false })
}

function merged(ranges: readonly Range[]): readonly Range[] {
  const found: [number, number][] = []
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const before = found.at(-1)
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else found.push([first, last])
  }
  return found
}

function within(ranges: readonly Range[], code: number): boolean {
  let [low, high] = [0, ranges.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const [first, last] = ranges[middle] as Range
    if (code < first) high = middle - 1
    else if (code > last) low = middle + 1
    else return true
  }
  return false
}

function membersOf(ranges: readonly Range[]): readonly number[] | undefined {
  const members: number[] = []
  for (const [first, last] of ranges) {
    if (members.length + last - first >= MOST_FEW) return undefined
    for (let code = first; code <= last; code++) members.push(code)
  }
  return members
}

function ofRanges(...ranges: readonly Range[]): CharacterSet {
  const builder = new SetBuilder()
  for (const [first, last] of ranges) builder.range(first, last)
  return builder.build({ negated: false, fold: undefined })
}

function ofExpression(expression: RegExp): CharacterSet {
  const test = (code: number) => !isSurrogate(code) && expression.test(String.fromCodePoint(code))
  const page: number[] = []
  const whole = (first: number) => {
    for (let i = 0; i < 256; i++) page[i] = first + i
    return isSurrogate(first) || !expression.test(String.fromCodePoint(...page)) ? false : undefined
  }
  return new CharacterSet(test, { whole })
}

/** It is no character. */
function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff
}

export const ANY = new CharacterSet(() => true)
export const NOT_NEWLINE = new CharacterSet((code) => code !== 10)
/** `\h`, perlrecharclass */
export const HORIZONTAL = ofRanges([9, 9], [0x20, 0x20], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a], [0x202f, 0x202f], [0x205f, 0x205f], [0x3000, 0x3000])
/** `\v` */
export const VERTICAL = ofRanges([10, 13], [0x85, 0x85], [0x2028, 0x2029])

/** What `\w`, `\d`, `\s` and the classes of POSIX mean. */
export interface Alphabet {
  readonly word: CharacterSet
  readonly digit: CharacterSet
  readonly space: CharacterSet
  readonly posix: ReadonlyMap<string, CharacterSet>
}

const ASCII_POSIX: readonly (readonly [string, readonly Range[]])[] = [
  ['alpha', [[0x41, 0x5a], [0x61, 0x7a]]], ['digit', [[0x30, 0x39]]], ['alnum', [[0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a]]], ['ascii', [[0, 0x7f]]],
  ['blank', [[9, 9], [0x20, 0x20]]], ['cntrl', [[0, 0x1f], [0x7f, 0x7f]]], ['graph', [[0x21, 0x7e]]], ['lower', [[0x61, 0x7a]]], ['print', [[0x20, 0x7e]]],
  ['punct', [[0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e]]], ['space', [[9, 13], [0x20, 0x20]]], ['upper', [[0x41, 0x5a]]],
  ['word', [[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]]], ['xdigit', [[0x30, 0x39], [0x41, 0x46], [0x61, 0x66]]],
]

const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u
const SPACE = /\p{White_Space}/u

const UNICODE_POSIX: readonly (readonly [string, RegExp])[] = [
  ['alpha', /\p{Alphabetic}/u], ['digit', /\p{Nd}/u], ['alnum', /[\p{Alphabetic}\p{Nd}]/u], ['ascii', /[\0-\x7f]/u],
  ['blank', /[\t\p{Zs}]/u], ['cntrl', /\p{Cc}/u], ['graph', /[^\p{White_Space}\p{Cc}\p{Cn}]/u], ['lower', /\p{Lowercase}/u], ['print', /[\p{Zs}[^\p{White_Space}\p{Cc}\p{Cn}]]/v],
  ['punct', /[\p{P}$+<=>^`|~]/u], ['space', SPACE], ['upper', /\p{Uppercase}/u], ['word', WORD], ['xdigit', /[0-9A-Fa-f\uff10-\uff19\uff21-\uff26\uff41-\uff46]/],
]

function alphabet(posix: ReadonlyMap<string, CharacterSet>): Alphabet {
  const of = (name: string) => posix.get(name) ?? ANY
  return { word: of('word'), digit: of('digit'), space: of('space'), posix }
}

export const ASCII_ALPHABET = alphabet(new Map(ASCII_POSIX.map(([name, ranges]) => [name, ofRanges(...ranges)])))
export const UNICODE_ALPHABET = alphabet(new Map(UNICODE_POSIX.map(([name, expression]) => [name, ofExpression(expression)])))
/** Categories first; a bare name may be a script, which takes in what other scripts share with it, as in Perl. */
const PROPERTY_FORMS = ['General_Category=', 'Script_Extensions=', '']

const properties = new Map<string, CharacterSet | undefined>()

/** `\p{name}`; undefined: not known. */
export function propertySet(name: string): CharacterSet | undefined {
  const key = name.replaceAll(/\s/g, '')
  if (!properties.has(key)) properties.set(key, findProperty(key))
  return properties.get(key)
}

function findProperty(name: string): CharacterSet | undefined {
  if (name === 'Any' || name === 'All') return ANY
  if (name === 'L&' || name === 'L_') return ofExpression(/\p{LC}/u)
  const [, posix] = /^(?:X?Posix|Is)?([A-Za-z]+)$/i.exec(name) ?? []
  const named = posix === undefined ? undefined : UNICODE_ALPHABET.posix.get(posix.toLowerCase())
  if (named !== undefined) return /^posix/i.test(name) ? ASCII_ALPHABET.posix.get((posix ?? '').toLowerCase()) : named
  const spellings = [name, name.replace(/^Is_?/i, ''), capitalized(name), capitalized(name.replace(/^Is_?/i, ''))]
  for (const spelling of spellings) {
    const forms = spelling.includes('=') || spelling.includes(':') ? [spelling.replace(':', '=').replace(/^Script=/, 'Script=')] : PROPERTY_FORMS.map((form) => form + spelling)
    for (const form of forms) {
      const found = propertyOf(form)
      if (found !== undefined) return found
    }
  }
  return undefined
}

function propertyOf(form: string): CharacterSet | undefined {
  if (!/^[A-Za-z_]+=?[A-Za-z_]*$/.test(form)) return undefined
  try {
    return ofExpression(new RegExp(`\\p{${form}}`, 'u'))
  } catch {
    // The only way to ask whether a property is known.
    return undefined
  }
}

function capitalized(name: string): string {
  return name.split(/([_=:-])/).map((part) => part === '-' ? '_' : part.slice(0, 1).toUpperCase() + part.slice(1).toLowerCase()).join('')
}
