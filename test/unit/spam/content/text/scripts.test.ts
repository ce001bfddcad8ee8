import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scriptOf, scriptShares } from '../../../../../src/spam/content/text/scripts.ts'

const MAIN = ['Latin', 'Greek', 'Cyrillic', 'Hebrew', 'Arabic', 'Devanagari', 'Thai', 'Hangul', 'Hiragana', 'Katakana', 'Han', 'Georgian', 'Armenian']

test('letters have the script that Unicode gives them', () => {
  const wrong: string[] = []
  for (const script of MAIN) {
    const letter = new RegExp(`^\\p{L}$`, 'u')
    const own = new RegExp(`^\\p{Script=${script}}$`, 'u')
    for (let code = 0x41; code < 0x1_0000; code++) {
      const character = String.fromCodePoint(code)
      const found = scriptOf(code) === script
      // A mark or a sign among letters is no harm; a letter of another script is.
      if (found && letter.test(character) && !own.test(character) && !/\p{Script=Common}/u.test(character)) wrong.push(`U+${code.toString(16)} is not ${script}`)
    }
  }
  assert.deepEqual(wrong, [])
  for (const [text, script] of [['aÀłẞ', 'Latin'], ['αΩώ', 'Greek'], ['яЁѓ', 'Cyrillic'], ['א', 'Hebrew'], ['عپ', 'Arabic'], ['अ', 'Devanagari'], ['ก', 'Thai'], ['한', 'Hangul'], ['あ', 'Hiragana'], ['ア', 'Katakana'], ['漢𠀀', 'Han']] as const) {
    for (const character of text) assert.equal(scriptOf(character.codePointAt(0) ?? 0), script, character)
  }
  for (const none of ['1', ' ', '€', '“', '×', '÷', '…', '😀', '。']) assert.equal(scriptOf(none.codePointAt(0) ?? 0), undefined, none)
})

test('shares of the letters, the largest first', () => {
  assert.deepEqual([...scriptShares(['abc 123'], true)], [['Latin', 1]])
  assert.deepEqual([...scriptShares(['123 !'], true)], [])
  assert.deepEqual([...scriptShares(['123 €'], false)], [])
  assert.deepEqual([...scriptShares(['при', 'a 1 𠀀𠀀'], false)], [['Cyrillic', 0.5], ['Han', 2 / 6], ['Latin', 1 / 6]])
})
