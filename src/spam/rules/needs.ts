/**
 * What rules cannot hold without, as a graph: a sign is there or is not; of
 * other things so many must be there. Answers are kept as long as one message
 * is looked at, so that what many rules share is found out once.
 */

/** Of these, so many must be there. A sign has none: it must be found. */
export interface Need {
  readonly least: number
  readonly of: readonly number[]
}

const THERE = 1
const NOT_THERE = 2

export class Needs {
  readonly #least: Int32Array
  /** for each need where in `#of` what it asks for begins; one more at the end */
  readonly #starts: Int32Array
  readonly #of: Int32Array
  readonly #answers: Uint8Array

  constructor(needs: readonly Need[]) {
    this.#least = Int32Array.from(needs, ({ least }) => least)
    this.#starts = new Int32Array(needs.length + 1)
    for (const [number, { of }] of needs.entries()) this.#starts[number + 1] = (this.#starts[number] as number) + of.length
    this.#of = new Int32Array(this.#starts[needs.length] as number)
    for (const [number, { of }] of needs.entries()) this.#of.set(of, this.#starts[number])
    this.#answers = new Uint8Array(needs.length)
  }

  /** Another message: nothing is found yet. */
  begin(): void {
    this.#answers.fill(0)
  }

  /** All signs must be told before the first question. */
  tell(sign: number): void {
    this.#answers[sign] = THERE
  }

  isThere(need: number): boolean {
    const known = this.#answers[need] as number
    if (known !== 0) return known === THERE
    let missing = this.#least[need] as number
    const behind = this.#starts[need + 1] as number
    for (let at = this.#starts[need] as number; missing > 0 && behind - at >= missing; at++) if (this.isThere(this.#of[at] as number)) missing--
    this.#answers[need] = missing > 0 ? NOT_THERE : THERE
    return missing <= 0
  }
}
