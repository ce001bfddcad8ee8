/**
 * The properties of CSS that hide or show text, and what each of their values
 * means for it. A value that is not valid sets nothing, as in a browser.
 */
import { BACKGROUND, BIDI, CLIP, COLOR, DIRECTION, DISPLAY, FLOAT, FONT_SIZE, HEIGHT, IMPORTANT_RANK, INDENT, isSet, LEFT, MARGIN, MAX_HEIGHT, MAX_WIDTH, MIN_HEIGHT, MIN_WIDTH, MOVED, MSO_HIDE, OPACITY, OVERFLOW_X, OVERFLOW_Y, PADDING_BOTTOM, PADDING_RIGHT, PAINT, PICTURE, POSITION, put, SHAPE, TOP, VISIBILITY, WIDTH, type StyleInMaking } from './style.ts'
import { backgroundOf, colorOf, isPicture, displayOf, DISPLAY_NONE, fontOf, fontSizeOf, lengthOf, pixelsOf, wordsOf } from './values.ts'

export interface Declaration {
  readonly css: string
  readonly from: number
  readonly to: number
  /** where it is not `!important` */
  readonly rank: number
}

/** Shifted or widened by more than this, what is outside the window may be back in it. */
const FAR_PIXELS = 300
/** What a percentage is taken of: a window. */
const WINDOW_PIXELS = 800
const GLOBAL = new Set(['inherit', 'initial', 'unset', 'revert', 'revert-layer'])

/** The value of a property by a number: undefined where it is not valid. */
type Reader = (value: string) => number | undefined

function keywords(numbers: Readonly<Record<string, number>>, otherwise: number): Reader {
  const known = new Map(Object.entries(numbers))
  return (value) => known.get(value) ?? (GLOBAL.has(value) ? otherwise : undefined)
}

/** Infinity: a share of the box, or no bound */
const size: Reader = (value) => {
  if (GLOBAL.has(value) || /^(?:auto|none|fit-content|max-content|min-content|stretch|-webkit-fill-available)$/.test(value)) return Infinity
  const length = lengthOf(value)
  if (length === undefined || length.amount < 0) return undefined
  return length.of === 'box' && length.amount !== 0 ? Infinity : pixelsOf(length, WINDOW_PIXELS)
}

const least: Reader = (value) => {
  const pixels = size(value)
  // Without a size of one's own there is no least one.
  return pixels === Infinity && !value.endsWith('%') ? 0 : pixels
}

const offset: Reader = (value) => {
  if (value === 'auto' || GLOBAL.has(value)) return 0
  const length = lengthOf(value)
  return length === undefined ? undefined : pixelsOf(length, WINDOW_PIXELS)
}

/** The lowest of several margins. */
const lowest: Reader = (value) => {
  let least = 0
  for (const word of wordsOf(value)) {
    const pixels = offset(word)
    if (pixels === undefined) return undefined
    least = Math.min(least, pixels)
  }
  return least
}

const far: Reader = (value) => (wordsOf(value).some((word) => !((offset(word) ?? 0) <= FAR_PIXELS)) ? 1 : undefined)
const first: Reader = (value) => offset(wordsOf(value)[0] ?? '')
const right: Reader = (value) => {
  const [all = '', beside = all] = wordsOf(value)
  return offset(beside)
}
const bottom: Reader = (value) => {
  const [all = '', , below = all] = wordsOf(value)
  return offset(below)
}
const unless = (...nothing: readonly string[]): Reader => (value) => (nothing.includes(value) || GLOBAL.has(value) ? 0 : 1)

const opacity: Reader = (value) => {
  if (GLOBAL.has(value)) return 1
  const length = lengthOf(value.endsWith('%') ? value : `${value}px`)
  return length?.amount
}

const display: Reader = displayOf
const cutOff = keywords({ hidden: 1, clip: 1, auto: 1, scroll: 1, overlay: 1, visible: 0 }, 0)
/** A shape that leaves next to nothing looks like any other: only a whole one is none. */
const clipped: Reader = (value) => (/^rect\(\s*0(?:px)?[\s,]+0(?:px)?[\s,]+0(?:px)?[\s,]+0(?:px)?\s*\)$|^rect\(\s*1px[\s,]+1px[\s,]+1px[\s,]+1px\s*\)$/.test(value) ? 1 : 0)

const READERS = new Map<string, readonly (readonly [place: number, reader: Reader])[]>([
  ['display', [[DISPLAY, display]]],
  ['visibility', [[VISIBILITY, keywords({ hidden: 0, collapse: 0, visible: 1, initial: 1 }, 2)]]],
  ['opacity', [[OPACITY, opacity]]],
  ['mso-hide', [[MSO_HIDE, keywords({ all: 1, none: 0, screen: 1 }, 0)]]],
  ['font-size', [[FONT_SIZE, fontSizeOf]]],
  ['font', [[FONT_SIZE, fontOf]]],
  ['color', [[COLOR, colorOf]]],
  ['background-color', [[BACKGROUND, backgroundOf]]],
  ['width', [[WIDTH, size]]],
  ['max-width', [[MAX_WIDTH, size]]],
  ['min-width', [[MIN_WIDTH, least]]],
  ['height', [[HEIGHT, size]]],
  ['max-height', [[MAX_HEIGHT, size]]],
  ['min-height', [[MIN_HEIGHT, least]]],
  ['overflow-x', [[OVERFLOW_X, cutOff]]],
  ['overflow-y', [[OVERFLOW_Y, cutOff]]],
  ['position', [[POSITION, keywords({ static: 0, sticky: 0, '-webkit-sticky': 0, relative: 1, absolute: 2, fixed: 2 }, 0)]]],
  ['float', [[FLOAT, keywords({ left: 1, right: 1, none: 0 }, 0)]]],
  ['left', [[LEFT, offset], [MOVED, far]]],
  ['top', [[TOP, offset], [MOVED, far]]],
  ['right', [[MOVED, far]]],
  ['bottom', [[MOVED, far]]],
  ['inset', [[MOVED, far]]],
  ['margin', [[MARGIN, lowest], [MOVED, far]]],
  ['margin-left', [[MARGIN, lowest], [MOVED, far]]],
  ['margin-top', [[MARGIN, lowest], [MOVED, far]]],
  ['text-indent', [[INDENT, first], [MOVED, far]]],
  ['padding', [[PADDING_BOTTOM, bottom], [PADDING_RIGHT, right], [MOVED, far]]],
  ['padding-left', [[MOVED, far]]],
  ['padding-right', [[PADDING_RIGHT, offset]]],
  ['padding-top', [[MOVED, far]]],
  ['padding-bottom', [[PADDING_BOTTOM, offset]]],
  ['-webkit-text-fill-color', [[PAINT, unless()]]],
  ['-webkit-text-stroke', [[PAINT, unless('0', 'none')]]],
  ['text-shadow', [[PAINT, unless('none')]]],
  ['box-shadow', [[PAINT, (value) => (value.includes('inset') ? 1 : 0)]]],
  ['filter', [[PAINT, unless('none')]]],
  ['backdrop-filter', [[PAINT, unless('none')]]],
  ['mix-blend-mode', [[PAINT, unless('normal')]]],
  ['background-clip', [[PAINT, (value) => (value.includes('text') ? 1 : 0)]]],
  ['-webkit-background-clip', [[PAINT, (value) => (value.includes('text') ? 1 : 0)]]],
  ['clip', [[CLIP, clipped]]],
  ['clip-path', [[SHAPE, unless('none')]]],
  ['-webkit-clip-path', [[SHAPE, unless('none')]]],
  ['transform', [[SHAPE, unless('none')], [MOVED, unless('none')]]],
  ['-webkit-transform', [[SHAPE, unless('none')], [MOVED, unless('none')]]],
  ['direction', [[DIRECTION, keywords({ rtl: 1, ltr: 0 }, 0)]]],
  ['unicode-bidi', [[BIDI, keywords({ 'bidi-override': 1, 'isolate-override': 1, normal: 0, embed: 0, isolate: 0, plaintext: 0 }, 0)]]],
])

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

function setPicture(style: StyleInMaking, written: string, rank: number): void {
  const value = written.toLowerCase()
  const at = value.indexOf('url(')
  const end = value.indexOf(')', at)
  const image = at < 0 ? '' : unquoted(written.slice(at + 4, end < 0 ? undefined : end))
  if (image !== '') style.image = image
  put(style, PICTURE, { value: image !== '' || (at < 0 && isPicture(value)) ? 1 : 0, rank })
}

/** All that `background` says: what it leaves out is as if nothing had been said. */
function setBackground(style: StyleInMaking, written: string, rank: number): void {
  const value = backgroundOf(written.toLowerCase())
  if (value === undefined) return
  put(style, BACKGROUND, { value, rank })
  setPicture(style, written, rank)
}

function setOverflow(style: StyleInMaking, value: string, rank: number): void {
  const words = wordsOf(value)
  const [first = '', second = first] = words
  const across = cutOff(first)
  const down = cutOff(second)
  if (words.length > 2 || across === undefined || down === undefined) return
  put(style, OVERFLOW_X, { value: across, rank })
  put(style, OVERFLOW_Y, { value: down, rank })
}

function setProperty(style: StyleInMaking, property: string, { written, rank }: { readonly written: string; readonly rank: number }): void {
  if (property === 'background') {
    setBackground(style, written, rank)
    return
  }
  if (property === 'background-image') {
    setPicture(style, written, rank)
    return
  }
  const value = written.toLowerCase()
  if (property === 'overflow') {
    setOverflow(style, value, rank)
    return
  }
  for (const [place, reader] of READERS.get(property) ?? []) {
    const read = reader(value)
    if (read === undefined) continue
    // A kind of box that some programs alone know changes nothing, but that it may show what is hidden.
    if (place === DISPLAY && Number.isNaN(read) && !(isSet(style, DISPLAY) && style.values[DISPLAY] === DISPLAY_NONE) && !value.includes('(')) continue
    put(style, place, { value: read, rank })
  }
}

/** First letters of the properties above: most declarations are told by them to be others. */
const FIRST_LETTERS = new Set('d v o m t l w h f c b r i p u -'.split(' ').map((letter) => letter.charCodeAt(0)))
const COLON = 58

/** `name: value` between two offsets. */
export function declare(style: StyleInMaking, { css, from, to, rank }: Declaration): void {
  let start = from
  while (start < to && css.charCodeAt(start) <= 32) start++
  if (!FIRST_LETTERS.has(css.charCodeAt(start) | 32)) return
  let colon = start
  while (colon < to && css.charCodeAt(colon) !== COLON) colon++
  if (colon === to) return
  const property = css.slice(start, colon).trimEnd().toLowerCase()
  let value = css.slice(colon + 1, to).trim()
  const bang = value.indexOf('!')
  if (bang < 0) {
    setProperty(style, property, { written: value, rank })
    return
  }
  // Anything else behind a `!` is no valid declaration.
  if (value.slice(bang + 1).trim().toLowerCase() !== 'important') return
  value = value.slice(0, bang).trimEnd()
  setProperty(style, property, { written: value, rank: rank + IMPORTANT_RANK })
}

