/**
 * What rules cannot hold without, as a graph: a sign is there or is not; of
 * other things so many must be there. What is told goes up the graph at once:
 * a message has few signs, and most of the graph is never looked at.
 */

/** Of these, so many must be there, one at least. A sign has none: it must be found. */
export interface Need {
  readonly least: number
  readonly of: readonly number[]
}

/** Where more is asked for, so much is enough: it is no more than a reason to ask. */
const MOST = 255

export class Needs {
  readonly #least: Uint8Array
  /** for each need where in `#above` those that ask for it begin, each as often as it asks; one more at the end */
  readonly #starts: Int32Array
  readonly #above: Int32Array
  /** how many of its things each still wants */
  readonly #missing: Uint8Array
  /** what has come to be there and was not told to those above */
  readonly #open: number[] = []

  constructor(needs: readonly Need[]) {
    this.#least = Uint8Array.from(needs, ({ least }) => Math.min(least, MOST))
    this.#missing = this.#least.slice()
    this.#starts = new Int32Array(needs.length + 1)
    for (const { of } of needs) for (const one of of) this.#starts[one + 1] = (this.#starts[one + 1] as number) + 1
    for (let need = 0; need < needs.length; need++) this.#starts[need + 1] = (this.#starts[need + 1] as number) + (this.#starts[need] as number)
    this.#above = new Int32Array(this.#starts[needs.length] as number)
    const next = this.#starts.slice()
    for (const [need, { of }] of needs.entries()) {
      for (const one of of) {
        const at = next[one] as number
        this.#above[at] = need
        next[one] = at + 1
      }
    }
  }

  /** Another message: nothing is found yet. */
  begin(): void {
    this.#missing.set(this.#least)
  }

  tell(sign: number): void {
    const missing = this.#missing
    if (missing[sign] === 0) return
    missing[sign] = 0
    const open = this.#open
    for (let one: number | undefined = sign; one !== undefined; one = open.pop()) {
      const behind = this.#starts[one + 1] as number
      for (let at = this.#starts[one] as number; at < behind; at++) {
        const above = this.#above[at] as number
        const left = missing[above] as number
        if (left === 0) continue
        missing[above] = left - 1
        if (left === 1) open.push(above)
      }
    }
  }

  /** How many of its things each still wants: above 0, it is not there. */
  get missing(): Uint8Array {
    return this.#missing
  }

  /** All signs must be told before the first question. */
  isThere(need: number): boolean {
    return this.#missing[need] === 0
  }
}
