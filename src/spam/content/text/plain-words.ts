/**
 * Words of the letters a to z by two numbers, of which no two words have the
 * same: five bits a letter, the first six letters in one and the next six in the
 * other. Who reads a text letter by letter finds them without cutting it to pieces.
 */
const HALF = 6
const MOST_LETTERS = 2 * HALF
const PLACES = 4096
const PLAIN = /^[a-z]+$/

/** The letters of one word, one after the other; upper case is as lower case. */
export class PlainLetters {
  first = 0
  second = 0
  count = 0

  clear(): void {
    this.first = 0
    this.second = 0
    this.count = 0
  }

  add(code: number): void {
    if (this.count < HALF) this.first = (this.first << 5) | (code & 31)
    else if (this.count < MOST_LETTERS) this.second = (this.second << 5) | (code & 31)
    this.count++
  }
}

export class PlainWords {
  readonly #firsts = new Int32Array(PLACES)
  readonly #seconds = new Int32Array(PLACES)
  readonly #indexes = new Uint16Array(PLACES)

  /** Words with other letters, or with too many, are none of these. */
  constructor(words: readonly string[]) {
    const letters = new PlainLetters()
    for (const [index, word] of words.entries()) {
      if (!PLAIN.test(word) || word.length > MOST_LETTERS) continue
      letters.clear()
      for (let at = 0; at < word.length; at++) letters.add(word.charCodeAt(at))
      const place = this.#placeOf(letters)
      this.#firsts[place] = letters.first
      this.#seconds[place] = letters.second
      this.#indexes[place] = index
    }
  }

  /** Of the word among those that were given; −1: it is none of these. */
  indexOf(letters: PlainLetters): number {
    if (letters.count > MOST_LETTERS) return -1
    const place = this.#placeOf(letters)
    return this.#firsts[place] === 0 ? -1 : this.#indexes[place] as number
  }

  /** Where it stands, or would stand. */
  #placeOf({ first, second }: PlainLetters): number {
    let place = (Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca77)) >>> 20
    while (this.#firsts[place] !== 0 && (this.#firsts[place] !== first || this.#seconds[place] !== second)) place = (place + 1) % PLACES
    return place
  }
}
