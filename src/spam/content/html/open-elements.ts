/**
 * The elements that are open while HTML is read, with what they hand down: how
 * text in them looks, and whether anybody can see it. At most MAX_OPEN_ELEMENTS;
 * what is deeper is counted and shows as what it is in.
 */
import { MAX_CLOSE_SEARCH, MAX_OPEN_ELEMENTS } from '../bounds.ts'
import { sameToTheEye, TRANSPARENT } from './colors.ts'
import { ELEMENT_COUNT, SCOPE, type Element } from './elements.ts'

/** How text looks in an element. */
export interface Look {
  /** nothing inside is shown, whatever it says */
  gone: boolean
  /** `visibility: hidden` */
  invisible: boolean
  /** pixels */
  fontSize: number
  color: number
  background: number
}

/** Text of this size nobody reads. */
const MAX_UNREADABLE_PIXELS = 1
/** Black on white, in 16 pixels: what a mail program shows where nothing is said. */
export const PLAIN_LOOK: Readonly<Look> = { gone: false, invisible: false, fontSize: 16, color: 0, background: 0xffffff }

export function isHidden(look: Readonly<Look>): boolean {
  return look.gone || look.invisible || look.fontSize <= MAX_UNREADABLE_PIXELS || look.color === TRANSPARENT || sameToTheEye(look.color, look.background)
}

interface Open extends Look {
  element: Element | undefined
  hidden: boolean
}

export class OpenElements {
  private readonly stack: Open[] = [{ ...PLAIN_LOOK, element: undefined, hidden: false }]
  /** how many of each are open, by id */
  private readonly counts = new Uint16Array(ELEMENT_COUNT + 1)
  private depth = 0
  /** there were more than fit */
  truncated = false

  get top(): Readonly<Open> {
    return this.stack[this.depth] as Open
  }

  /** The look of what is around everything, which `body` sets. */
  get ground(): Look {
    return this.stack[0] as Open
  }

  /** Nothing is open any more. */
  reset(): void {
    this.depth = 0
    this.counts.fill(0)
    this.truncated = false
    Object.assign(this.ground, PLAIN_LOOK)
  }

  push(element: Element, look: Readonly<Look>): void {
    if (this.depth >= MAX_OPEN_ELEMENTS) {
      this.truncated = true
      return
    }
    this.depth++
    const hidden = isHidden(look)
    const open = this.stack[this.depth]
    if (open === undefined) {
      this.stack.push({ ...look, element, hidden })
    } else {
      open.element = element
      open.hidden = hidden
      open.gone = look.gone
      open.invisible = look.invisible
      open.fontSize = look.fontSize
      open.color = look.color
      open.background = look.background
    }
    this.counts[element.id] = (this.counts[element.id] ?? 0) + 1
  }

  /** Closes the nearest of these, and what is open in it; not beyond a table's cell. */
  close(element: Element, everywhere: boolean): boolean {
    if (this.counts[element.id] === 0) return false
    const last = Math.max(1, this.depth - MAX_CLOSE_SEARCH)
    for (let at = this.depth; at >= last; at--) {
      const open = this.stack[at]?.element
      if (open === element) {
        this.cut(at)
        return true
      }
      if (!everywhere && open !== undefined && (open.flags & SCOPE) !== 0) return false
    }
    return false
  }

  /** What the start of an element ends: a `td` the `td` before it, with all that is open in it. */
  closeBefore(element: Element): void {
    let last = Math.max(1, this.depth - MAX_CLOSE_SEARCH)
    if (!element.ends.some((id) => this.counts[id] !== 0)) return
    for (let at = this.depth; at >= last; at--) {
      const open = this.stack[at]?.element
      if (open === undefined) return
      if (element.ends.includes(open.id)) {
        this.cut(at)
        last = Math.max(1, at - MAX_CLOSE_SEARCH)
      } else if ((open.flags & SCOPE) !== 0 || open.name === 'ul' || open.name === 'ol' || open.name === 'dl') {
        return
      }
    }
  }

  /** The elements from this depth on are closed. */
  private cut(depth: number): void {
    for (let at = this.depth; at >= depth; at--) {
      const id = this.stack[at]?.element?.id ?? 0
      this.counts[id] = (this.counts[id] ?? 1) - 1
    }
    this.depth = depth - 1
  }
}
