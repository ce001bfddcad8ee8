/**
 * A map whose keys stand in the order in which they were used last. Every
 * operation takes the same time however many keys there are.
 *
 * A Map alone can do it by deleting a key and setting it anew, and the dearer
 * the fuller it is: what was deleted stays in its place until the whole Map is
 * written anew, and lies in the way to a key that is used often, and to the
 * first of all.
 */

interface Link<Value> {
  readonly key: string
  value: Value
  /** used before it */
  older: Link<Value> | undefined
  /** used after it */
  newer: Link<Value> | undefined
}

export class ByUse<Value> {
  readonly #links = new Map<string, Link<Value>>()
  #oldest: Link<Value> | undefined
  #newest: Link<Value> | undefined

  get size(): number {
    return this.#links.size
  }

  /** The key that was used longest ago. */
  get oldest(): string | undefined {
    return this.#oldest?.key
  }

  /** Without using it. */
  get(key: string): Value | undefined {
    return this.#links.get(key)?.value
  }

  /** And it is the one that was used last. */
  use(key: string): Value | undefined {
    const link = this.#links.get(key)
    if (link === undefined) return undefined
    this.#renew(link)
    return link.value
  }

  /** In its place. Whether it is there. */
  replace(key: string, value: Value): boolean {
    const link = this.#links.get(key)
    if (link !== undefined) link.value = value
    return link !== undefined
  }

  /** As the one that was used last. */
  set(key: string, value: Value): void {
    const link = this.#links.get(key)
    if (link === undefined) {
      const made: Link<Value> = { key, value, older: undefined, newer: undefined }
      this.#links.set(key, made)
      this.#append(made)
    } else {
      link.value = value
      this.#renew(link)
    }
  }

  delete(key: string): void {
    const link = this.#links.get(key)
    if (link === undefined) return
    this.#links.delete(key)
    this.#unlink(link)
  }

  #renew(link: Link<Value>): void {
    if (link === this.#newest) return
    this.#unlink(link)
    this.#append(link)
  }

  #append(link: Link<Value>): void {
    link.older = this.#newest
    link.newer = undefined
    if (this.#newest === undefined) this.#oldest = link
    else this.#newest.newer = link
    this.#newest = link
  }

  #unlink({ older, newer }: Link<Value>): void {
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
  }
}
