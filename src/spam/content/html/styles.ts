/**
 * CSS as far as it hides text (CSS 2.2, and what mail programs add): the
 * declarations of a `style` attribute or of a rule. Anything else in them is
 * passed over. Nothing here fails.
 */
import { MAX_STYLE_CHARACTERS, MAX_STYLES_REMEMBERED } from '../bounds.ts'
import { cssColor, TRANSPARENT, UNKNOWN, UNSET } from './colors.ts'

/** Not shown, and nothing inside can change that: `display: none`, `opacity: 0`, far outside. */
export const GONE = 1
/** `display` is something else than none. */
export const SHOWN = 2
/** `visibility: hidden`, which something inside may take back. */
export const INVISIBLE = 4
export const VISIBLE = 8
/** width or height, or the most they may be, is 0 */
export const EMPTY_BOX = 16
/** what is larger than its box is cut off */
export const CLIPPED = 32
/** `mso-hide: all`: Outlook does not show it */
export const MSO_HIDDEN = 64

export interface Style {
  readonly flags: number
  /** pixels, or a share of the size around it where `relative`; NaN: nothing is said */
  readonly fontSize: number
  readonly relative: boolean
  readonly color: number
  readonly background: number
  /** pixels; NaN: nothing is said */
  readonly width: number
  readonly height: number
  /** of a background; '' where there is none */
  readonly image: string
}

type Mutable = { -readonly [key in keyof Style]: Style[key] }

function emptyStyle(): Mutable {
  return { flags: 0, fontSize: NaN, relative: false, color: UNSET, background: UNSET, width: NaN, height: NaN, image: '' }
}

export const NO_STYLE: Style = emptyStyle()

/** The second over the first. */
export function overlay(under: Style, over: Style): Style {
  let flags = under.flags | over.flags
  if ((over.flags & SHOWN) !== 0 && (over.flags & GONE) === 0) flags &= ~GONE
  if ((over.flags & VISIBLE) !== 0) flags &= ~INVISIBLE
  if ((over.flags & INVISIBLE) !== 0) flags &= ~VISIBLE
  const sized = !Number.isNaN(over.fontSize)
  return {
    flags,
    fontSize: sized ? over.fontSize : under.fontSize,
    relative: sized ? over.relative : under.relative,
    color: over.color === UNSET ? under.color : over.color,
    background: over.background === UNSET ? under.background : over.background,
    width: Number.isNaN(over.width) ? under.width : over.width,
    height: Number.isNaN(over.height) ? under.height : over.height,
    image: over.image === '' ? under.image : over.image,
  }
}

const POINT = 4 / 3
const KEYWORD_SIZES = new Map<string, number>([['xx-small', 9], ['x-small', 10], ['small', 13], ['medium', 16], ['large', 18], ['x-large', 24], ['xx-large', 32]])
/** Further to the side than this nobody scrolls. */
const OFF_SCREEN = -500

/** A length in pixels, or a share of what is around it (`%`, `em`); NaN: no length. */
function lengthOf(value: string): { readonly amount: number; readonly relative: boolean } {
  const amount = parseFloat(value)
  if (Number.isNaN(amount)) return { amount: KEYWORD_SIZES.get(value) ?? NaN, relative: false }
  if (value.includes('%')) return { amount: amount / 100, relative: true }
  if (value.includes('rem')) return { amount: amount * 16, relative: false }
  if (value.includes('em') || value.includes('ex')) return { amount, relative: true }
  if (value.includes('pt')) return { amount: amount * POINT, relative: false }
  if (value.includes('in') || value.includes('cm')) return { amount: amount * 40, relative: false }
  return { amount, relative: false }
}

function setBox(style: Mutable, property: string, value: string): void {
  const { amount, relative } = lengthOf(value)
  if (amount === 0) style.flags |= EMPTY_BOX
  if (relative) return
  if (property === 'width') style.width = amount
  else if (property === 'height') style.height = amount
}

function setFontSize(style: Mutable, value: string): void {
  const { amount, relative } = lengthOf(value)
  if (Number.isNaN(amount) || amount < 0) return
  style.fontSize = amount
  style.relative = relative
}

/** What `unquoted` asks of a string: a test counts how often. */
export interface Quoted {
  readonly length: number
  charCodeAt(at: number): number
  slice(from: number, to: number): string
}

function isAround(code: number): boolean {
  return code <= 32 || code === 34 || code === 39
}

/** Without the quotation marks and blanks around it. From both ends: an expression that looks for an end would start anew at each mark in between. */
export function unquoted(text: Quoted): string {
  let from = 0
  let to = text.length
  while (from < to && isAround(text.charCodeAt(from))) from++
  while (to > from && isAround(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function setBackground(style: Mutable, value: string): void {
  const at = value.indexOf('url(')
  if (at >= 0) {
    const end = value.indexOf(')', at)
    style.image = unquoted(value.slice(at + 4, end < 0 ? undefined : end))
    style.background = UNKNOWN
    return
  }
  if (value.includes('gradient') || value.includes('var(')) {
    style.background = UNKNOWN
    return
  }
  const lower = value.toLowerCase()
  const whole = cssColor(lower)
  if (whole !== UNKNOWN) {
    style.background = whole === TRANSPARENT ? UNSET : whole
    return
  }
  for (const word of lower.split(' ')) {
    const color = word === '' ? UNKNOWN : cssColor(word)
    if (color !== UNKNOWN) {
      style.background = color === TRANSPARENT ? UNSET : color
      return
    }
  }
}

function setProperty(style: Mutable, property: string, written: string): void {
  const value = property.startsWith('background') ? written : written.toLowerCase()
  switch (property) {
    case 'display':
      style.flags = value.startsWith('none') ? (style.flags & ~SHOWN) | GONE : (style.flags & ~GONE) | SHOWN
      return
    case 'visibility':
      style.flags = value.startsWith('hidden') || value.startsWith('collapse') ? (style.flags & ~VISIBLE) | INVISIBLE : (style.flags & ~INVISIBLE) | VISIBLE
      return
    case 'opacity':
      if (parseFloat(value) <= 0.05) style.flags |= GONE
      return
    case 'mso-hide':
      if (value.startsWith('all')) style.flags |= MSO_HIDDEN
      return
    case 'overflow':
    case 'overflow-x':
    case 'overflow-y':
      if (value.startsWith('hidden') || value.startsWith('clip')) style.flags |= CLIPPED
      return
    case 'text-indent':
    case 'left':
    case 'top':
    case 'margin-left':
      if (lengthOf(value).amount <= OFF_SCREEN) style.flags |= GONE
      return
    case 'width':
    case 'height':
    case 'max-width':
    case 'max-height':
      setBox(style, property, value)
      return
    case 'font-size':
      setFontSize(style, value)
      return
    case 'font': {
      // The size is the first word that is a number with a unit; a weight has none.
      const size = /(?:^|\s)(\d{0,9}\.?\d{1,9}(?:px|pt|em|rem|%))/.exec(value)
      if (size?.[1] !== undefined) setFontSize(style, size[1])
      return
    }
    case 'color':
      style.color = cssColor(value)
      return
    case 'background':
    case 'background-color':
    case 'background-image':
      setBackground(style, written)
      return
    default:
  }
}

/** First letters of the properties above: most declarations are told by them to be others. */
const FIRST_LETTERS = new Set('d v o m t l w h f c b'.split(' ').map((letter) => letter.charCodeAt(0)))

const COLON = 58

/** `name: value` between two offsets. */
function declare(style: Mutable, css: string, range: { readonly from: number; readonly to: number }): void {
  let start = range.from
  while (start < range.to && css.charCodeAt(start) <= 32) start++
  if (!FIRST_LETTERS.has(css.charCodeAt(start) | 32)) return
  let colon = start
  while (colon < range.to && css.charCodeAt(colon) !== COLON) colon++
  if (colon === range.to) return
  const property = css.slice(start, colon).trimEnd().toLowerCase()
  let value = css.slice(colon + 1, range.to).trim()
  const bang = value.indexOf('!')
  if (bang >= 0) value = value.slice(0, bang).trimEnd()
  setProperty(style, property, value)
}

// `\64 isplay`, or a comment amid the name, is `display` too.
function withoutTricks(css: string): string {
  return css.replace(/\/\*[^*]*(?:\*(?!\/)[^*]*)*(?:\*\/|$)/g, '').replace(/\\([0-9a-fA-F]{1,6})[ \t\r\n]?|\\([^])/g, (_, hex?: string, plain?: string) => {
    const code = hex === undefined ? NaN : parseInt(hex, 16)
    return Number.isNaN(code) || code > 0x10ffff ? plain ?? '' : String.fromCodePoint(code)
  })
}

/** The declarations of one `style` attribute, or of one rule between its braces. */
export function readStyle(written: string): Style {
  let css = written.length > MAX_STYLE_CHARACTERS ? written.slice(0, MAX_STYLE_CHARACTERS) : written
  if (css.includes('\\') || css.includes('/*')) css = withoutTricks(css)
  const style = emptyStyle()
  let open = css.indexOf('(')
  for (let from = 0; from < css.length;) {
    let semicolon = css.indexOf(';', from)
    if (semicolon < 0) semicolon = css.length
    if (open >= 0 && open < from) open = css.indexOf('(', from)
    if (open >= 0 && open < semicolon) {
      // A `;` between brackets belongs to a `data:` URL.
      const close = css.indexOf(')', open)
      if (close > semicolon) {
        semicolon = css.indexOf(';', close)
        if (semicolon < 0) semicolon = css.length
      }
    }
    declare(style, css, { from, to: semicolon })
    from = semicolon + 1
  }
  return style
}

/** Remembers what was read: the same few styles stand everywhere in a message. */
export class StyleMemory {
  private readonly known = new Map<string, Style>()

  read(written: string): Style {
    const found = this.known.get(written)
    if (found !== undefined) return found
    const style = readStyle(written)
    if (this.known.size < MAX_STYLES_REMEMBERED) this.known.set(written, style)
    return style
  }
}
