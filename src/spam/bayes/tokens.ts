/**
 * A message to its tokens: what its fields say, how it is built, where its links
 * lead, and the words of subject and text, single and in pairs. A pair is two
 * words with at most `PAIR_REACH` − 1 others between them (orthogonal sparse
 * bigrams): it holds what words mean together, and a word that is put in
 * between does not break it.
 *
 * No kind crowds out another, whatever a message is stuffed with: fields,
 * structure, links and hidden text have their bounds, and the subject and the
 * beginning of the text come before links, the rest of the text comes last. Of a
 * long text only beginning and end are read.
 *
 * Takes what the content reader found; does no I/O and never throws.
 */
import type { MessageContent } from '../content.ts'
import { bareSubject } from './bare-subject.ts'
import { headerTokens } from './header-tokens.ts'
import { linkTokens } from './link-tokens.ts'
import { structureTokens, type Writing } from './structure-tokens.ts'
import { MAX_TOKENS, TokenCollector, tokenContext, type TokenContext, type TokenSet, type Word } from './token-set.ts'
import { languageOf } from '../content/text/language.ts'
import { scriptShares } from '../content/text/scripts.ts'
import { isInvisible } from '../content/text/confusables.ts'
import { eachWord, OTHER_INVISIBLE, SOFT_HYPHENS, type ReadWord } from './words.ts'

export interface TokenSettings {
  /** names that the site's own hops give themselves in Received, lower case */
  readonly ownHosts: ReadonlySet<string>
  /** what the site puts in front of the subject of tagged mail; it is no word of the message */
  readonly subjectPrefix?: string | undefined
}

/** Of a site with this configuration. */
export function tokenSettings({ hostname, subjectPrefix }: { readonly hostname: string; readonly subjectPrefix: string | undefined }): TokenSettings {
  return { ownHosts: new Set([hostname.toLowerCase()]), subjectPrefix }
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
const SUBJECT_CHARACTERS = 500
const HIDDEN_CHARACTERS = 4000

/** Tokens of each kind, at most; together they leave some hundred for the rest of the text. */
const FIELD_TOKENS = 500
const STRUCTURE_TOKENS = 250
const SUBJECT_TOKENS = 600
/** of the beginning of the text, pairs included */
const FIRST_TEXT_TOKENS = 1500
const LINK_TOKENS = 400
const HIDDEN_TOKENS = 250

/** Words that are not what they seem: so many are no accident. */
const MANY_WORDS = 8

const TEXT = tokenContext('')
const SUBJECT = tokenContext('subject:')
const HIDDEN = tokenContext('hidden:')
const CHARACTERS = tokenContext('characters:')

const collector = new TokenCollector()

export function readTokens(content: MessageContent, request: TokenRequest): TokenSet {
  collector.begin(request.named === true)
  collector.allow(FIELD_TOKENS)
  headerTokens(content, request, collector)
  const { hidden, text } = content
  const subject = bareSubject(content.subject, request.subjectPrefix)
  collector.allow(STRUCTURE_TOKENS)
  structureTokens(content, subject === content.subject ? content : writingOf(subject, text), collector)
  collector.allow(SUBJECT_TOKENS)
  new WordTokens(SUBJECT, subject, true).read(0, Math.min(subject.length, SUBJECT_CHARACTERS))
  // A word of the subject is a word of the message too.
  new WordTokens(TEXT, subject, false).read(0, Math.min(subject.length, SUBJECT_CHARACTERS))
  const words = new WordTokens(TEXT, text, true)
  const whole = text.length <= HEAD_CHARACTERS + TAIL_CHARACTERS
  const head = whole ? text.length : HEAD_CHARACTERS
  collector.allow(FIRST_TEXT_TOKENS)
  const read = words.read(0, head)
  collector.allow(LINK_TOKENS)
  linkTokens(content.links, collector)
  collector.allow(HIDDEN_TOKENS)
  new WordTokens(HIDDEN, hidden, false).read(0, Math.min(hidden.length, HIDDEN_CHARACTERS))
  collector.allow(MAX_TOKENS)
  words.read(read, head)
  if (!whole) {
    words.rest()
    words.read(text.length - TAIL_CHARACTERS, text.length)
  }
  return collector.take()
}

/** The prefix counts here, too, where it has letters of another script than the message. */
function writingOf(subject: string, text: string): Writing {
  const scripts = scriptShares([subject, text], false)
  return { scripts, language: languageOf(text, scripts) }
}

/** Words of one text in one context, and their pairs. */
class WordTokens {
  readonly #context: TokenContext
  readonly #text: string
  readonly #pairs: boolean
  /** the last words */
  readonly #ring: Word[] = Array.from({ length: RING }, () => ({ low: 0, high: 0, start: 0, end: 0 }))
  #count = 0
  #next = 0
  #softHyphens = 0
  #invisible = 0

  constructor(context: TokenContext, text: string, pairs: boolean) {
    this.#context = context
    this.#text = text
    this.#pairs = pairs
  }

  /** Until there is no more place for words; to where it came. */
  read(start: number, end: number): number {
    this.#next = start
    return eachWord(this.#text, { start, end }, (word) => this.#take(word)) ? end : this.#next
  }

  /** What comes next does not stand beside what was read. */
  rest(): void {
    this.#count = 0
  }

  #take(word: ReadWord): boolean {
    if (collector.full) return false
    this.#next = word.end
    const context = this.#context
    if (collector.word(context, word.low, word.high)) collector.name(context.label + this.#slice(word))
    if (word.invisible !== 0) this.#tell(word.invisible)
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
    return true
  }

  /** Soft hyphens are honest, and joiners are in some scripts; the classifier learns in whose mail. */
  #tell(invisible: number): void {
    if ((invisible & SOFT_HYPHENS) !== 0) tellCount('soft hyphens', ++this.#softHyphens)
    if ((invisible & OTHER_INVISIBLE) !== 0) tellCount('invisible', ++this.#invisible)
  }

  #slice({ start, end }: Word): string {
    return this.#text.slice(start, end).toLowerCase().replace(/[^\x00-\x7f]/g, (character) => (isInvisible(character.charCodeAt(0)) ? '' : character))
  }
}

function tellCount(what: string, words: number): void {
  if (words === 1) collector.text(CHARACTERS, `${what} in a word`)
  else if (words === MANY_WORDS) collector.text(CHARACTERS, `${what} in many words`)
}
