/**
 * What all automata of a process hold together. Each is bounded, but there is one
 * for each of thousands of patterns, and texts may be made that fill them one after
 * another: when it is too much, those forget that have grown least lately.
 */

/** Numbers of 32 bits: 64 MB. What real mail makes is a sixth of it. */
const MOST = 16_777_216

interface Holder {
  /** in numbers of 32 bits */
  readonly held: number
  forget(): void
}

export class HeldSets {
  readonly #most: number
  /** those that have grown last stand at the end; nobody is kept alive for it */
  readonly #all = new Set<WeakRef<Holder>>()
  readonly #refs = new WeakMap<Holder, WeakRef<Holder>>()

  constructor(most = MOST) {
    this.#most = most
  }

  /** It holds more than before. It is not told to forget itself. */
  grown(one: Holder): void {
    const own = this.#refs.get(one) ?? new WeakRef(one)
    this.#refs.set(one, own)
    this.#all.delete(own)
    this.#all.add(own)
    let held = 0
    for (const ref of this.#all) {
      const holder = ref.deref()
      if (holder === undefined) this.#all.delete(ref)
      else held += holder.held
    }
    if (held <= this.#most) return
    // Half of it, so that not every one that grows makes another forget.
    for (const ref of this.#all) {
      if (ref === own || held <= this.#most / 2) return
      const holder = ref.deref()
      this.#all.delete(ref)
      held -= holder?.held ?? 0
      holder?.forget()
    }
  }
}
