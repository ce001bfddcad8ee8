/** Numbers by numbers, in two arrays; for a count that is known before. */
export class NumberTable {
  readonly #mask: number
  readonly #keys: Int32Array
  readonly #values: Int32Array

  /** `most`: entries that there will be */
  constructor(most: number) {
    let size = 16
    while (size < most * 2) size *= 2
    this.#mask = size - 1
    this.#keys = new Int32Array(size).fill(-1)
    this.#values = new Int32Array(size)
  }

  /** -1: it is not there. */
  get(key: number): number {
    const keys = this.#keys
    for (let slot = this.#slotOf(key); ; slot = (slot + 1) & this.#mask) {
      const there = keys[slot]
      if (there === key) return this.#values[slot] as number
      if (there === -1) return -1
    }
  }

  /** A key that is not there yet, not negative. */
  set(key: number, value: number): void {
    let slot = this.#slotOf(key)
    while (this.#keys[slot] !== -1) slot = (slot + 1) & this.#mask
    this.#keys[slot] = key
    this.#values[slot] = value
  }

  #slotOf(key: number): number {
    const mixed = Math.imul(key, 0x9e3779b1)
    return (mixed ^ (mixed >>> 15)) & this.#mask
  }
}
