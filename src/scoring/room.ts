/**
 * A room that holds so many bytes: messages that are being read for scoring
 * take a part of it each, and wait in their order where there is none left.
 * What is larger than the room waits for all of it.
 */
export class Room {
  readonly #bytes: number
  #free: number
  readonly #queue: { readonly bytes: number; readonly enter: () => void }[] = []

  constructor(bytes: number) {
    this.#bytes = bytes
    this.#free = bytes
  }

  /** Resolves when there is room; call what it gives when it is not needed any more. */
  async enter(bytes: number): Promise<() => void> {
    const wanted = Math.min(bytes, this.#bytes)
    if (this.#queue.length > 0 || wanted > this.#free) await new Promise<void>((enter) => void this.#queue.push({ bytes: wanted, enter }))
    else this.#free -= wanted
    let inside = true
    return () => {
      if (!inside) return
      inside = false
      this.#leave(wanted)
    }
  }

  #leave(bytes: number): void {
    this.#free += bytes
    for (let next = this.#queue[0]; next !== undefined && next.bytes <= this.#free; next = this.#queue[0]) {
      this.#queue.shift()
      this.#free -= next.bytes
      next.enter()
    }
  }
}
