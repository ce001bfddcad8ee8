/**
 * Does the plain part of a multipart/alternative say what its HTML says? Looked
 * at by a few words that are spread over its beginning: two texts that say the
 * same have them all, or nearly so. Takes two renderings; bounded work, whatever
 * their length.
 */

/** Of the plain text; what comes later differs only where somebody goes to great lengths. */
const SAMPLED_CHARACTERS = 8192
const SAMPLES = 20
const MIN_WORD_CHARACTERS = 5
const MAX_WORD_CHARACTERS = 20
/** Where the words are looked for; renderings of one text have them at about the same place. */
const SEARCHED_CHARACTERS = 32_768
/** Titles in capitals, notes of images and addresses of links differ between two renderings of one text. */
const MAX_MISSING_SHARE = 0.35

/** The first word at or behind `from` that is long enough, all in small ASCII letters: those look the same in every rendering. */
function wordAt(text: string, from: number, to: number): string | undefined {
  let start = -1
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at)
    if (code >= 97 && code <= 122) {
      if (start < 0) start = at
      continue
    }
    // Where the place itself is amid a word, the word is left out.
    if (start > from && code <= 46 && text.charCodeAt(start - 1) <= 40 && at - start >= MIN_WORD_CHARACTERS && at - start <= MAX_WORD_CHARACTERS) return text.slice(start, at)
    start = -1
  }
  return undefined
}

/** true: the plain text has to be read too. */
export function saysSomethingElse(plain: string, html: string): boolean {
  if (html === '') return true
  if (plain === '') return false
  const length = Math.min(plain.length, SAMPLED_CHARACTERS)
  const step = length / SAMPLES
  const window = html.length > SEARCHED_CHARACTERS ? html.slice(0, SEARCHED_CHARACTERS) : html
  let samples = 0
  let missing = 0
  let last: string | undefined
  /** the word before stands here: the next one mostly stands not far behind it */
  let place = 0
  for (let index = 0; index < SAMPLES; index++) {
    const from = Math.floor(index * step)
    const word = wordAt(plain, from, Math.min(length, Math.ceil(from + step) + MAX_WORD_CHARACTERS))
    if (word === undefined || word === last) continue
    last = word
    samples++
    const behind = window.indexOf(word, place)
    const found = behind < 0 && place > 0 ? window.indexOf(word) : behind
    if (found < 0) missing++
    else place = found
  }
  // Short texts, and those of scripts without small letters, are compared as a whole.
  if (samples < 3) return !window.includes(plain.slice(0, 40))
  return missing > samples * MAX_MISSING_SHARE
}
