/**
 * The second opinion beside Fisher's method: a linear model, which weighs each
 * word together with all others. Fisher's method takes words for independent, so
 * that ten that always come together count ten times; this one does not.
 *
 * A token has two numbers: its importance r, which hangs on how unevenly it is
 * spread over the classes, and its weight u. A message is a vector of the r of
 * its tokens, made as long as all others; its margin is Σ u / √(Σ r²) plus a
 * bias: about −1 for wanted, 1 for unwanted mail, 0 for what is unlike both.
 * Tokens that the model does not know are not there. Pairs of words have no part.
 *
 * Both numbers have eight bits each, in the places of a TokenTable. Does no I/O
 * and never throws.
 */
import { TokenTable } from './table.ts'
import { MAX_TOKENS, PAIR_BIT, type TokenSet } from './token-set.ts'

/** r is a logarithm of a ratio; beyond this it is certain enough. */
export const MAX_IMPORTANCE = 4

export interface LinearModel {
  readonly table: TokenTable
  readonly bias: number
  /** what the largest code of a weight stands for */
  readonly largestWeight: number
  /**
   * The sum of evidence (classifier.ts) at and above which about one wanted message in
   * two thousand of those that were learnt would be, each judged by what the others
   * taught; undefined: too few were learnt to tell.
   */
  readonly wantedLimit: number | undefined
  /** wanted messages that look like unwanted ones by what the others taught: those were left out of the limit */
  readonly doubtful?: number
  /** what is taken for `wantedLimit` where that is higher; default: MOST_LIMIT of classifier.ts */
  readonly mostLimit?: number
}

export interface LinearWeights {
  /** the lower halves of tokens */
  readonly tokens: Uint32Array
  readonly importance: Float32Array
  readonly weights: Float64Array
  /** of the table; default: one that nobody can guess */
  readonly seed?: number
}

/** All numbers that a code stands for: r² of the upper byte, u / largestWeight of the lower. */
const SQUARES = Float64Array.from({ length: 256 }, (_, code) => ((code / 255) * MAX_IMPORTANCE) ** 2)
/** Small weights are many, and told apart more finely. */
const SHARES = Float64Array.from({ length: 256 }, (_, code) => (Math.sign(code - 128) * ((code - 128) / 127) ** 2))

export function packWeights({ tokens, importance, weights, seed }: LinearWeights): Pick<LinearModel, 'table' | 'largestWeight'> {
  let largestWeight = 0
  for (const weight of weights) largestWeight = Math.max(largestWeight, Math.abs(weight))
  const table = TokenTable.for(tokens.length, seed)
  for (let at = 0; at < tokens.length; at++) {
    const share = (weights[at] ?? 0) / (largestWeight || 1)
    const code = 128 + Math.round(Math.sign(share) * Math.sqrt(Math.abs(share)) * 127)
    const rank = Math.max(1, Math.round(((importance[at] ?? 0) / MAX_IMPORTANCE) * 255))
    const token = tokens[at] ?? 0
    table.put({ low: token, mark: markOf(token), value: (rank << 8) | code })
  }
  return { table, largestWeight }
}

/** Where a token lies is told by all of its bits. */
function markOf(token: number): number {
  return token & 0xffff
}

/** Of the words of one message. */
const singles = new Uint32Array(MAX_TOKENS)
const found = new Uint16Array(MAX_TOKENS)

/** 0 where it knows no token of the message. */
export function marginOf({ count, low, high }: TokenSet, { table, bias, largestWeight }: LinearModel): number {
  let sum = 0
  let squares = 0
  let words = 0
  for (let at = 0; at < count; at++) if (((high[at] ?? 0) & PAIR_BIT) === 0) singles[words++] = low[at] ?? 0
  // The mark is the lower end of the same half (`markOf`).
  table.findEach({ low: singles, high: singles, count: words }, found)
  for (let at = 0; at < words; at++) {
    const codes = found[at] ?? 0
    if (codes === 0) continue
    sum += SHARES[codes & 0xff] ?? 0
    squares += SQUARES[codes >>> 8] ?? 0
  }
  return squares === 0 ? 0 : (sum * largestWeight) / Math.sqrt(squares) + bias
}
