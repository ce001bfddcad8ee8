/**
 * Follows a program over code units from one place, as Perl would: the preferred
 * way first, and back where a way fails, on a stack of its own. Where it is told
 * to remember, it comes to no choice twice at the same place. Instructions are
 * told apart by numbers that stand beside their names: a name of another module
 * is looked up each time.
 */
import { numberBy } from './choice-table.ts'
import { nextOf, whatOf } from './program.ts'
import type * as op from './program.ts'
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
      const first = words[pc] as number
      const what = whatOf(first)
      let to: number
      switch (what) {
        case 0 satisfies typeof op.MATCHED: return this.#done(base, at)
        case 27 satisfies typeof op.REACHED:
          if (at === this.#reach) return this.#done(base, at)
          to = FAIL
          break
        case 1 satisfies typeof op.UNIT:
        case 2 satisfies typeof op.FOLDED:
        case 3 satisfies typeof op.SET:
        case 4 satisfies typeof op.STRING:
        case 5 satisfies typeof op.STRING_FOLDED:
          to = this.#take(what, pc, at)
          break
        case 6 satisfies typeof op.SPLIT:
        case 7 satisfies typeof op.CHOICE:
        case 8 satisfies typeof op.ITERATED:
          to = this.#branch(what, pc, at)
          if (to < 0) break
          pc = to
          continue
        case 9 satisfies typeof op.RUN:
        case 10 satisfies typeof op.RUN_LAZY:
        case 11 satisfies typeof op.RUN_POSSESSIVE:
          to = this.#runs(what, pc, at)
          break
        default: to = this.#check(what, pc, at)
      }
      if (to >= 0) {
        at = to
        pc = nextOf(first)
        continue
      }
      if (to === OVER) return OVER
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
          if (at < 0) continue
          pc = nextOf(words[pc] as number)
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
    const own = words[pc + 1] as number
    switch (what) {
      case 1 satisfies typeof op.UNIT: return unit === own ? at + 1 : FAIL
      case 2 satisfies typeof op.FOLDED: return this.#fold[unit] === own ? at + 1 : FAIL
      case 3 satisfies typeof op.SET: {
        const width = unit < 256 ? this.isIn(own, unit) : this.highWidth(words[pc + 2] as number, at)
        return width === 0 ? FAIL : at + width
      }
      default: return this.#string(what === (5 satisfies typeof op.STRING_FOLDED), pc, at)
    }
  }

  #string(folded: boolean, pc: number, at: number): number {
    const units = this.units
    const halves = this.#halves
    const first = 2 * (pc + 2)
    const length = this.words[pc + 1] as number
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
    return this.#run !== 0 && scratch.seen((this.words[pc + 1] as number) * (this.end - this.start + 1) + at - this.start, this.#run)
  }

  /** Which instruction is next. */
  #branch(what: number, pc: number, at: number): number {
    const words = this.words
    const next = nextOf(words[pc] as number)
    if (what === (8 satisfies typeof op.ITERATED)) return this.#cells[words[pc + 1] as number] === at ? words[pc + 2] as number : next
    if (this.#seen(pc, at)) return FAIL
    const entry = this.entryAt(at)
    if (what === (6 satisfies typeof op.SPLIT)) {
      const first = this.isIn(words[pc + 2] as number, entry) === 1
      const second = this.isIn(words[pc + 3] as number, entry) === 1
      if (first && second && !scratch.push(words[pc + 4] as number, at, PLAIN_FRAME)) return OVER
      return first ? next : second ? words[pc + 4] as number : FAIL
    }
    if (this.isIn(words[pc + 2] as number, entry) === 0) return FAIL
    const way = words[pc + 4 + numberBy(words[pc + 3] as number, entry)] as number
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
    const least = words[pc + 4] as number
    const most = words[pc + 5] as number
    const end = this.end
    let [at, count] = [from, 0]
    for (; count < least; count++) {
      const width = at < end ? this.width(pc + 2, at) : 0
      if (width === 0) return FAIL
      at += width
    }
    this.steps += (at - from) >> 2
    if (most >= 0 && this.#seen(pc, from)) return FAIL
    if (what === (10 satisfies typeof op.RUN_LAZY)) return this.#lazily(pc, at, most < 0 ? UNBOUNDED : most - least)
    const low = at
    const table = words[pc + 2] as number
    let last = FAIL
    for (;;) {
      // Who comes to a place that this loop has been at fails from there on.
      if (this.#run !== 0 && most < 0 && this.#seen(pc, at)) {
        if (what === (11 satisfies typeof op.RUN_POSSESSIVE)) return FAIL
        break
      }
      last = at
      if (count === most || at >= end) break
      const unit = this.units[at] as number
      const width = unit < 256 ? this.isIn(table, unit) : this.highWidth(words[pc + 3] as number, at)
      if (width === 0) break
      at += width
      count++
    }
    this.steps += (at - low) >> 2
    return last < 0 || what === (11 satisfies typeof op.RUN_POSSESSIVE) ? last : this.#settle(pc, last, low)
  }

  /** Gives back until what follows can stand here. */
  #settle(pc: number, from: number, low: number): number {
    const table = this.words[pc + 6] as number
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
    const table = words[pc + 6] as number
    const unbounded = words[pc + 5] === -1
    for (let at = from; ; more--) {
      if (unbounded && this.#seen(pc, at)) return FAIL
      if (this.possible(table, at)) return more > 0 && !scratch.push(pc, at, more) ? OVER : at
      const width = more > 0 && at < this.end ? this.width(pc + 2, at) : 0
      if (width === 0) return FAIL
      at += width
      if (((at - from) & 3) === 3) this.steps++
    }
  }

  #resume(pc: number, at: number, extra: number): number {
    if (whatOf(this.words[pc] as number) === (9 satisfies typeof op.RUN)) return this.#settle(pc, at, extra)
    const width = at < this.end ? this.width(pc + 2, at) : 0
    return width === 0 ? FAIL : this.#lazily(pc, at + width, extra - 1)
  }

  /** What takes nothing, or is rare. */
  #check(what: number, pc: number, at: number): number {
    const units = this.units
    const end = this.end
    const words = this.words
    const a = words[pc + 1] as number
    switch (what) {
      case 12 satisfies typeof op.START: return at === this.start ? at : FAIL
      case 13 satisfies typeof op.END_OF_TEXT: return at === end ? at : FAIL
      case 14 satisfies typeof op.END_OR_NEWLINE: return at === end || (at === end - 1 && units[at] === 10) ? at : FAIL
      // As in Perl, no line begins at the end of the text.
      case 15 satisfies typeof op.LINE_START: return at === this.start || (units[at - 1] === 10 && at < end) ? at : FAIL
      case 16 satisfies typeof op.LINE_END: return at === end || units[at] === 10 ? at : FAIL
      case 17 satisfies typeof op.WORD_EDGE: return (this.isBefore(pc + 1, at) === this.isNext(pc + 1, at)) === (words[pc + 3] === 1) ? at : FAIL
      case 18 satisfies typeof op.NEXT_IN: return this.isNext(pc + 1, at) === (words[pc + 3] === 1) ? FAIL : at
      case 19 satisfies typeof op.BEFORE_IN: return this.isBefore(pc + 1, at) === (words[pc + 3] === 1) ? FAIL : at
      case 20 satisfies typeof op.LOOK_AHEAD: return this.#signed(this.#apart(words[pc + 2] as number, at), a === 1, at)
      case 21 satisfies typeof op.LOOK_BEHIND: return this.#signed(this.#behind(pc, at), a === 1, at)
      case 22 satisfies typeof op.ATOMIC: return this.#apart(a, at)
      case 23 satisfies typeof op.ITERATE:
      case 24 satisfies typeof op.OPEN: return this.#setCell(a, at) ? at : OVER
      case 25 satisfies typeof op.CLOSE: return this.#setCell(a + 1, this.#cells[a] as number) && this.#setCell(a + 2, at) ? at : OVER
      case 26 satisfies typeof op.REFERENCE: return this.#reference(a, words[pc + 2] === 1, at)
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
    const farthest = Math.max(this.start, at - (words[pc + 3] as number))
    let reached = FAIL
    this.#reach = at
    for (let from = at - (words[pc + 2] as number); from >= farthest && reached === FAIL; from--) {
      if (from === at || !isTrail(this.units[from] as number)) reached = this.#apart(words[pc + 4] as number, from)
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
