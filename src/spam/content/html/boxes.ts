/**
 * Whether a style hides its element, by what its box is (CSS 2.2 §9, §10, §11):
 * width, height and overflow work on blocks, left and top where there is a
 * position. Where it hangs on the text, or where mail programs differ much, it
 * is doubtful. Pure.
 */
import { BLOCK, CELL, SCOPE, TABLE, TABLE_PART, type Element } from './elements.ts'
import { DOUBTFUL, HIDDEN, most, SEEN, type Sight } from './look.ts'
import { CLIP, DISPLAY, FLOAT, HEIGHT, INDENT, LEFT, MARGIN, MAX_HEIGHT, MAX_WIDTH, MIN_HEIGHT, MIN_WIDTH, MOVED, MSO_HIDE, OPACITY, OVERFLOW_X, OVERFLOW_Y, PADDING_BOTTOM, PADDING_RIGHT, POSITION, SHAPE, TOP, valueOf, WIDTH, type Style } from './style.ts'
import { DISPLAY_BLOCK, DISPLAY_INLINE, DISPLAY_NONE, DISPLAY_TABLE } from './values.ts'

/** What is fainter nobody reads. */
const MIN_OPACITY = 0.05
/** A box of this width, or of this height, shows no letter. */
const MAX_EMPTY_WIDTH = 1
const MAX_EMPTY_HEIGHT = 3
/** With so much room below or beside it, what is cut off shows: a picture with words on it is made so. With less, its first line may. */
const MIN_ROOM = 40
/** So far to the side, something may be outside the window; further than the second, it is. */
const MAYBE_OUTSIDE = -500
const OUTSIDE = -2000
/** So far to the right or down nobody scrolls. */
const FAR = 3000
/** A box that is no wider does not reach back into the window. */
const NARROW_PIXELS = 1000
const INLINE_BLOCKS = new Set(['button', 'html', 'input', 'meter', 'progress', 'select', 'textarea', 'video', 'audio', 'canvas', 'svg'])

/** Without one of these set, nothing is gone; without one of those, nothing is away. Most styles set none. */
const GONE = bits(DISPLAY, OPACITY, MSO_HIDE)
const AWAY = bits(OVERFLOW_X, OVERFLOW_Y, POSITION, SHAPE, MARGIN, INDENT)

function bits(...places: readonly number[]): number {
  return places.reduce((all, place) => all | (1 << place), 0)
}

/** Not there at all, for whoever reads it. `outlook`: what Outlook alone hides counts. */
export function goneBy(style: Style, outlook: boolean): Sight {
  if ((style.set & GONE) === 0) return SEEN
  const display = valueOf(style, DISPLAY)
  if (display === DISPLAY_NONE || (valueOf(style, OPACITY) ?? 1) <= MIN_OPACITY) return HIDDEN
  return Number.isNaN(display) || (outlook && valueOf(style, MSO_HIDE) === 1) ? DOUBTFUL : SEEN
}

function kindOf(style: Style, element: Element): number {
  const position = valueOf(style, POSITION) ?? 0
  const display = valueOf(style, DISPLAY)
  if (display === DISPLAY_TABLE) return DISPLAY_TABLE
  if (position === 2 || valueOf(style, FLOAT) === 1) return element === TABLE ? DISPLAY_TABLE : DISPLAY_BLOCK
  if (display !== undefined && !Number.isNaN(display)) return display
  if (element === TABLE || (element.flags & TABLE_PART) !== 0) return DISPLAY_TABLE
  return (element.flags & (BLOCK | CELL | SCOPE)) !== 0 || INLINE_BLOCKS.has(element.name) ? DISPLAY_BLOCK : DISPLAY_INLINE
}

interface Axis {
  readonly size: number
  readonly atMost: number
  readonly atLeast: number
  /** behind the content */
  readonly room: number
  /** pixels that show no letter */
  readonly empty: number
}

const ACROSS: Axis = { size: WIDTH, atMost: MAX_WIDTH, atLeast: MIN_WIDTH, room: PADDING_RIGHT, empty: MAX_EMPTY_WIDTH }
const DOWN: Axis = { size: HEIGHT, atMost: MAX_HEIGHT, atLeast: MIN_HEIGHT, room: PADDING_BOTTOM, empty: MAX_EMPTY_HEIGHT }

function emptyBy(style: Style, { size, atMost, atLeast, room, empty }: Axis): Sight {
  const small = (valueOf(style, size) ?? Infinity) <= empty || (valueOf(style, atMost) ?? Infinity) <= empty
  if (!small || (valueOf(style, atLeast) ?? 0) > empty) return SEEN
  const behind = valueOf(style, room) ?? 0
  if (behind >= MIN_ROOM) return SEEN
  return behind <= empty ? HIDDEN : DOUBTFUL
}

function cutOffBy(style: Style): Sight {
  // Where one direction is cut off, the other one is too, if only to be scrolled.
  if (valueOf(style, OVERFLOW_X) !== 1 && valueOf(style, OVERFLOW_Y) !== 1) return SEEN
  return most(emptyBy(style, ACROSS), emptyBy(style, DOWN))
}

function outside(style: Style, position: number): Sight {
  const left = valueOf(style, LEFT) ?? 0
  const top = valueOf(style, TOP) ?? 0
  if (left > MAYBE_OUTSIDE && top > MAYBE_OUTSIDE) return left >= FAR || top >= FAR ? DOUBTFUL : SEEN
  const width = Math.min(valueOf(style, WIDTH) ?? Infinity, valueOf(style, MAX_WIDTH) ?? Infinity)
  // A box in the flow is as wide as the window; one that is taken out of it grows with its text.
  const narrow = position === 1 ? valueOf(style, WIDTH) === undefined || width <= NARROW_PIXELS : width <= NARROW_PIXELS
  const sure = valueOf(style, MOVED) !== 1 && (valueOf(style, MIN_WIDTH) ?? 0) <= NARROW_PIXELS && (top <= OUTSIDE || (left <= OUTSIDE && narrow))
  return sure ? HIDDEN : DOUBTFUL
}

/** Cut off, or elsewhere. */
export function awayBy(style: Style, element: Element): Sight {
  if ((style.set & AWAY) === 0) return SEEN
  const kind = kindOf(style, element)
  const position = valueOf(style, POSITION) ?? 0
  let away: Sight = SEEN
  // A table is as large as what is in it, in most programs.
  if (kind !== DISPLAY_INLINE) away = cutOffBy(style)
  if (kind === DISPLAY_TABLE && away === HIDDEN) away = DOUBTFUL
  if (position !== 0) away = most(away, outside(style, position))
  if (position === 2 && valueOf(style, CLIP) === 1) away = HIDDEN
  if (valueOf(style, SHAPE) === 1 || (valueOf(style, MARGIN) ?? 0) <= MAYBE_OUTSIDE) away = most(away, DOUBTFUL)
  // It moves the first line alone, which may be all.
  const indent = valueOf(style, INDENT) ?? 0
  if (kind !== DISPLAY_INLINE && (indent <= MAYBE_OUTSIDE || indent >= FAR)) away = most(away, DOUBTFUL)
  return away
}

/** Has a place of its own, wherever that is. */
export function isElsewhere(style: Style): boolean {
  return (valueOf(style, POSITION) ?? 0) !== 0 || valueOf(style, MOVED) === 1 || valueOf(style, SHAPE) === 1
}
