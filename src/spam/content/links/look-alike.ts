/**
 * Host names that read like others (Unicode Technical Standard 39 §4 and §5, as
 * far as it serves mail): labels that mix scripts which no language mixes, and
 * labels without an ASCII letter all of whose letters are taken for ASCII ones.
 */
import { confusedWith, isInvisible } from '../text/confusables.ts'
import { scriptOf } from '../text/scripts.ts'

/** Scripts that languages write together: Japanese, Korean, Chinese with Latin letters between. */
const EAST_ASIAN = new Set(['Han', 'Hiragana', 'Katakana', 'Hangul', 'Bopomofo', 'Latin'])

function mixes(scripts: ReadonlySet<string>): boolean {
  if (scripts.size < 2) return false
  for (const script of scripts) if (!EAST_ASIAN.has(script)) return true
  return false
}

function isAscii(label: string): boolean {
  return !/[^\0-\x7f]/.test(label)
}

/** `host`: in Unicode. */
export function looksAlike(host: string): boolean {
  const labels = host.split('.')
  const asciiEnd = isAscii(labels.at(-1) ?? '')
  for (const label of labels) {
    if (isAscii(label)) continue
    const scripts = new Set<string>()
    let letters = 0
    let confused = 0
    for (const character of label) {
      const code = character.codePointAt(0) ?? 0
      if (isInvisible(code)) return true
      const script = scriptOf(code)
      if (script === undefined) continue
      scripts.add(script)
      letters++
      if (confusedWith(code) !== 0 || code < 0x80) confused++
    }
    if (mixes(scripts)) return true
    // Below a suffix in its own script such a word is just a word.
    if (asciiEnd && letters > 0 && confused === letters) return true
  }
  return false
}
