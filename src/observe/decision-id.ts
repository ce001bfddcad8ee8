/**
 * Short names for transactions: ten characters that can be read out on the
 * telephone (no 0, 1, I, L, O, U), 47 bits at random, so that two in one log
 * are not alike and nobody can guess another's.
 */
import { randomFillSync } from 'node:crypto'

const ALPHABET = '23456789ABCDEFGHJKMNPQRSTVWXYZ'
const LENGTH = 10

export type DecisionIds = () => string

/** @param fill fills a buffer with random bytes */
export function createDecisionIds(fill: (bytes: Buffer) => void = randomFillSync): DecisionIds {
  const pool = Buffer.alloc(LENGTH * 256)
  let at = pool.length
  const next = (): number => {
    if (at === pool.length) {
      fill(pool)
      at = 0
    }
    return pool[at++] as number
  }
  return () => {
    let id = ''
    // Bytes of 240 and up would make some characters more likely than others.
    while (id.length < LENGTH) {
      const byte = next()
      if (byte < 240) id += ALPHABET[byte % ALPHABET.length] as string
    }
    return id
  }
}
