/**
 * From the counts of a message's tokens to one probability that it is unwanted:
 * Robinson's estimate for each token, and Fisher's method for all of them.
 *
 * A token that was seen n times has f = (s·½ + n·p) / (s + n), where p is the
 * share of unwanted mail among messages with it, were there as many of either
 * class; s is the weight of not knowing. Tokens near ½ say nothing and are left
 * out. The logarithms of the others' f add up to a chi-square variable, were
 * they independent of each other: once for the chance that a wanted message has
 * such tokens, once that an unwanted one has. Both may be small – a message like
 * both –, which is why the answer is half of one plus their difference: ½.
 *
 * Words of a message are not independent, and a pair is even less so of the
 * words in it. So a pair counts `PAIR_WEIGHT` of a word, and the evidence as a
 * whole is taken as that of `INDEPENDENT` as many tokens: sum and degrees of
 * freedom are scaled alike. Without that a long message is always certain.
 *
 * The four constants were chosen once by ten-fold cross-validation and by
 * training on older and judging newer mail, in the middle of wide ranges that
 * do about as well. Does no I/O and never throws.
 */
import { chiSquareAbove } from './chi-square.ts'
import { hamCount, spamCount, type TokenTable } from './table.ts'
import { MAX_TOKENS, PAIR_BIT, type TokenSet } from './token-set.ts'

export const UNKNOWN_WEIGHT = 0.1
export const MIN_DEVIATION = 0.25
export const PAIR_WEIGHT = 0.4
export const INDEPENDENT = 0.1

export interface Trained {
  readonly table: TokenTable
  /** messages */
  readonly ham: number
  readonly spam: number
}

export interface Combined {
  /** 0 to 1 */
  readonly probability: number
  /** tokens that counted */
  readonly telling: number
}

export interface TellingToken {
  readonly name: string
  /** that a message with it is unwanted */
  readonly probability: number
  /** messages with it, about */
  readonly ham: number
  readonly spam: number
}

/**
 * What each pair of codes in the table comes to, reckoned when it is first asked
 * for: it hangs on nothing else while a model is in use.
 */
export class Estimates {
  /** two for each: −ln(1 − f) and −ln f, both 0 where f says nothing; NaN: not reckoned yet */
  readonly logs = new Float64Array(2 * 65536).fill(NaN)
  readonly #ham: number
  readonly #spam: number

  constructor({ ham, spam }: Trained) {
    this.#ham = Math.max(1, ham)
    this.#spam = Math.max(1, spam)
  }

  /** f. @param counts as the table has it, not 0 */
  of(counts: number): number {
    const ham = hamCount(counts)
    const spam = spamCount(counts)
    const inHam = ham / this.#ham
    const inSpam = spam / this.#spam
    return estimate({ inHam, inSpam, messages: ham + spam })
  }

  reckon(counts: number): void {
    const value = this.of(counts)
    const telling = isTelling(value)
    this.logs[2 * counts] = telling ? -Math.log(1 - value) : 0
    this.logs[2 * counts + 1] = telling ? -Math.log(value) : 0
  }
}

/** f, of the shares of either class that have the token and the messages that have it. */
export function estimate({ inHam, inSpam, messages }: { readonly inHam: number; readonly inSpam: number; readonly messages: number }): number {
  return (UNKNOWN_WEIGHT * 0.5 + messages * (inSpam / (inHam + inSpam))) / (UNKNOWN_WEIGHT + messages)
}

export function isTelling(value: number): boolean {
  return Math.abs(value - 0.5) >= MIN_DEVIATION
}

/** Logarithms of all telling tokens, each times its weight. */
export interface Sums {
  /** of −ln(1 − f) */
  readonly forHam: number
  /** of −ln f */
  readonly forSpam: number
  readonly weights: number
}

/** Fisher's method: ½ where nothing tells. */
export function probabilityOf({ forHam, forSpam, weights }: Sums): number {
  if (weights === 0) return 0.5
  const pairs = Math.max(1, Math.round(weights * INDEPENDENT))
  // Less evidence than that of one token is less, and no more than it is.
  const scale = Math.min(pairs / weights, 1)
  return (1 + chiSquareAbove(forSpam * scale, pairs) - chiSquareAbove(forHam * scale, pairs)) / 2
}

/** of the tokens of one message */
const found = new Uint16Array(MAX_TOKENS)

export function combine(tokens: TokenSet, { table }: Trained, estimates: Estimates): Combined {
  const { high, count } = tokens
  const { logs } = estimates
  let forHam = 0
  let forSpam = 0
  let weights = 0
  let telling = 0
  table.findEach(tokens, found)
  for (let at = 0; at < count; at++) {
    const counts = found[at] ?? 0
    if (counts === 0) continue
    let log = logs[2 * counts] ?? 0
    if (Number.isNaN(log)) {
      estimates.reckon(counts)
      log = logs[2 * counts] ?? 0
    }
    if (log === 0) continue
    const weight = ((high[at] ?? 0) & PAIR_BIT) === 0 ? 1 : PAIR_WEIGHT
    forHam += weight * log
    forSpam += weight * (logs[2 * counts + 1] ?? 0)
    weights += weight
    telling++
  }
  return { probability: probabilityOf({ forHam, forSpam, weights }), telling }
}

/** Those that weighed most, first the strongest; of tokens with names only. */
export function tellingTokens(tokens: TokenSet, trained: Trained, most: number): TellingToken[] {
  const estimates = new Estimates(trained)
  const found: (TellingToken & { readonly weight: number })[] = []
  for (const [at, name] of (tokens.names ?? []).entries()) {
    const half = tokens.high[at] ?? 0
    const counts = trained.table.find(tokens.low[at] ?? 0, half)
    if (counts === 0) continue
    const probability = estimates.of(counts)
    if (!isTelling(probability)) continue
    const weight = Math.abs(Math.log(probability / (1 - probability))) * ((half & PAIR_BIT) === 0 ? 1 : PAIR_WEIGHT)
    found.push({ name, probability, ham: hamCount(counts), spam: spamCount(counts), weight })
  }
  found.sort((one, other) => other.weight - one.weight)
  return found.slice(0, most).map(({ name, probability, ham, spam }) => ({ name, probability, ham, spam }))
}
