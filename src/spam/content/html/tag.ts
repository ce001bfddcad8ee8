/**
 * Reads one start tag (HTML Living Standard §13.2.5.8 to .40): its name and the
 * values of the attributes that are looked at. A tag that the text ends in is
 * none. One pass, nothing is read twice.
 */
import { attributeOf, ATTRIBUTE_NAMES, elementOf, nameHash, standsAt, type Attribute, type Element } from './elements.ts'
import type { Codes } from '../text/codes.ts'
import { decodeAttribute } from './entities.ts'

const SLASH = 47
const GREATER = 62
const EQUALS = 61
const DOUBLE_QUOTE = 34
const SINGLE_QUOTE = 39
/** behind the last character */
const END = 0x1_0000

/** Of `present`. */
export function bitsOf(...places: readonly Attribute[]): number {
  return places.reduce<number>((bits, place) => bits | (1 << place), 0)
}

export class TagReader {
  nameEnd = 0
  /** of the name, see elements.ts */
  private hash = 0
  private nameAt = 0
  /** bits, by place: the attributes that are looked at and that are there */
  present = 0
  private html = ''
  private codes: Codes = new Uint8Array(0)
  private readonly from = new Int32Array(ATTRIBUTE_NAMES.length)
  private readonly to = new Int32Array(ATTRIBUTE_NAMES.length)

  /** `at`: of its name. Returns the offset behind `>`, or -1: the text ends before. */
  read(html: string, codes: Codes, at: number): number {
    this.html = html
    this.codes = codes
    this.present = 0
    const { length } = codes
    let hash = 0
    let i = at
    for (; i < length; i++) {
      const code = codes[i] as number
      if (code <= 32 || code === SLASH || code === GREATER) break
      hash = nameHash(hash, code)
    }
    this.hash = hash
    this.nameAt = at
    this.nameEnd = i
    while (i < length) {
      const code = codes[i] as number
      if (code === GREATER) return i + 1
      if (code <= 32 || code === SLASH) i++
      else i = this.attribute(i)
    }
    return -1
  }

  /** undefined: HTML knows none of this name */
  get element(): Element | undefined {
    const element = elementOf(this.hash)
    return element !== undefined && this.isNamed(element.name, this.nameAt, this.nameEnd) ? element : undefined
  }

  /** some attribute that is looked at is there */
  get attributes(): boolean {
    return this.present !== 0
  }

  /** The value, decoded; '' where it has none; undefined: it is not there. */
  get(place: Attribute): string | undefined {
    return (this.present & (1 << place)) === 0 ? undefined : decodeAttribute(this.html.slice(this.from[place], this.to[place]))
  }

  has(place: Attribute): boolean {
    return (this.present & (1 << place)) !== 0
  }

  private attribute(start: number): number {
    const { html, codes } = this
    const { length } = codes
    let hash = nameHash(0, codes[start] as number)
    let i = start + 1
    let code = 0
    for (; i < length; i++) {
      code = codes[i] as number
      if (code <= 32 || code === SLASH || code === GREATER || code === EQUALS) break
      hash = nameHash(hash, code)
    }
    let place = attributeOf(hash)
    if (place !== undefined && !this.isNamed(ATTRIBUTE_NAMES[place] ?? '', start, i)) place = undefined
    while (code <= 32 && i < length) code = codes[++i] ?? END
    if (code !== EQUALS) {
      this.keep(place, i, i)
      return i
    }
    do code = codes[++i] ?? END
    while (code <= 32)
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) {
      const end = html.indexOf(code === DOUBLE_QUOTE ? '"' : '\'', i + 1)
      if (end < 0) return length
      this.keep(place, i + 1, end)
      return end + 1
    }
    const from = i
    while (i < length && code > 32 && code !== GREATER) code = codes[++i] ?? END
    this.keep(place, from, i)
    return i
  }

  private isNamed(name: string, at: number, end: number): boolean {
    return name.length === end - at && standsAt(name, this.codes, at)
  }

  /** The first of two with one name counts (§13.2.5.33). */
  private keep(place: number | undefined, from: number, to: number): void {
    if (place === undefined || (this.present & (1 << place)) !== 0) return
    this.present |= 1 << place
    this.from[place] = from
    this.to[place] = to
  }
}
