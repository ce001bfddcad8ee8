/**
 * What a classifier learns is kept behind this: the embedded database
 * (state/bayes-database.ts), or one that several machines share. Types, and how
 * a token is one number. A store keeps hashes and counts, and no word of
 * anybody's mail.
 *
 * Each call may wait for the store and rejects where it cannot be had.
 */
import type { Lessons } from './lessons.ts'
import { PAIR_BIT, type TokenSet } from './token-set.ts'

export const MESSAGE_CLASSES = ['ham', 'spam'] as const
export type MessageClass = (typeof MESSAGE_CLASSES)[number]

/** Tokens of another version are other tokens: a store of one version is of no use to the other. */
export const TOKENS_VERSION = 2

export interface LearntMessage {
  /** of `messageKey` */
  readonly key: Buffer
  /** of `tokenKeys` */
  readonly tokens: Float64Array
  /** of `singleTokens`; kept with the message, for models that are made of messages and not of counts */
  readonly singles: Uint32Array
  /** days since 1970 */
  readonly day: number
}

/** `known`: it was learnt as this already; `moved`: as the other. Nothing is counted twice. */
export type LearnOutcome = 'learned' | 'known' | 'moved'
export type ForgetOutcome = 'forgotten' | 'unknown'

export interface BayesProgress {
  /** messages */
  readonly ham: number
  readonly spam: number
  /** messages whose tokens are not yet added up */
  readonly waiting: number
  /** grows with each change of the counts */
  readonly revision: number
  /** messages that are still remembered; of either class the latest */
  readonly kept: Lessons
  /**
   * The revision that the store began with, where it may be lost and made anew
   * behind our back; a new one begins above all that the old one ever had.
   */
  readonly since?: number
  /** the day on which the store first held back an expiry that would have taken more than half of all tokens; it is still held back */
  readonly expiryHeld?: number
}

export interface BayesCounts extends BayesProgress {
  /** distinct ones, as far as they were added up */
  readonly tokens: number
}

/** What is kept of a message that was learnt. */
export interface KeptMessage {
  readonly class: MessageClass
  /** of `singleTokens` */
  readonly singles: Uint32Array
}

/** Some tokens, in the order of their numbers. */
export interface TokenRows {
  readonly keys: Float64Array
  readonly ham: Uint32Array
  readonly spam: Uint32Array
}

export interface BayesStore {
  learn(message: LearntMessage, as: MessageClass): Promise<LearnOutcome>
  forget(message: LearntMessage): Promise<ForgetOutcome>
  counts(): Promise<BayesCounts>
  /** without what is dear to count: cheap enough for each minute */
  progress(): Promise<BayesProgress>
  /**
   * Adds up what was learnt, removes what is too old or too much; to be called
   * now and then, by as many as like: one at a time does it. `false`: another is at it.
   */
  maintain(day: number, signal?: AbortSignal): Promise<boolean>
  /** all tokens, piece by piece; others may go on meanwhile */
  tokens(): AsyncIterable<TokenRows>
  /** the latest messages of each class, in an order that hangs on nothing but themselves */
  kept(): AsyncIterable<KeptMessage>
  close(): void
}

const HIGH_MASK = 0x7ffff
const LOW_RANGE = 0x100000000

/**
 * A token as a whole number that a double holds: 51 bits of its hash. Among a
 * million tokens one in two thousand million others is taken for one of them.
 */
export function tokenKeys({ count, low, high }: TokenSet): Float64Array {
  const keys = new Float64Array(count)
  for (let at = 0; at < count; at++) keys[at] = ((high[at] ?? 0) & HIGH_MASK) * LOW_RANGE + (low[at] ?? 0)
  return keys
}

/** More is kept of no message. */
export const MAX_SINGLES = 1500

/** Tokens that are no pairs, by the lower half of their hash: 32 bits are enough to tell those of some thousand messages apart. */
export function singleTokens({ count, low, high }: TokenSet): Uint32Array {
  const singles = new Uint32Array(Math.min(count, MAX_SINGLES))
  let kept = 0
  for (let at = 0; at < count && kept < MAX_SINGLES; at++) {
    if (((high[at] ?? 0) & PAIR_BIT) === 0) singles[kept++] = low[at] ?? 0
  }
  return singles.slice(0, kept)
}
