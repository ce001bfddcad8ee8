/**
 * Values of CSS properties as numbers (CSS 2.2; Values and Units; Fonts). A value
 * is read whole: what is not valid is `undefined`, and its declaration counts for
 * nothing, as in a browser. Linear, nothing here fails.
 */
import { cssColor, TRANSPARENT, UNKNOWN, UNSET } from './colors.ts'

/** Nobody can say here: `calc()`, `var()`, a size that hangs on another one. */
export const OPEN_VALUE = NaN

const POINT = 4 / 3
const UNITS = new Map([
  ['px', 1], ['pt', POINT], ['pc', 16], ['in', 96], ['cm', 37.8], ['mm', 3.78], ['q', 0.945], ['rem', 16],
  // A window is some 800 wide: it matters only whether the size is next to nothing.
  ['vw', 8], ['vh', 6], ['vmin', 6], ['vmax', 8],
])
const OF_THE_FONT = new Map([['em', 1], ['ex', 0.5], ['ch', 0.5]])
/** No length is longer. */
const MAX_LENGTH_CHARACTERS = 40
// Digits end where no digit follows: there is one way to read each.
const NUMBER = /^([+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:e[+-]?[0-9]+)?)([a-z]+|%)?$/

export interface Length {
  /** pixels, or how many times what it is of */
  readonly amount: number
  readonly of: 'pixels' | 'font' | 'box'
}

const OPEN_LENGTH: Length = { amount: OPEN_VALUE, of: 'pixels' }

export function isOpen(value: string): boolean {
  return value.endsWith(')') && /^(?:-webkit-|-moz-)?(?:calc|var|env|min|max|clamp)\(/.test(value)
}

/** A length, a percentage, or one that cannot be told; undefined: none. */
export function lengthOf(value: string): Length | undefined {
  if (isOpen(value)) return OPEN_LENGTH
  if (value.length > MAX_LENGTH_CHARACTERS) return undefined
  const [, digits, unit] = NUMBER.exec(value) ?? []
  if (digits === undefined) return undefined
  const number = Number(digits)
  // Only nothing needs no unit; a page without a document type is read less strictly, which few programs show mail as.
  if (unit === undefined) return number === 0 ? { amount: 0, of: 'pixels' } : undefined
  if (unit === '%') return { amount: number / 100, of: 'box' }
  const pixels = UNITS.get(unit)
  if (pixels !== undefined) return { amount: number * pixels, of: 'pixels' }
  const share = OF_THE_FONT.get(unit)
  return share === undefined ? undefined : { amount: number * share, of: 'font' }
}

/** What a font has where nothing is said. */
const FONT_PIXELS = 16

/** The same in pixels, where `box` is the size that a percentage is of. */
export function pixelsOf({ amount, of }: Length, box: number): number {
  if (of === 'pixels' || amount === 0) return amount
  return of === 'font' ? amount * FONT_PIXELS : amount * box
}

/** The words of a value; what stands in brackets belongs to its word. */
export function wordsOf(value: string): string[] {
  const words: string[] = []
  let from = 0
  let depth = 0
  for (let at = 0; at <= value.length; at++) {
    const code = at < value.length ? value.charCodeAt(at) : 32
    if (code === 40) depth++
    else if (code === 41) depth--
    else if ((code <= 32 || code === 44) && (depth <= 0 || at === value.length)) {
      if (at > from) words.push(value.slice(from, at))
      from = at + 1
    }
  }
  return words
}

const KEYWORD_SIZES = new Map<string, number>([
  ['xx-small', 9], ['x-small', 10], ['small', 13], ['medium', 16], ['large', 18], ['x-large', 24], ['xx-large', 32], ['xxx-large', 48], ['initial', 16], ['smaller', -0.83], ['larger', -1.2], ['inherit', -1], ['unset', -1], ['revert', -1],
])

/** Pixels, or below 0 a share of the size around; undefined: no size. */
export function fontSizeOf(value: string): number | undefined {
  const keyword = KEYWORD_SIZES.get(value)
  if (keyword !== undefined) return keyword
  const length = lengthOf(value)
  if (length === undefined || length.amount < 0) return undefined
  return length.of !== 'pixels' && length.amount > 0 ? -length.amount : length.amount
}

const SYSTEM_FONTS = new Set(['caption', 'icon', 'menu', 'message-box', 'small-caption', 'status-bar'])
const SYSTEM_PIXELS = 13
/** Style, variant, weight and stretch stand before the size. */
const MAX_BEFORE_SIZE = 4
const BEFORE_SIZE = /^(?:normal|italic|oblique|small-caps|bold|bolder|lighter|[1-9][0-9]{0,3}|(?:ultra-|extra-|semi-)?(?:condensed|expanded))$/

/** The size that `font` sets; undefined: it is not valid, as without a family. */
export function fontOf(value: string): number | undefined {
  if (SYSTEM_FONTS.has(value)) return SYSTEM_PIXELS
  const words = value.split(/\s+/, MAX_BEFORE_SIZE + 4)
  if (words.length === 1) return ['inherit', 'unset', 'initial', 'revert'].includes(value) ? fontSizeOf(value) : undefined
  let at = 0
  while (at < MAX_BEFORE_SIZE && BEFORE_SIZE.test(words[at] ?? '')) at++
  const [size = '', height] = (words[at] ?? '').split('/', 2)
  const next = words[at + 1] ?? ''
  // `14px / 1.5 Arial`, `14px/ 1.5 Arial`
  const spaced = height === undefined && next.startsWith('/')
  const family = words[at + 1 + (height === '' || (spaced && next !== '/') ? 1 : spaced ? 2 : 0)]
  return family === undefined || family === '' ? undefined : fontSizeOf(size)
}

/** `display` and what it means for the box. */
export const DISPLAY_NONE = 0
export const DISPLAY_INLINE = 1
export const DISPLAY_BLOCK = 2
export const DISPLAY_TABLE = 3
const DISPLAYS = new Map<string, number>([
  ['none', DISPLAY_NONE], ['table', DISPLAY_TABLE], ['inline-table', DISPLAY_TABLE],
  ...['inline', 'contents', 'initial', 'unset', 'inherit', 'revert', 'run-in', 'ruby', 'ruby-text', 'ruby-base', 'math'].map((name) => [name, DISPLAY_INLINE] as const),
  ...['block', 'inline-block', 'flex', 'inline-flex', 'grid', 'inline-grid', 'list-item', 'flow-root', '-webkit-box', '-webkit-inline-box', '-webkit-flex', '-webkit-inline-flex'].map((name) => [name, DISPLAY_BLOCK] as const),
  ...['row', 'cell', 'caption', 'column', 'column-group', 'row-group', 'header-group', 'footer-group'].map((name) => [`table-${name}`, DISPLAY_TABLE] as const),
])

/** OPEN_VALUE: some programs know it */
export function displayOf(value: string): number | undefined {
  const known = DISPLAYS.get(value)
  if (known !== undefined) return known
  return value.startsWith('-') || isOpen(value) || /^(?:block|inline|list-item|run-in) (?:flow|flow-root|table|flex|grid|ruby|list-item|math)$/.test(value) ? OPEN_VALUE : undefined
}

const COMMON = new Set(['inherit', 'initial', 'unset', 'revert', 'revert-layer', 'currentcolor'])

/** UNSET: that of what is around */
export function colorOf(value: string): number | undefined {
  const color = cssColor(value)
  if (color !== UNKNOWN) return color
  if (COMMON.has(value)) return value === 'initial' ? 0 : UNSET
  // Functions that are not followed here are colours for others.
  return value.endsWith(')') && /^[a-z-]+\(/.test(value) ? UNKNOWN : undefined
}

/** A value of `background` or `background-image` that has one, or that may. */
export function isPicture(value: string): boolean {
  return value.includes('url(') || value.includes('gradient') || value.includes('image-set(') || value.includes('var(')
}

/** The colour beside a picture, where there is one. */
function groundOf(value: string): number {
  for (const word of wordsOf(value)) {
    const color = word.includes('(') && !word.startsWith('rgb') && !word.startsWith('hsl') ? undefined : colorOf(word)
    if (color !== undefined && color >= 0) return color
  }
  return UNSET
}

/** What `background` and the like say of the colour: UNSET: what is around shows through; UNKNOWN: it cannot be told. */
export function backgroundOf(value: string): number | undefined {
  if (isPicture(value)) return groundOf(value)
  const whole = colorOf(value)
  if (whole !== undefined) return whole === TRANSPARENT || value === 'initial' ? UNSET : whole
  let found: number | undefined
  for (const word of wordsOf(value)) {
    const color = colorOf(word)
    if (color !== undefined) found = color === TRANSPARENT ? UNSET : color
    else if (!word.split('/').every((one) => BACKGROUND_WORDS.has(one) || lengthOf(one) !== undefined)) return undefined
  }
  return found ?? UNSET
}

const BACKGROUND_WORDS = new Set('none repeat no-repeat repeat-x repeat-y space round scroll fixed local left right top bottom center cover contain auto border-box padding-box content-box text'.split(' ').concat(''))
