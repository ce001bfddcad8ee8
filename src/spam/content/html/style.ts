/**
 * What CSS says of one element as far as it hides text: a value and a rank for
 * each property that matters, and which of several counts (CSS Cascade §6).
 * Nothing here fails.
 */

/** The properties that matter, by their place in a style. */
export const DISPLAY = 0
/** 0: hidden, 1: visible, 2: that of what is around */
export const VISIBILITY = 1
export const OPACITY = 2
/** 1: `mso-hide: all`, Outlook does not show it */
export const MSO_HIDE = 3
/** pixels; below 0: a share of the size around */
export const FONT_SIZE = 4
export const COLOR = 5
export const BACKGROUND = 6
/** pixels; Infinity: a share of the box, or none; NaN: nobody can say */
export const WIDTH = 7
export const MAX_WIDTH = 8
export const MIN_WIDTH = 9
export const HEIGHT = 10
export const MAX_HEIGHT = 11
export const MIN_HEIGHT = 12
/** 1: what is larger than its box is cut off */
export const OVERFLOW_X = 13
export const OVERFLOW_Y = 14
/** 0: static or sticky, 1: relative, 2: absolute or fixed */
export const POSITION = 15
export const FLOAT = 16
export const LEFT = 17
export const TOP = 18
/** the lowest margin */
export const MARGIN = 19
export const INDENT = 20
/** 1: shifted, or widened, by so much that it may be where it is seen */
export const MOVED = 21
/** pixels of what is inside a box and below, or to the right of, its content: what is cut off shows as far as that */
export const PADDING_BOTTOM = 22
/** 1: `color` and `background` are not all that makes the colours */
export const PAINT = 23
/** 1: `clip` leaves nothing */
export const CLIP = 24
/** 1: cut to a shape, scaled or moved so that nothing may be left */
export const SHAPE = 25
/** 1: `direction: rtl` */
export const DIRECTION = 26
/** 1: `unicode-bidi: bidi-override` */
export const BIDI = 27
export const PADDING_RIGHT = 28
/** 1: the ground is a picture, on the colour or in its place */
export const PICTURE = 29
const PROPERTIES = 30

/** Added to the rank of a declaration in a `style` attribute, and of one that is `!important`. */
export const INLINE_RANK = 0x400_0000
export const IMPORTANT_RANK = 0x800_0000

export interface Style {
  /** bits, by place: what is set */
  readonly set: number
  readonly values: readonly number[]
  /** of two declarations, the one with the higher rank counts */
  readonly ranks: readonly number[]
  /** of a background; '' where there is none */
  readonly image: string
}

export interface StyleInMaking {
  set: number
  readonly values: number[]
  readonly ranks: number[]
  image: string
}

/** A copy of it is made several times as fast as an array is filled. */
const ZEROS: readonly number[] = Array.from({ length: PROPERTIES }, () => 0)

export function emptyStyle(): StyleInMaking {
  return { set: 0, values: ZEROS.slice(), ranks: ZEROS.slice(), image: '' }
}

export const NO_STYLE: Style = emptyStyle()

export function isSet(style: Style, place: number): boolean {
  return (style.set & (1 << place)) !== 0
}

/** What is set; undefined: nothing. */
export function valueOf(style: Style, place: number): number | undefined {
  return (style.set & (1 << place)) === 0 ? undefined : style.values[place]
}

/** The later of two with one rank counts. */
export function put(style: StyleInMaking, place: number, declared: { readonly value: number; readonly rank: number }): void {
  const bit = 1 << place
  if ((style.set & bit) !== 0 && (style.ranks[place] ?? 0) > declared.rank) return
  style.set |= bit
  style.values[place] = declared.value
  style.ranks[place] = declared.rank
}

/** Both together. */
export function overlay(one: Style, other: Style): Style {
  if (one.set === 0 && one.image === '') return other
  if (other.set === 0 && other.image === '') return one
  const both: StyleInMaking = { set: one.set, values: [...one.values], ranks: [...one.ranks], image: other.image === '' ? one.image : other.image }
  for (let left = other.set; left !== 0; left &= left - 1) {
    const place = 31 - Math.clz32(left & -left)
    put(both, place, { value: other.values[place] ?? 0, rank: other.ranks[place] ?? 0 })
  }
  return both
}

/** Those declarations alone that may show what others hide. */
export function onlyShowing(style: Style): Style {
  const shows: StyleInMaking = { ...style, values: [...style.values], ranks: [...style.ranks], image: '' }
  for (let place = 0; place < PROPERTIES; place++) {
    if (isSet(style, place) && hides(place, style.values[place] ?? 0)) shows.set &= ~(1 << place)
  }
  return shows
}

function hides(place: number, value: number): boolean {
  switch (place) {
    case DISPLAY: case VISIBILITY: return value === 0
    case OPACITY: return value < 0.1
    case FONT_SIZE: case WIDTH: case MAX_WIDTH: case HEIGHT: case MAX_HEIGHT: return value >= 0 && value <= 1
    case OVERFLOW_X: case OVERFLOW_Y: case MSO_HIDE: case CLIP: case SHAPE: return value === 1
    case LEFT: case TOP: case MARGIN: case INDENT: return value < 0
    default: return false
  }
}
