/**
 * Follows a program over code units from one place, as Perl would: the preferred
 * way first, and back where a way fails, on a stack of its own. Where it is told
 * to remember, it comes to no choice twice at the same place.
 */
import { making } from './character-set.ts'
import { END, HIGH } from './first.ts'
import * as op from './program.ts'
import type { Program } from './program.ts'
import { Scratch } from './scratch.ts'

/** What a walk says in place of where it ended. */
export const FAIL = -1
export const OVER = -2
const ENTRIES = 258
/** In a frame of the stack: no run of one set. */
const PLAIN_FRAME = -1
const UNBOUNDED = 0x3fff_ffff

/** Walks come one after another, never one within another, but for parts of the same. */
const scratch = new Scratch()

/** A stretch of an array of code units: a text for itself. Well-formed UTF-16, or bytes. */
export interface Stretch {
  readonly units: Uint16Array
  readonly start: number
  readonly end: number
}

export const NO_TEXT: Stretch = { units: new Uint16Array(0), start: 0, end: 0 }

export class Walker {
  readonly #program: Program
  readonly #code: Int32Array
  readonly #firsts: Uint8Array
  #units = NO_TEXT.units
  #start = 0
  #end = 0
  #limit = 0
  /** number of this run among those that remember; 0: it does not */
  #run = 0
  /** where the look-behind that runs has to end */
  #reach = 0
  /** of groups that are referred to: where it was opened, begin, end; then begins of iterations */
  readonly #cells: Int32Array
  /** of all walks since `begin` */
  steps = 0

  constructor(program: Program) {
    this.#program = program
    this.#code = program.code
    this.#firsts = program.firsts
    this.#cells = new Int32Array(program.cells).fill(-1)
  }

  begin({ units, start, end }: Stretch, maxSteps: number): void {
    this.#units = units
    this.#start = start
    this.#end = end
    this.#limit = maxSteps
    this.#run = 0
    this.steps = 0
  }

  /** The text is held no longer. */
  leave(): void {
    this.#units = NO_TEXT.units
  }

  /** Could it remember where it failed? Not where that depends on more than the place, or takes too much memory. */
  get canRemember(): boolean {
    const marks = this.#marks
    return marks > 0 && scratch.fits(marks)
  }

  /** From now on it remembers, and may take so many steps in all. */
  remember(maxSteps: number): void {
    scratch.reserve(this.#marks)
    this.#run = scratch.nextRun()
    this.#limit = maxSteps
  }

  get #marks(): number {
    return this.#program.memos * (this.#end - this.#start + 1)
  }

  /** From the begin of the program at a place to its end: where that is, FAIL or OVER. */
  walk(at: number): number {
    if (this.#cells.length > 0) this.#cells.fill(-1)
    scratch.top = 0
    return this.#walk(this.#program.entry, at)
  }

  /** From an instruction and a place to the end of the program: where that is, FAIL or OVER. */
  #walk(entry: number, from: number): number {
    const code = this.#code
    const base = scratch.top
    let [pc, at] = [entry, from]
    for (;;) {
      if (++this.steps > this.#limit) return OVER
      const what = code[pc] as number
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
          pc = code[pc + op.NEXT] as number
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
          pc = code[pc + op.NEXT] as number
          break
        }
      }
    }
  }

  /** Nothing below it is tried any more; what cells were is kept for those who go back further. */
  #done(base: number, at: number): number {
    if (this.#cells.length === 0) {
      scratch.top = base
      return at
    }
    const { stack, top } = scratch
    scratch.top = base
    for (let frame = base; frame < top; frame += 3) if ((stack[frame] as number) < 0) scratch.push(stack[frame] as number, stack[frame + 1] as number, stack[frame + 2] as number)
    return at
  }

  #take(what: number, pc: number, at: number): number {
    const code = this.#code
    if (at >= this.#end) return FAIL
    const unit = this.#units[at] as number
    const own = code[pc + op.A] as number
    switch (what) {
      case op.UNIT: return unit === own ? at + 1 : FAIL
      case op.FOLDED: return this.#program.fold[unit] === own ? at + 1 : FAIL
      case op.SET: {
        const width = unit < 256 ? this.#program.lows[own * 256 + unit] as number : this.#width(own, at)
        return width === 0 ? FAIL : at + width
      }
      default: return this.#string(what === op.STRING_FOLDED, pc, at)
    }
  }

  #string(folded: boolean, pc: number, at: number): number {
    const units = this.#units
    const { strings, fold } = this.#program
    const first = this.#code[pc + op.A] as number
    const length = this.#code[pc + op.B] as number
    if (at + length > this.#end) return FAIL
    if (folded) {
      for (let i = 0; i < length; i++) if (fold[units[at + i] as number] !== strings[first + i]) return FAIL
    } else {
      for (let i = 0; i < length; i++) if (units[at + i] !== strings[first + i]) return FAIL
    }
    return at + length
  }

  /** How long the character at a place is that is in a set; 0: it is not. */
  #width(set: number, at: number): number {
    const unit = this.#units[at] as number
    if (unit < 256) return this.#program.lows[set * 256 + unit] as number
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const code = this.#pair(at)
      return code >= 0 && this.#has(set, code) ? 2 : 0
    }
    return this.#has(set, unit) ? 1 : 0
  }

  /** What a set does not know yet takes longer. */
  #has(set: number, code: number): boolean {
    const before = making.steps
    const member = this.#program.sets[set]?.has(code) === true
    this.steps += making.steps - before
    return member
  }

  /** The code point of two surrogates; -1: they are none. */
  #pair(at: number): number {
    const lead = this.#units[at] as number
    const trail = at + 1 < this.#end ? this.#units[at + 1] as number : 0
    return lead < 0xdc00 && isTrail(trail) ? 0x10000 + ((lead - 0xd800) << 10) + (trail - 0xdc00) : -1
  }

  #before(set: number, at: number): boolean {
    if (at <= this.#start) return false
    return this.#width(set, at - 1) === 1 || (at - 1 > this.#start && isTrail(this.#units[at - 1] as number) && this.#width(set, at - 2) === 2)
  }

  #next(set: number, at: number): boolean {
    return at < this.#end && this.#width(set, at) > 0
  }

  /** Could what stands at a place be first, by this table? */
  #possible(table: number, at: number): boolean {
    return this.#firsts[table * ENTRIES + (at < this.#end ? Math.min(this.#units[at] as number, HIGH) : END)] === 1
  }

  #seen(pc: number, at: number): boolean {
    return this.#run !== 0 && scratch.seen((this.#code[pc + op.MEMO] as number) * (this.#end - this.#start + 1) + at - this.#start, this.#run)
  }

  /** Which instruction is next. */
  #branch(what: number, pc: number, at: number): number {
    const code = this.#code
    if (what === op.ITERATED) return this.#cells[code[pc + op.A] as number] === at ? code[pc + op.B] as number : code[pc + op.NEXT] as number
    if (this.#seen(pc, at)) return FAIL
    if (what === op.SPLIT) {
      const first = this.#possible(code[pc + op.B] as number, at)
      const second = this.#possible(code[pc + op.C] as number, at)
      if (first && second && !scratch.push(code[pc + op.A] as number, at, PLAIN_FRAME)) return OVER
      return first ? code[pc + op.NEXT] as number : second ? code[pc + op.A] as number : FAIL
    }
    const { choices, branches } = this.#program
    const place = choices[(code[pc + op.A] as number) * ENTRIES + (at < this.#end ? Math.min(this.#units[at] as number, HIGH) : END)] as number
    const count = branches[place] as number
    for (let i = count; i > 1; i--) if (!scratch.push(branches[place + i] as number, at, PLAIN_FRAME)) return OVER
    return count === 0 ? FAIL : branches[place + 1] as number
  }

  /** As many of one set as there are, or as few as will do. */
  #runs(what: number, pc: number, from: number): number {
    const code = this.#code
    const set = code[pc + op.A] as number
    const least = code[pc + op.B] as number
    const most = code[pc + op.C] as number
    const end = this.#end
    let [at, count] = [from, 0]
    for (; count < least; count++) {
      const width = at < end ? this.#width(set, at) : 0
      if (width === 0) return FAIL
      at += width
    }
    this.steps += (at - from) >> 2
    if (most >= 0 && this.#seen(pc, from)) return FAIL
    if (what === op.RUN_LAZY) return this.#lazily(pc, at, most < 0 ? UNBOUNDED : most - least)
    const low = at
    const { lows } = this.#program
    let last = FAIL
    for (;;) {
      // Who comes to a place that this loop has been at fails from there on.
      if (this.#run !== 0 && most < 0 && this.#seen(pc, at)) {
        if (what === op.RUN_POSSESSIVE) return FAIL
        break
      }
      last = at
      if (count === most || at >= end) break
      const unit = this.#units[at] as number
      const width = unit < 256 ? lows[set * 256 + unit] as number : this.#width(set, at)
      if (width === 0) break
      at += width
      count++
    }
    this.steps += (at - low) >> 2
    return last === FAIL || what === op.RUN_POSSESSIVE ? last : this.#settle(pc, last, low)
  }

  /** Gives back until what follows can stand here. */
  #settle(pc: number, from: number, low: number): number {
    const table = this.#code[pc + op.WIDTH + op.A] as number
    let at = from
    while (at >= low && !this.#possible(table, at)) at = this.#stepBack(at)
    this.steps += (from - at) >> 2
    if (at < low) return FAIL
    const before = this.#stepBack(at)
    return before >= low && !scratch.push(pc, before, low) ? OVER : at
  }

  #stepBack(at: number): number {
    return at - 1 > this.#start && isTrail(this.#units[at - 1] as number) ? at - 2 : at - 1
  }

  /** Takes until what follows can stand here. */
  #lazily(pc: number, from: number, more: number): number {
    const code = this.#code
    const set = code[pc + op.A] as number
    const table = code[pc + op.WIDTH + op.A] as number
    const unbounded = code[pc + op.C] === -1
    for (let at = from; ; more--) {
      if (unbounded && this.#seen(pc, at)) return FAIL
      if (this.#possible(table, at)) return more > 0 && !scratch.push(pc, at, more) ? OVER : at
      const width = more > 0 && at < this.#end ? this.#width(set, at) : 0
      if (width === 0) return FAIL
      at += width
      if (((at - from) & 3) === 3) this.steps++
    }
  }

  #resume(pc: number, at: number, extra: number): number {
    if (this.#code[pc] === op.RUN) return this.#settle(pc, at, extra)
    const width = at < this.#end ? this.#width(this.#code[pc + op.A] as number, at) : 0
    return width === 0 ? FAIL : this.#lazily(pc, at + width, extra - 1)
  }

  /** What takes nothing, or is rare. */
  #check(what: number, pc: number, at: number): number {
    const units = this.#units
    const end = this.#end
    const a = this.#code[pc + op.A] as number
    const negative = this.#code[pc + op.B] === 1
    switch (what) {
      case op.START: return at === this.#start ? at : FAIL
      case op.END_OF_TEXT: return at === end ? at : FAIL
      case op.END_OR_NEWLINE: return at === end || (at === end - 1 && units[at] === 10) ? at : FAIL
      // As in Perl, no line begins at the end of the text.
      case op.LINE_START: return at === this.#start || (units[at - 1] === 10 && at < end) ? at : FAIL
      case op.LINE_END: return at === end || units[at] === 10 ? at : FAIL
      case op.WORD_EDGE: return (this.#before(a, at) === this.#next(a, at)) === negative ? at : FAIL
      case op.NEXT_IN: return this.#next(a, at) === negative ? FAIL : at
      case op.BEFORE_IN: return this.#before(a, at) === negative ? FAIL : at
      case op.LOOK_AHEAD: return this.#signed(this.#apart(a, at), negative, at)
      case op.LOOK_BEHIND: return this.#signed(this.#behind(pc, at), negative, at)
      case op.ATOMIC: return this.#apart(a, at)
      case op.REACHED: return at === this.#reach ? at : FAIL
      case op.ITERATE:
      case op.OPEN: return this.#setCell(a, at) ? at : OVER
      case op.CLOSE: return this.#setCell(a + 1, this.#cells[a] as number) && this.#setCell(a + 2, at) ? at : OVER
      case op.REFERENCE: return this.#reference(a, negative, at)
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
    const code = this.#code
    const reach = this.#reach
    const farthest = Math.max(this.#start, at - (code[pc + op.MEMO] as number))
    let reached = FAIL
    this.#reach = at
    for (let from = at - (code[pc + op.C] as number); from >= farthest && reached === FAIL; from--) {
      if (from === at || !isTrail(this.#units[from] as number)) reached = this.#apart(code[pc + op.A] as number, from)
    }
    this.#reach = reach
    return reached
  }

  #reference(cell: number, folds: boolean, at: number): number {
    const units = this.#units
    const { fold } = this.#program
    const from = this.#cells[cell + 1] as number
    const length = (this.#cells[cell + 2] as number) - from
    if (from < 0 || at + length > this.#end) return FAIL
    this.steps += length >> 2
    for (let i = 0; i < length; i++) {
      const [one, other] = [units[from + i] as number, units[at + i] as number]
      if (one !== other && (!folds || fold[one] !== fold[other])) return FAIL
    }
    return at + length
  }
}

export function isTrail(unit: number): boolean {
  return (unit & 0xfc00) === 0xdc00
}
