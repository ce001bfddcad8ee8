/**
 * Follows a program over code units from one place, as Perl would: the preferred
 * way first, and back where a way fails, on a stack of its own. Where it is told
 * to remember, it comes to no choice twice at the same place.
 */
import { numberBy } from './choice-table.ts'
import * as op from './program.ts'
import type { Program } from './program.ts'
import { isTrail, NO_TEXT, Reader } from './reader.ts'
import type { Stretch } from './reader.ts'
import { Scratch } from './scratch.ts'

/** What a walk says in place of where it ended. */
export const FAIL = -1
export const OVER = -2
/** In a frame of the stack: no run of one set. */
const PLAIN_FRAME = -1
const UNBOUNDED = 0x3fff_ffff

/** Walks come one after another, never one within another, but for parts of the same. */
const scratch = new Scratch()

export class Walker extends Reader {
  #halves = NO_TEXT.units
  #fold = NO_TEXT.units
  #entry = 0
  #memos = -1
  #limit = 0
  /** number of this run among those that remember; 0: it does not */
  #run = 0
  /** where the look-behind that runs has to end */
  #reach = 0
  /** of groups that are referred to: where it was opened, begin, end; then begins of iterations */
  #cells = new Int32Array(8)
  #cellCount = 0

  /** Of this program on this text. */
  take({ library, entry, cells, memos, fold }: Program, stretch: Stretch): void {
    this.read(library, stretch)
    this.#halves = library.halves
    this.#fold = fold
    this.#entry = entry
    this.#memos = memos
    this.#cellCount = cells
    if (cells > this.#cells.length) this.#cells = new Int32Array(cells)
  }

  protected begin(maxSteps: number): void {
    this.#limit = maxSteps
    this.#run = 0
    this.steps = 0
  }

  /** Could it remember where it failed? Not where that depends on more than the place, or takes too much memory. */
  protected get canRemember(): boolean {
    const marks = this.#marks
    return marks > 0 && scratch.fits(marks)
  }

  /** From now on it remembers, and may take so many steps in all. */
  protected remember(maxSteps: number): void {
    scratch.reserve(this.#marks)
    this.#run = scratch.nextRun()
    this.#limit = maxSteps
  }

  get #marks(): number {
    return this.#memos * (this.end - this.start + 1)
  }

  /** From the begin of the program at a place to its end: where that is, FAIL or OVER. */
  protected walk(at: number): number {
    if (this.#cellCount > 0) this.#cells.fill(-1, 0, this.#cellCount)
    scratch.top = 0
    return this.#walk(this.#entry, at)
  }

  /** From an instruction and a place to the end of the program: where that is, FAIL or OVER. */
  #walk(entry: number, from: number): number {
    const words = this.words
    const base = scratch.top
    let [pc, at] = [entry, from]
    for (;;) {
      if (++this.steps > this.#limit) return OVER
      const word = words[pc] as number
      const what = word & op.WHAT
      if (what === op.MATCHED) return this.#done(base, at)
      if (what >= op.SPLIT && what <= op.ITERATED) {
        const to = this.#branch(what, pc, at)
        if (to === OVER) return OVER
        if (to !== FAIL) {
          pc = to
          continue
        }
      } else {
        const to = what < op.SPLIT ? this.#take(what, pc, at) : what <= op.RUN_POSSESSIVE ? this.#runs(what, pc, at) : this.#check(what, pc, at)
        if (to === OVER) return OVER
        if (to !== FAIL) {
          at = to
          if (what === op.REACHED) return this.#done(base, at)
          pc = word >> op.WHAT_BITS
          continue
        }
      }
      // Back to what is still to be tried.
      for (;;) {
        if (scratch.top === base) return FAIL
        scratch.top -= 3
        pc = scratch.stack[scratch.top] as number
        at = scratch.stack[scratch.top + 1] as number
        const extra = scratch.stack[scratch.top + 2] as number
        if (pc < 0) this.#cells[-pc - 1] = at
        else if (extra === PLAIN_FRAME) break
        else {
          at = this.#resume(pc, at, extra)
          if (at === OVER) return OVER
          if (at === FAIL) continue
          pc = (words[pc] as number) >> op.WHAT_BITS
          break
        }
      }
    }
  }

  /** Nothing below it is tried any more; what cells were is kept for those who go back further. */
  #done(base: number, at: number): number {
    if (this.#cellCount === 0) {
      scratch.top = base
      return at
    }
    const { stack, top } = scratch
    scratch.top = base
    for (let frame = base; frame < top; frame += 3) if ((stack[frame] as number) < 0) scratch.push(stack[frame] as number, stack[frame + 1] as number, stack[frame + 2] as number)
    return at
  }

  #take(what: number, pc: number, at: number): number {
    const words = this.words
    if (at >= this.end) return FAIL
    const unit = this.units[at] as number
    const own = words[pc + op.A] as number
    switch (what) {
      case op.UNIT: return unit === own ? at + 1 : FAIL
      case op.FOLDED: return this.#fold[unit] === own ? at + 1 : FAIL
      case op.SET: {
        const width = unit < 256 ? this.isIn(own, unit) : this.highWidth(words[pc + op.B] as number, at)
        return width === 0 ? FAIL : at + width
      }
      default: return this.#string(what === op.STRING_FOLDED, pc, at)
    }
  }

  #string(folded: boolean, pc: number, at: number): number {
    const units = this.units
    const halves = this.#halves
    const first = 2 * (pc + op.B)
    const length = this.words[pc + op.A] as number
    if (at + length > this.end) return FAIL
    if (folded) {
      const fold = this.#fold
      for (let i = 0; i < length; i++) if (fold[units[at + i] as number] !== halves[first + i]) return FAIL
    } else {
      for (let i = 0; i < length; i++) if (units[at + i] !== halves[first + i]) return FAIL
    }
    return at + length
  }

  #seen(pc: number, at: number): boolean {
    return this.#run !== 0 && scratch.seen((this.words[pc + op.MEMO] as number) * (this.end - this.start + 1) + at - this.start, this.#run)
  }

  /** Which instruction is next. */
  #branch(what: number, pc: number, at: number): number {
    const words = this.words
    const next = (words[pc] as number) >> op.WHAT_BITS
    if (what === op.ITERATED) return this.#cells[words[pc + op.A] as number] === at ? words[pc + op.B] as number : next
    if (this.#seen(pc, at)) return FAIL
    const entry = this.entryAt(at)
    if (what === op.SPLIT) {
      const first = this.isIn(words[pc + op.B] as number, entry) === 1
      const second = this.isIn(words[pc + op.C] as number, entry) === 1
      if (first && second && !scratch.push(words[pc + op.D] as number, at, PLAIN_FRAME)) return OVER
      return first ? next : second ? words[pc + op.D] as number : FAIL
    }
    if (this.isIn(words[pc + op.B] as number, entry) === 0) return FAIL
    const way = words[pc + op.D + numberBy(words[pc + op.C] as number, entry)] as number
    return way >= 0 ? way : this.#several(~way, at)
  }

  /** The first of a list of branches; the others are tried if it fails. */
  #several(list: number, at: number): number {
    const words = this.words
    for (let i = words[list] as number; i > 1; i--) if (!scratch.push(words[list + i] as number, at, PLAIN_FRAME)) return OVER
    return words[list + 1] as number
  }

  /** As many of one set as there are, or as few as will do. */
  #runs(what: number, pc: number, from: number): number {
    const words = this.words
    const least = words[pc + op.D] as number
    const most = words[pc + op.E] as number
    const end = this.end
    let [at, count] = [from, 0]
    for (; count < least; count++) {
      const width = at < end ? this.width(pc + op.B, at) : 0
      if (width === 0) return FAIL
      at += width
    }
    this.steps += (at - from) >> 2
    if (most >= 0 && this.#seen(pc, from)) return FAIL
    if (what === op.RUN_LAZY) return this.#lazily(pc, at, most < 0 ? UNBOUNDED : most - least)
    const low = at
    const table = words[pc + op.B] as number
    let last = FAIL
    for (;;) {
      // Who comes to a place that this loop has been at fails from there on.
      if (this.#run !== 0 && most < 0 && this.#seen(pc, at)) {
        if (what === op.RUN_POSSESSIVE) return FAIL
        break
      }
      last = at
      if (count === most || at >= end) break
      const unit = this.units[at] as number
      const width = unit < 256 ? this.isIn(table, unit) : this.highWidth(words[pc + op.C] as number, at)
      if (width === 0) break
      at += width
      count++
    }
    this.steps += (at - low) >> 2
    return last === FAIL || what === op.RUN_POSSESSIVE ? last : this.#settle(pc, last, low)
  }

  /** Gives back until what follows can stand here. */
  #settle(pc: number, from: number, low: number): number {
    const table = this.words[pc + op.F] as number
    let at = from
    while (at >= low && !this.possible(table, at)) at = this.stepBack(at)
    this.steps += (from - at) >> 2
    if (at < low) return FAIL
    const before = this.stepBack(at)
    return before >= low && !scratch.push(pc, before, low) ? OVER : at
  }

  /** Takes until what follows can stand here. */
  #lazily(pc: number, from: number, more: number): number {
    const words = this.words
    const table = words[pc + op.F] as number
    const unbounded = words[pc + op.E] === -1
    for (let at = from; ; more--) {
      if (unbounded && this.#seen(pc, at)) return FAIL
      if (this.possible(table, at)) return more > 0 && !scratch.push(pc, at, more) ? OVER : at
      const width = more > 0 && at < this.end ? this.width(pc + op.B, at) : 0
      if (width === 0) return FAIL
      at += width
      if (((at - from) & 3) === 3) this.steps++
    }
  }

  #resume(pc: number, at: number, extra: number): number {
    if (((this.words[pc] as number) & op.WHAT) === op.RUN) return this.#settle(pc, at, extra)
    const width = at < this.end ? this.width(pc + op.B, at) : 0
    return width === 0 ? FAIL : this.#lazily(pc, at + width, extra - 1)
  }

  /** What takes nothing, or is rare. */
  #check(what: number, pc: number, at: number): number {
    const units = this.units
    const end = this.end
    const words = this.words
    const a = words[pc + op.A] as number
    switch (what) {
      case op.START: return at === this.start ? at : FAIL
      case op.END_OF_TEXT: return at === end ? at : FAIL
      case op.END_OR_NEWLINE: return at === end || (at === end - 1 && units[at] === 10) ? at : FAIL
      // As in Perl, no line begins at the end of the text.
      case op.LINE_START: return at === this.start || (units[at - 1] === 10 && at < end) ? at : FAIL
      case op.LINE_END: return at === end || units[at] === 10 ? at : FAIL
      case op.WORD_EDGE: return (this.isBefore(pc + op.A, at) === this.isNext(pc + op.A, at)) === (words[pc + op.C] === 1) ? at : FAIL
      case op.NEXT_IN: return this.isNext(pc + op.A, at) === (words[pc + op.C] === 1) ? FAIL : at
      case op.BEFORE_IN: return this.isBefore(pc + op.A, at) === (words[pc + op.C] === 1) ? FAIL : at
      case op.LOOK_AHEAD: return this.#signed(this.#apart(words[pc + op.B] as number, at), a === 1, at)
      case op.LOOK_BEHIND: return this.#signed(this.#behind(pc, at), a === 1, at)
      case op.ATOMIC: return this.#apart(a, at)
      case op.REACHED: return at === this.#reach ? at : FAIL
      case op.ITERATE:
      case op.OPEN: return this.#setCell(a, at) ? at : OVER
      case op.CLOSE: return this.#setCell(a + 1, this.#cells[a] as number) && this.#setCell(a + 2, at) ? at : OVER
      case op.REFERENCE: return this.#reference(a, words[pc + op.B] === 1, at)
      default: throw new Error(`no instruction has the number ${what}`)
    }
  }

  #signed(reached: number, negative: boolean, at: number): number {
    if (reached === OVER) return OVER
    return (reached === FAIL) === negative ? at : FAIL
  }

  #setCell(cell: number, value: number): boolean {
    const pushed = scratch.push(-cell - 1, this.#cells[cell] as number, PLAIN_FRAME)
    this.#cells[cell] = value
    return pushed
  }

  /** A part that is matched for itself: once it is, it is not taken up again. */
  #apart(entry: number, at: number): number {
    const run = this.#run
    if (run !== 0) this.#run = scratch.nextRun()
    const reached = this.#walk(entry, at)
    this.#run = run
    return reached
  }

  #behind(pc: number, at: number): number {
    const words = this.words
    const reach = this.#reach
    const farthest = Math.max(this.start, at - (words[pc + op.C] as number))
    let reached = FAIL
    this.#reach = at
    for (let from = at - (words[pc + op.B] as number); from >= farthest && reached === FAIL; from--) {
      if (from === at || !isTrail(this.units[from] as number)) reached = this.#apart(words[pc + op.D] as number, from)
    }
    this.#reach = reach
    return reached
  }

  #reference(cell: number, folds: boolean, at: number): number {
    const units = this.units
    const fold = this.#fold
    const from = this.#cells[cell + 1] as number
    const length = (this.#cells[cell + 2] as number) - from
    if (from < 0 || at + length > this.end) return FAIL
    this.steps += length >> 2
    for (let i = 0; i < length; i++) {
      const [one, other] = [units[from + i] as number, units[at + i] as number]
      if (one !== other && (!folds || fold[one] !== fold[other])) return FAIL
    }
    return at + length
  }
}
