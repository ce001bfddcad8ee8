/**
 * What is known of characters in pages of 256, found by two looks into arrays.
 * Pages that are equal can be kept once. There are as many as Unicode has, and
 * none is thrown away. No I/O.
 */

const PAGE_BITS = 8
const PLANE_BITS = 16
const PAGES_OF_PLANE = 256

export class Pages<Page> {
  /** for each page of a plane its place among those that are kept; 0: none yet */
  readonly #planes: (Uint16Array | undefined)[] = []
  readonly #kept: (Page | undefined)[] = [undefined]

  /** That of a character; undefined: none yet. */
  of(code: number): Page | undefined {
    const plane = this.#planes[code >> PLANE_BITS]
    return plane === undefined ? undefined : this.#kept[plane[(code >> PAGE_BITS) & (PAGES_OF_PLANE - 1)] as number]
  }

  /** Keeps one that `put` can be told of. */
  keep(page: Page): number {
    return this.#kept.push(page) - 1
  }

  /** From now on this is the page of a character. */
  put(code: number, kept: number): void {
    const plane = this.#planes[code >> PLANE_BITS] ??= new Uint16Array(PAGES_OF_PLANE)
    plane[(code >> PAGE_BITS) & (PAGES_OF_PLANE - 1)] = kept
  }
}
