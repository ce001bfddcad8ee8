/**
 * Conditions as numbers, those of all rules one behind another in one array:
 * what a message is asked is little memory, side by side. Of each condition
 * there are its kind, where the next one begins, what it asks about, and the
 * conditions that it is made of: these stand within it, so each is written there,
 * also where another rule has the same. Quantities know a condition by where it
 * begins; what they ask stands once. `Run.ask` says what they answer.
 */

/** Those that it is made of all hold; one of them does; the only one does not. */
export const ALL = 0
export const ANY = 1
export const NOT = 2
/** number of the rule */
export const RULE = 3
/** number of the pattern, number of the text source */
export const MATCHES = 4
/** One of several patterns over the same texts, or so many of them: number of the group. What it is made of is there for those who want to know which. */
export const ANY_OF_GROUP = 5
export const MANY_OF_GROUP = 6
/** number of the text source */
export const PRESENT = 7
/** What is not said in a few numbers: number of the call. */
export const CALL = 8
export type ConditionKind = typeof ALL | typeof ANY | typeof NOT | typeof RULE | typeof MATCHES | typeof ANY_OF_GROUP | typeof MANY_OF_GROUP | typeof PRESENT | typeof CALL

/** From the begin of a condition on: its kind, the next one, what it is false without (a need; -1: nothing), and what it asks about or is made of. */
export const NEXT = 1
export const NEED = 2
export const FIRST = 3
export const SECOND = 4

export class CodeWriter {
  readonly #code: number[] = []

  /** Says where it begins. What is begun before its end is what it is made of. */
  begin(kind: ConditionKind, ...about: readonly number[]): number {
    const at = this.#code.length
    this.#code.push(kind, 0, -1, ...about)
    return at
  }

  end(at: number): void {
    this.#code[at + NEXT] = this.#code.length
  }

  /** One that is made of no other. */
  single(kind: ConditionKind, ...about: readonly number[]): number {
    const at = this.begin(kind, ...about)
    this.end(at)
    return at
  }

  written(): Int32Array {
    return Int32Array.from(this.#code)
  }
}
