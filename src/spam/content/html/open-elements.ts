/**
 * The elements that are open while HTML is read, with what they hand down: how
 * text in them looks, and whether anybody can see it (HTML Living Standard
 * §13.2.4.2 and .6.4, as far as it matters for that). At most MAX_OPEN_ELEMENTS;
 * what is deeper is counted and shows as what it is in. No step looks for an
 * element: where the nearest of each kind is open is always known.
 *
 * Formatting that is closed in the wrong order goes on elsewhere in a browser.
 * That is not followed: what is hidden there is doubtful.
 */
import { MAX_OPEN_ELEMENTS } from '../bounds.ts'
import { A, ADDRESS, BODY, BUTTON, CAPTION, DIV, FORM, FORMATTING, HEAD, HEADING, HEADINGS, HTML, IN_HEAD, MARKER, MATH, MAX_ELEMENT_IDS, NOBR, NOSCRIPT, ONCE, P, SCOPE, SELECT, SPECIAL, SVG, TABLE, TABLE_PART, TBODY, TD, TFOOT, TH, THEAD, TR, type Element } from './elements.ts'
import { copyLook, DOUBTFUL, HIDDEN, PLAIN_LOOK, sightOf, type Look, type Sight } from './look.ts'

interface Open extends Look {
  /** undefined: it was closed amid others */
  element: Element | undefined
  sight: Sight
  /** bits: what formatting changes that was in it and goes on in it, in a browser */
  reopened: number
  /** bits: in what it looks otherwise than what is around it */
  changes: number
  /** where the next one of its kind is open; 0: nowhere */
  below: number
  /** where the next scope and the next special element are open */
  scopeBelow: number
  specialBelow: number
}

const SIGHT = 1
const SIZE = 2
const COLOR = 4
const GROUND = 8

/** Bits: in what they look different. */
function differences(one: Readonly<Look>, other: Readonly<Look>): number {
  const seen = one.gone === other.gone && one.away === other.away && one.invisible === other.invisible
  return (seen ? 0 : SIGHT) | (one.fontSize === other.fontSize ? 0 : SIZE) | (one.color === other.color ? 0 : COLOR) | (one.background === other.background ? 0 : GROUND)
}

/** What an element says of these does not count for sure. */
function doubt(open: Open, bits: number): void {
  if ((bits & SIGHT) !== 0) open.loose = true
  if ((bits & SIZE) !== 0) open.fontDoubt = true
  if ((bits & COLOR) !== 0) open.colorDoubt = true
  if ((bits & GROUND) !== 0) open.groundDoubt = true
  settle(open)
}

function settle(open: Open): void {
  open.sight = sightOf(open)
  if (open.sight === HIDDEN && isFrame(open.element)) open.sight = DOUBTFUL
}

/** A table, or what is in it around its cells: text in it belongs before the table. */
function isFrame(element: Element | undefined): boolean {
  return element !== undefined && (element === TABLE || (element.flags & (TABLE_PART | SCOPE)) === TABLE_PART)
}

export class OpenElements {
  private readonly stack: Open[] = [{ ...PLAIN_LOOK, element: undefined, sight: 0, reopened: 0, changes: 0, below: 0, scopeBelow: 0, specialBelow: 0 }]
  /** where the nearest of each is open, by id; 0: nowhere */
  private readonly tops = new Uint16Array(MAX_ELEMENT_IDS)
  /** how many of each are open beyond what fits, by id */
  private readonly beyond = new Uint32Array(MAX_ELEMENT_IDS)
  /** when that was counted: numbers of another time are forgotten */
  private readonly counted = new Uint32Array(MAX_ELEMENT_IDS)
  private time = 1
  private depth = 0
  private scope = 0
  private special = 0
  /** there were more than fit */
  truncated = false
  private over = false

  get top(): Readonly<Open> {
    return this.stack[this.depth] as Open
  }

  /** How many are open. */
  get level(): number {
    return this.depth
  }

  /** What is hidden in what is open now may be seen. */
  loosen(): void {
    doubt(this.stack[this.depth] as Open, SIGHT)
  }

  /** The ground of what comes may be another one. */
  doubtGround(): void {
    doubt(this.stack[this.depth] as Open, GROUND)
  }

  /** In a drawing or a formula. */
  get foreign(): boolean {
    return this.has(SVG) || this.has(MATH)
  }

  has(element: Element): boolean {
    return this.tops[element.id] !== 0
  }

  /** Nothing is open any more. */
  reset(): void {
    this.depth = 0
    this.scope = 0
    this.special = 0
    this.tops.fill(0)
    this.forget()
    this.truncated = false
    this.setGround(PLAIN_LOOK)
  }

  /** The look of what is around everything, which `body` sets. */
  setGround(look: Readonly<Look>): void {
    const ground = this.stack[0] as Open
    copyLook(ground, look)
    ground.sight = sightOf(look)
  }

  push(element: Element, look: Readonly<Look>): void {
    const { id, flags } = element
    if (this.depth >= MAX_OPEN_ELEMENTS) {
      this.truncated = true
      this.over = true
      this.beyond[id] = this.countBeyond(id) + 1
      this.counted[id] = this.time
      return
    }
    const around = this.stack[this.depth] as Open
    this.depth++
    const open = (this.stack[this.depth] ??= { ...around })
    open.element = element
    copyLook(open, look)
    // What stands in a table and in no cell is put before the table; a drawing or a list to choose from ends at what cannot be in it.
    open.loose = look.loose || this.foreign || this.has(SELECT) || (isFrame(around.element) && (flags & TABLE_PART) === 0)
    settle(open)
    open.reopened = 0
    open.changes = differences(open, around)
    open.below = this.tops[id] ?? 0
    open.scopeBelow = this.scope
    open.specialBelow = this.special
    this.tops[id] = this.depth
    if ((flags & SCOPE) !== 0) this.scope = this.depth
    if ((flags & SPECIAL) !== 0) this.special = this.depth
  }

  /** What the start of an element ends, and whether it counts at all: a `td` without a table does not, nor a form in a form. */
  start(element: Element): boolean {
    const { flags, ends } = element
    if (this.has(HEAD) && (flags & IN_HEAD) === 0) this.endHead()
    if (element === HEAD) return this.depth === 0 || this.top.element === HTML
    if ((flags & TABLE_PART) !== 0) return this.backToTable(element)
    if ((flags & ONCE) !== 0 && this.has(element)) return false
    if (element === A || element === NOBR || element === BUTTON) this.close(element)
    if (element === TABLE) this.startTable()
    // A heading is in no other one; what is in that may have one.
    if ((flags & HEADING) !== 0 && ((this.top.element?.flags ?? 0) & HEADING) !== 0) this.cut(this.depth)
    let at = 0
    for (const id of ends) at = Math.max(at, this.tops[id] ?? 0)
    // An item may stand in another one's list.
    if (at !== 0 && at >= this.special) this.cut(at)
    return true
  }

  /** What cannot stand in the head is in the body, and its end tag comes too late (§13.2.6.4.4). */
  private endHead(): void {
    const at = this.tops[HEAD.id] ?? 0
    if (this.depth === at || (this.depth === at + 1 && this.top.element === NOSCRIPT)) this.cut(at)
  }

  private startTable(): void {
    const at = this.tops[TABLE.id] ?? 0
    // A table that is in no cell of the one before ends it.
    if (at !== 0 && at === this.scope) this.cut(at)
    // It ends a paragraph for those alone who read the document by the newer rules.
    if ((this.tops[P.id] ?? 0) > this.scope) this.loosen()
  }

  /** The start of a block ends a paragraph. */
  endParagraph(): void {
    const at = this.tops[P.id] ?? 0
    if (at > this.scope && at > (this.tops[BUTTON.id] ?? 0)) this.cut(at)
  }

  /** The end tag of an element. */
  close(element: Element): void {
    const { id, flags } = element
    const beyond = this.countBeyond(id)
    if (this.over && beyond > 0) {
      this.beyond[id] = beyond - 1
      return
    }
    const at = (flags & HEADING) === 0 ? this.tops[id] ?? 0 : this.heading()
    // What comes behind the end of the body is in it still.
    if (at === 0 || element === BODY || element === HTML) return
    if ((flags & TABLE_PART) !== 0) {
      if (at > (this.tops[TABLE.id] ?? 0) || !this.has(TABLE)) this.cut(at)
      return
    }
    // A table ends with all its cells.
    if (at < this.scope && element !== TABLE) return
    const closed = at >= Math.max(this.special, this.tops[P.id] ?? 0, this.tops[DIV.id] ?? 0, this.tops[ADDRESS.id] ?? 0)
    if (element === FORM && at !== this.depth) this.takeOut(at, false)
    else if ((flags & FORMATTING) !== 0 && !closed) this.takeOut(at, true)
    else if (closed || flags !== 0) this.cut(at)
  }

  private heading(): number {
    let at = 0
    for (const { id } of HEADINGS) at = Math.max(at, this.tops[id] ?? 0)
    return at
  }

  private backToTable({ id }: Element): boolean {
    const { tops } = this
    const table = tops[TABLE.id] ?? 0
    if (table === 0) return false
    const cell = Math.max(tops[TD.id] ?? 0, tops[TH.id] ?? 0, tops[CAPTION.id] ?? 0)
    if (cell > table) this.cut(cell)
    let base = table
    if (id === TD.id || id === TH.id || id === TR.id) base = Math.max(base, tops[TBODY.id] ?? 0, tops[THEAD.id] ?? 0, tops[TFOOT.id] ?? 0)
    if (id === TD.id || id === TH.id) base = Math.max(base, tops[TR.id] ?? 0)
    if (this.depth > base) this.cut(base + 1)
    return true
  }

  /** One is closed and what is in it stays open; `loose`: not as if it were in it. */
  private takeOut(at: number, loose: boolean): void {
    const open = this.stack[at] as Open
    this.unlink(open)
    open.element = undefined
    if (!loose || open.changes === 0) return
    for (let i = at + 1; i <= this.depth; i++) doubt(this.stack[i] as Open, open.changes)
  }

  /** Of its kind, it is open no more; it is the nearest. */
  private unlink(open: Open): void {
    if (open.element !== undefined) this.tops[open.element.id] = open.below
  }

  /** The elements from this depth on are closed. */
  private cut(depth: number): void {
    if (this.over) this.forget()
    let goesOn = 0
    for (let at = this.depth; at >= depth; at--) {
      const open = this.stack[at] as Open
      const flags = open.element?.flags ?? 0
      // Formatting that its own end tag does not close goes on behind, and so does what was loose.
      if ((flags & MARKER) !== 0) goesOn = 0
      else goesOn |= at > depth && (flags & FORMATTING) !== 0 ? open.changes | open.reopened : open.reopened
      this.unlink(open)
      this.scope = open.scopeBelow
      this.special = open.specialBelow
    }
    this.depth = depth - 1
    while (this.depth > 0 && this.stack[this.depth]?.element === undefined) {
      const open = this.stack[this.depth] as Open
      this.scope = open.scopeBelow
      this.special = open.specialBelow
      this.depth--
    }
    if (goesOn === 0) return
    const top = this.stack[this.depth] as Open
    top.reopened |= goesOn
    doubt(top, goesOn)
  }

  private countBeyond(id: number): number {
    return this.counted[id] === this.time ? this.beyond[id] ?? 0 : 0
  }

  private forget(): void {
    this.over = false
    this.time = (this.time + 1) >>> 0
    if (this.time === 0) this.counted.fill(this.time++)
  }
}
