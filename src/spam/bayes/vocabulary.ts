/**
 * Numbers tokens as they come and counts the messages that they are in. Bounded:
 * what comes when there is no room has no number. Never throws.
 */
const MAX_WORDS = 2 ** 21
const FIRST_SLOTS = 2 ** 16

export class Vocabulary {
  /** token of each number */
  tokens = new Uint32Array(FIRST_SLOTS / 2)
  /** messages with it */
  counts = new Uint32Array(FIRST_SLOTS / 2)
  size = 0
  /** number + 1; 0: empty */
  #slots = new Int32Array(FIRST_SLOTS)

  add(token: number): void {
    if (this.size * 2 >= this.#slots.length) this.#grow()
    const slot = this.#find(token)
    const held = this.#slots[slot] ?? 0
    if (held > 0) this.counts[held - 1] = (this.counts[held - 1] ?? 0) + 1
    else if (this.size < MAX_WORDS) {
      this.tokens[this.size] = token
      this.counts[this.size] = 1
      this.#slots[slot] = ++this.size
    }
  }

  /** −1: it has none. */
  numberOf(token: number): number {
    return (this.#slots[this.#find(token)] ?? 0) - 1
  }

  #find(token: number): number {
    const last = this.#slots.length - 1
    let slot = token & last
    for (;;) {
      const held = this.#slots[slot] ?? 0
      if (held === 0 || this.tokens[held - 1] === token) return slot
      slot = (slot + 1) & last
    }
  }

  #grow(): void {
    const tokens = new Uint32Array(this.tokens.length * 2)
    tokens.set(this.tokens)
    const counts = new Uint32Array(tokens.length)
    counts.set(this.counts)
    this.tokens = tokens
    this.counts = counts
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let number = 0; number < this.size; number++) this.#slots[this.#find(tokens[number] ?? 0)] = number + 1
  }
}
