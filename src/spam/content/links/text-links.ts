/**
 * Links that stand in text: URLs with `http://`, `https://` or `ftp://`, names
 * that begin with `www.`, bare host names of a shape that nothing else has, and
 * mail addresses. One pass: it goes from dot to dot and from `://` to `://`, and
 * looks at what stands around them.
 */
import { MAX_LINKS, MAX_URL_CHARACTERS } from '../bounds.ts'
import { isCertainSuffix, isKnownSuffix } from './suffixes.ts'

const DOT = 46
const AT = 64
const SLASH = 47
const COLON = 58
const BACKSLASH = 92
const EQUALS = 61

/** ASCII characters of host names, and of addresses before the `@`. */
const HOST = 1
const LOCAL = 2
/** what ends a URL in text */
const ENDS_URL = 4
/** what ends a sentence, and does not belong to the URL before it */
const PUNCTUATION = 8
const CLASSES = ((): Uint8Array => {
  const classes = new Uint8Array(128)
  const add = (characters: string, bits: number): void => {
    for (const character of characters) {
      const code = character.charCodeAt(0)
      classes[code] = (classes[code] ?? 0) | bits
    }
  }
  add('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', HOST | LOCAL)
  add('-_.', HOST | LOCAL)
  add('+=&!#$%\'*/?^`{|}~', LOCAL)
  for (let code = 0; code <= 32; code++) add(String.fromCharCode(code), ENDS_URL)
  add('<>"`{}|^\x7f', ENDS_URL)
  add('.,;:!?\'*_~', PUNCTUATION)
  return classes
})()

function has(code: number, bits: number): boolean {
  return code < 128 && ((CLASSES[code] ?? 0) & bits) !== 0
}

/** Letters of host names beyond ASCII: no blanks and no punctuation of prose. */
function isWideHostLetter(code: number): boolean {
  return code >= 0xc0 && code !== 0xd7 && code !== 0xf7 && !(code >= 0x2000 && code <= 0x206f) && !(code >= 0x3000 && code <= 0x3004) && !(code >= 0x3008 && code <= 0x3030)
    && !(code >= 0xff00 && code <= 0xff0f) && !(code >= 0xff1a && code <= 0xff20) && code < 0xfff0
}

function isHostCode(code: number): boolean {
  return code < 128 ? ((CLASSES[code] ?? 0) & HOST) !== 0 : isWideHostLetter(code)
}

/** The end of a URL: without the punctuation of the sentence that it stands in, and without a bracket that was opened before it. */
function urlEnd(text: string, from: number): number {
  const most = Math.min(text.length, from + MAX_URL_CHARACTERS)
  let end = from
  while (end < most) {
    const code = text.charCodeAt(end)
    if (code < 128 ? has(code, ENDS_URL) : code === 0xa0 || (code >= 0x2000 && code <= 0x206f) || (code >= 0x3000 && code <= 0x303f) || (code >= 0xff00 && code <= 0xff0f)) break
    end++
  }
  const whole = end
  let round: boolean | undefined
  let square: boolean | undefined
  while (end > from) {
    const code = text.charCodeAt(end - 1)
    if (code === 41) round ??= text.slice(from, whole).includes('(')
    else if (code === 93) square ??= text.slice(from, whole).includes('[')
    const closing = (code === 41 && round === false) || (code === 93 && square === false)
    if (!closing && !has(code, PUNCTUATION)) break
    end--
  }
  return end
}

export interface TextLink {
  readonly url: string
  readonly from: number
  readonly to: number
}

const SCHEMES = ['https', 'http', 'ftp'] as const
const LONGEST_SCHEME = 5
const ENDS_SCHEME = new Set(SCHEMES.map((scheme) => scheme.charCodeAt(scheme.length - 1)))

class TextLinkFinder {
  private readonly text: string
  private readonly found: TextLink[] = []
  private readonly most: number
  /** everything before it was looked at */
  private done = 0

  constructor(text: string, most: number) {
    this.text = text
    this.most = most
  }

  find(): TextLink[] {
    const { text } = this
    let colon = text.indexOf('://')
    let dot = text.indexOf('.')
    while ((colon >= 0 || dot >= 0) && this.found.length < this.most) {
      if (colon >= 0 && (dot < 0 || colon < dot)) {
        this.withScheme(colon)
        colon = text.indexOf('://', Math.max(colon + 3, this.done))
      } else {
        this.atDot(dot)
        dot = text.indexOf('.', Math.max(dot + 1, this.done))
      }
      if (colon >= 0 && colon < this.done) colon = text.indexOf('://', this.done)
      if (dot >= 0 && dot < this.done) dot = text.indexOf('.', this.done)
    }
    return this.found
  }

  private add(url: string, from: number, to: number): void {
    this.found.push({ url, from, to })
    this.done = to
  }

  private withScheme(colon: number): void {
    const { text } = this
    if (!ENDS_SCHEME.has(text.charCodeAt(colon - 1) | 32)) return
    for (const scheme of SCHEMES) {
      const from = colon - scheme.length
      if (from < this.done || !standsAt(scheme, text, from)) continue
      const to = urlEnd(text, colon + 3)
      if (to > colon + 3) this.add(text.slice(from, to), from, to)
      return
    }
  }

  /** A dot in a word: is the word a host, or an address? */
  private atDot(dot: number): void {
    const { text } = this
    const length = text.length
    // Most dots end a sentence.
    if (!isHostCode(text.charCodeAt(dot + 1)) || dot === 0 || !isHostCode(text.charCodeAt(dot - 1))) {
      this.done = Math.max(this.done, dot)
      return
    }
    let from = dot
    while (from > this.done && isHostCode(text.charCodeAt(from - 1))) from--
    let to = dot + 1
    while (to < length && isHostCode(text.charCodeAt(to))) to++
    const after = text.charCodeAt(to)
    const before = from > 0 ? text.charCodeAt(from - 1) : 32
    if (after === COLON && before !== AT && text.startsWith('://', to)) {
      // A scheme may end here, and begins at most so far before.
      this.done = Math.max(from, to - LONGEST_SCHEME)
      return
    }
    if (before === AT) this.address(from, to)
    // What stands before an `@` is looked at from behind it.
    else if (after !== AT && before !== SLASH && before !== BACKSLASH && before !== EQUALS) this.bareHost(from, to)
    this.done = Math.max(this.done, to)
  }

  private address(from: number, to: number): void {
    const { text } = this
    let start = from - 1
    while (start > 0 && from - start <= 65 && has(text.charCodeAt(start - 1), LOCAL)) start--
    const end = withoutPunctuation(text, from, to)
    const suffix = text.slice(text.lastIndexOf('.', end - 1) + 1, end).toLowerCase()
    if (start < from - 1 && isKnownSuffix(suffix)) this.found.push({ url: `mailto:${text.slice(start, end)}`, from: start, to: end })
  }

  private bareHost(from: number, to: number): void {
    const { text } = this
    const start = text.charCodeAt(from) === DOT ? from + 1 : from
    const hostEnd = withoutPunctuation(text, start, to)
    // `3.14`, `U.S`: no suffix has a single character, and none ends in a digit.
    if (text.charCodeAt(hostEnd - 2) === DOT || text.charCodeAt(hostEnd - 1) < AT) return
    const host = text.slice(start, Math.min(hostEnd, start + 256))
    const suffix = host.slice(host.lastIndexOf('.') + 1)
    const lower = suffix.toLowerCase()
    const next = text.charCodeAt(hostEnd)
    const path = next === SLASH || (next === COLON && text.charCodeAt(hostEnd + 1) >= 48 && text.charCodeAt(hostEnd + 1) <= 57)
    const www = /^www\d?\../i.test(host)
    if (!www && !(isCertainSuffix(lower) || (path && isKnownSuffix(lower)))) return
    // `end.In the` is a missing blank; `EXAMPLE.COM` and `Example.Com` are names all the same.
    if (!www && suffix !== lower && suffix !== suffix.toUpperCase() && lower.length !== 3) return
    if (!/[a-z\u0080-\uffff]/i.test(host.slice(0, host.length - suffix.length)) && !path) return
    const end = path || next === 63 ? urlEnd(text, hostEnd) : hostEnd
    this.add(text.slice(start, end), start, end)
  }
}

/** Small letters, which may be written in capitals. */
function standsAt(letters: string, text: string, from: number): boolean {
  for (let at = 0; at < letters.length; at++) if ((text.charCodeAt(from + at) | 32) !== letters.charCodeAt(at)) return false
  return true
}

function withoutPunctuation(text: string, from: number, to: number): number {
  let end = to
  while (end > from + 1) {
    const code = text.charCodeAt(end - 1)
    if (code !== DOT && code !== 45 && code !== 95) break
    end--
  }
  return end
}

/** In their order; at most `most`. A bare host is as it stands, an address has `mailto:` before it. */
export function findTextLinks(text: string, most = MAX_LINKS): TextLink[] {
  return new TextLinkFinder(text, most).find()
}
