/**
 * How text looks in an element, as far as it tells whether anybody can read it.
 * Mail programs do not agree: what some of them show and others do not, or what
 * stands on rules that are not followed here, is doubtful and counts as both.
 */
import { blended, sameToTheEye, TRANSPARENT } from './colors.ts'

/** Everybody sees it. */
export const SEEN = 0
/** Some see it, or nobody can say. */
export const DOUBTFUL = 1
/** Nobody sees it. */
export const HIDDEN = 2
export type Sight = typeof SEEN | typeof DOUBTFUL | typeof HIDDEN

export interface Look {
  /** nothing inside is shown, whatever it says */
  gone: Sight
  /** in a box of no size that cuts it off, or outside the window: something inside that has a position of its own may be elsewhere */
  away: Sight
  /** `visibility: hidden`, which something inside may take back */
  invisible: Sight
  /** pixels */
  fontSize: number
  color: number
  background: number
  /** there may be another size, colour or ground */
  fontDoubt: boolean
  colorDoubt: boolean
  groundDoubt: boolean
  /** in a `<details>` that is closed: one click shows it */
  folded: boolean
  /** browsers may have another element around it: what hides it is doubtful */
  loose: boolean
}

/** Text of this size nobody reads. */
export const MAX_UNREADABLE_PIXELS = 1

/** Black on white, in 16 pixels: what a mail program shows where nothing is said. */
export const PLAIN_LOOK: Readonly<Look> = {
  gone: SEEN, away: SEEN, invisible: SEEN, fontSize: 16, color: 0, background: 0xffffff, fontDoubt: false, colorDoubt: false, groundDoubt: false, folded: false, loose: false,
}

export function copyLook(to: Look, from: Readonly<Look>): void {
  to.gone = from.gone
  to.away = from.away
  to.invisible = from.invisible
  to.fontSize = from.fontSize
  to.color = from.color
  to.background = from.background
  to.fontDoubt = from.fontDoubt
  to.colorDoubt = from.colorDoubt
  to.groundDoubt = from.groundDoubt
  to.folded = from.folded
  to.loose = from.loose
}

export function most(one: Sight, other: Sight): Sight {
  return one > other ? one : other
}

/** Whether text with this look is read. */
export function sightOf(look: Readonly<Look>): Sight {
  let sight = most(most(look.gone, look.away), look.invisible)
  if (look.folded) sight = most(sight, DOUBTFUL)
  if (look.fontSize <= MAX_UNREADABLE_PIXELS) sight = most(sight, look.fontDoubt ? DOUBTFUL : HIDDEN)
  if (look.color === TRANSPARENT || sameToTheEye(blended(look.color, look.background), look.background)) {
    sight = most(sight, look.colorDoubt || look.groundDoubt ? DOUBTFUL : HIDDEN)
  }
  return look.loose && sight === HIDDEN ? DOUBTFUL : sight
}
