/**
 * The language of a text: by its script where the script tells, otherwise by
 * the function words in it. Undefined where there are too few words, or two
 * languages are about as likely: a guess is no fact.
 */
import { MAX_LANGUAGE_WORDS } from '../bounds.ts'
import { FUNCTION_WORDS } from './function-words.ts'
import { PlainLetters, PlainWords } from './plain-words.ts'

const LANGUAGES = Object.keys(FUNCTION_WORDS)
/** languages that have a word, by index */
const BY_WORD = new Map<string, number[]>()
LANGUAGES.forEach((language, index) => {
  // A single letter is an article in one language, and the name of a thing in all others.
  for (const word of new Set(FUNCTION_WORDS[language]?.split(' '))) if (word.length > 1) BY_WORD.set(word, [...(BY_WORD.get(word) ?? []), index])
})
const WORDS = [...BY_WORD.keys()]
const LANGUAGES_OF = [...BY_WORD.values()]
/** most words of most texts, found without making a string of each */
const PLAIN_WORDS = new PlainWords(WORDS)

/** Scripts that one language (of those that mail is written in) has for itself. */
const BY_SCRIPT: Readonly<Record<string, string>> = {
  Hangul: 'ko', Greek: 'el', Hebrew: 'he', Arabic: 'ar', Thai: 'th', Armenian: 'hy', Georgian: 'ka', Devanagari: 'hi', Bengali: 'bn', Tamil: 'ta', Telugu: 'te', Gujarati: 'gu', Khmer: 'km', Lao: 'lo', Myanmar: 'my', Ethiopic: 'am', Sinhala: 'si',
}

const MIN_WORDS = 20
/** Of the words of prose, a third to a half are in such a list; of a list of names, none. */
const MIN_SHARE = 0.15
/** How much likelier the first has to be than the second. */
const MIN_LEAD = 1.2
/** A script is that of the text from this share of its letters on; Latin names stand in every language. */
const MIN_SCRIPT_SHARE = 0.4
const MAX_WORD_CHARACTERS = 24
/** Letters of text that stand for enough words, in scripts that put no blanks between them. */
const MIN_UNSPACED_CHARACTERS = 40

function byScript(text: string, scripts: ReadonlyMap<string, number>): string | undefined {
  const share = (script: string): number => scripts.get(script) ?? 0
  const kana = share('Hiragana') + share('Katakana')
  const eastAsian = kana + share('Han')
  if (text.length < MIN_UNSPACED_CHARACTERS) return undefined
  // Every Japanese sentence has kana in it, no Chinese one has.
  if (eastAsian >= MIN_SCRIPT_SHARE) return kana > eastAsian * 0.08 ? 'ja' : 'zh'
  for (const [script, value] of scripts) {
    if (value < MIN_SCRIPT_SHARE) break
    const language = BY_SCRIPT[script]
    if (language !== undefined) return language
  }
  return undefined
}

/** Counts the words of some places in a text. */
class WordCounter {
  /** words of each language, each by the share that the language has in it: what all neighbours have too says little */
  readonly scores = new Float64Array(LANGUAGES.length)
  readonly hits = new Float64Array(LANGUAGES.length)
  words = 0

  /** Up to `most` words from `from` on. */
  count(text: string, from: number, most: number): void {
    let start = -1
    let left = most
    let plain = true
    const letters = new PlainLetters()
    for (let at = from; at <= text.length && left > 0; at++) {
      const code = at < text.length ? text.charCodeAt(at) : 32
      const lower = code | 32
      const letter = lower >= 97 && lower <= 122
      if (letter || code >= 0xc0) {
        if (start < 0) {
          start = at
          plain = true
          letters.clear()
        }
        if (letter) letters.add(code)
        else plain = false
        continue
      }
      if (start < 0) continue
      // What goes on behind a dot or an @ is a name, not a word.
      if (at - start <= MAX_WORD_CHARACTERS && !(code >= 46 && code <= 64 && code !== 58 && code !== 59 && code !== 63 && text.charCodeAt(at + 1) > 32)) {
        this.words++
        if (!plain) this.hit(BY_WORD.get(text.slice(start, at).toLowerCase()))
        else this.hitPlain(PLAIN_WORDS.indexOf(letters))
      }
      start = -1
      left--
    }
  }

  private hitPlain(index: number): void {
    if (index >= 0) this.hit(LANGUAGES_OF[index])
  }

  private hit(languages: readonly number[] | undefined): void {
    if (languages === undefined) return
    for (const index of languages) {
      this.scores[index] = (this.scores[index] ?? 0) + 1 / languages.length
      this.hits[index] = (this.hits[index] ?? 0) + 1
    }
  }
}

/** `text`: as `MessageContent.text`; `scripts`: of it. */
export function languageOf(text: string, scripts: ReadonlyMap<string, number>): string | undefined {
  const script = byScript(text, scripts)
  if (script !== undefined) return script
  const counter = new WordCounter()
  // A greeting, or what is quoted at the end, may be in another language: three places are looked at where there is so much.
  const third = Math.floor(MAX_LANGUAGE_WORDS / 3)
  const average = 7
  if (text.length <= MAX_LANGUAGE_WORDS * average) counter.count(text, 0, MAX_LANGUAGE_WORDS)
  else for (const share of [0, 0.35, 0.7]) counter.count(text, Math.floor(text.length * share), third)
  if (counter.words < MIN_WORDS) return undefined
  let best = -1
  let first = 0
  let second = 0
  counter.scores.forEach((score, index) => {
    if (score > first) {
      second = first
      first = score
      best = index
    } else if (score > second) {
      second = score
    }
  })
  return (counter.hits[best] ?? 0) >= counter.words * MIN_SHARE && first >= second * MIN_LEAD ? LANGUAGES[best] : undefined
}
