/**
 * Memory that searches share, one after another: the stack of what is still to
 * be tried, and where choices failed. It grows as it is needed, up to bounds.
 */

const MAX_STACK = 3_000_000
/** Of what is remembered: 16 MB. */
const MAX_MARKS = 4_194_304
const MAX_RUNS = 0xffff_fff0

export class Scratch {
  stack = new Int32Array(3 * 1024)
  top = 0
  #marks = new Uint32Array(0)
  #runs = 0

  /** false: it is full */
  push(instruction: number, at: number, extra: number): boolean {
    if (this.top + 3 > this.stack.length && !this.#grow()) return false
    this.stack[this.top] = instruction
    this.stack[this.top + 1] = at
    this.stack[this.top + 2] = extra
    this.top += 3
    return true
  }

  #grow(): boolean {
    if (this.stack.length >= MAX_STACK) return false
    const larger = new Int32Array(Math.min(this.stack.length * 4, MAX_STACK))
    larger.set(this.stack)
    this.stack = larger
    return true
  }

  fits(marks: number): boolean {
    return marks <= MAX_MARKS
  }

  reserve(marks: number): void {
    if (this.#marks.length >= marks) return
    this.#marks = new Uint32Array(Math.min(MAX_MARKS, Math.max(marks, this.#marks.length * 2, 65_536)))
    this.#runs = 0
  }

  /** Marks of other runs do not count. */
  nextRun(): number {
    if (this.#runs >= MAX_RUNS) {
      this.#marks.fill(0)
      this.#runs = 0
    }
    return ++this.#runs
  }

  /** Marks a place; true: this run had marked it before. */
  seen(mark: number, run: number): boolean {
    if (this.#marks[mark] === run) return true
    this.#marks[mark] = run
    return false
  }
}
