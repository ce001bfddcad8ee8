/**
 * Where tokens lie in a table, told by a secret besides: whoever writes mail
 * chooses its words, and could choose thousands that would all lie in a row, each
 * of which has to be gone along to find the next. Who does not know the secret
 * cannot. Never throws.
 */
import { randomInt } from 'node:crypto'

/**
 * So many places are looked at for one token. Those that lie by chance, in a
 * table of which three of four are taken, need so many once in 10^16 times;
 * whatever needs more is left out.
 */
export const MAX_TRIES = 1024

const SEED_RANGE = 2 ** 32

/** 32 bits that nobody can guess. */
export function randomSeed(): number {
  return randomInt(SEED_RANGE)
}

/** Every bit of it depends on every bit of `hash`. */
export function mixed(hash: number): number {
  let bits = hash
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

export class Scatter {
  readonly #sum: number
  /** odd, so that no two tokens become one */
  readonly #factor: number

  constructor(seed: number) {
    this.#sum = mixed(seed)
    this.#factor = mixed(seed ^ 0x9e3779b9) | 1
  }

  /** Another number of 32 bits for each. */
  of(token: number): number {
    return mixed(Math.imul(token ^ this.#sum, this.#factor))
  }
}
