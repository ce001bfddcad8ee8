/**
 * A message to its tokens: what its fields say, how it is built, where its links
 * lead, and the words of subject and text, single and in pairs. A pair is two
 * words with at most `PAIR_REACH` − 1 others between them (orthogonal sparse
 * bigrams): it holds what words mean together, and a word that is put in
 * between does not break it.
 *
 * What comes first is never crowded out by what comes later: the text is last,
 * and of a long one only its beginning and its end are read.
 *
 * Takes what the content reader found; does no I/O and never throws.
 */
import type { MessageContent } from '../content.ts'
import { headerTokens } from './header-tokens.ts'
import { linkTokens } from './link-tokens.ts'
import { structureTokens } from './structure-tokens.ts'
import { TokenCollector, tokenContext, type TokenContext, type TokenSet, type Word } from './token-set.ts'
import { eachWord } from './words.ts'

export interface TokenSettings {
  /** names that the site's own hops give themselves in Received, lower case */
  readonly ownHosts: ReadonlySet<string>
}

export interface TokenRequest extends TokenSettings {
  /** it has been through the site's own hops: it lies in a mailbox */
  readonly delivered: boolean
  /** keep what tokens are made of, for people */
  readonly named?: boolean
}

/** Words that a pair reaches over, its second one included. */
const PAIR_REACH = 2
const RING = 8

/** Of the text; most messages have less. */
const HEAD_CHARACTERS = 24_000
const TAIL_CHARACTERS = 6000
const SUBJECT_CHARACTERS = 1000
const HIDDEN_CHARACTERS = 4000

const TEXT = tokenContext('')
const SUBJECT = tokenContext('subject:')
const HIDDEN = tokenContext('hidden:')

const collector = new TokenCollector()

export function readTokens(content: MessageContent, request: TokenRequest): TokenSet {
  collector.begin(request.named === true)
  headerTokens(content, request, collector)
  structureTokens(content, collector)
  linkTokens(content.links, collector)
  const { subject, hidden, text } = content
  new WordTokens(SUBJECT, subject, true).read(0, Math.min(subject.length, SUBJECT_CHARACTERS))
  // A word of the subject is a word of the message too.
  new WordTokens(TEXT, subject, false).read(0, Math.min(subject.length, SUBJECT_CHARACTERS))
  new WordTokens(HIDDEN, hidden, false).read(0, Math.min(hidden.length, HIDDEN_CHARACTERS))
  const words = new WordTokens(TEXT, text, true)
  if (text.length <= HEAD_CHARACTERS + TAIL_CHARACTERS) words.read(0, text.length)
  else {
    words.read(0, HEAD_CHARACTERS)
    words.read(text.length - TAIL_CHARACTERS, text.length)
  }
  return collector.take()
}

/** Words of one text in one context, and their pairs. */
class WordTokens {
  readonly #context: TokenContext
  readonly #text: string
  readonly #pairs: boolean
  /** the last words */
  readonly #ring: Word[] = Array.from({ length: RING }, () => ({ low: 0, high: 0, start: 0, end: 0 }))
  #count = 0

  constructor(context: TokenContext, text: string, pairs: boolean) {
    this.#context = context
    this.#text = text
    this.#pairs = pairs
  }

  read(start: number, end: number): void {
    this.#count = 0
    eachWord(this.#text, { start, end }, (word) => this.#take(word))
  }

  #take(word: Word): boolean {
    const context = this.#context
    if (collector.word(context, word.low, word.high)) collector.name(context.label + this.#slice(word))
    if (this.#pairs) {
      const reach = Math.min(this.#count, PAIR_REACH)
      for (let distance = 1; distance <= reach; distance++) {
        const before = this.#ring[(this.#count - distance) & (RING - 1)]
        if (before === undefined) break
        if (collector.pair(context, { first: before, second: word, distance })) collector.name(`${context.label}${this.#slice(before)} ${'… '.repeat(distance - 1)}${this.#slice(word)}`)
      }
      const place = this.#ring[this.#count & (RING - 1)]
      if (place !== undefined) {
        place.low = word.low
        place.high = word.high
        place.start = word.start
        place.end = word.end
      }
      this.#count++
    }
    return !collector.full
  }

  #slice({ start, end }: Word): string {
    return this.#text.slice(start, end).toLowerCase()
  }
}
