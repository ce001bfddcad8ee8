import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FUNCTION_WORDS } from '../../../../../src/spam/content/text/function-words.ts'
import { PlainLetters, PlainWords } from '../../../../../src/spam/content/text/plain-words.ts'

function lettersOf(word: string): PlainLetters {
  const letters = new PlainLetters()
  for (const character of word) letters.add(character.charCodeAt(0))
  return letters
}

test('every word of the languages is found, and is itself', () => {
  const words = [...new Set(Object.values(FUNCTION_WORDS).flatMap((line) => line.split(' ')))]
  const plain = new PlainWords(words)
  for (const [index, word] of words.entries()) {
    if (!/^[a-z]+$/.test(word)) continue
    assert.equal(plain.indexOf(lettersOf(word)), index, word)
    assert.equal(plain.indexOf(lettersOf(word.toUpperCase())), index, word)
  }
})

test('what only begins like a word, ends like it or is longer is another', () => {
  const words = ['the', 'there', 'without', 'withou', 'abcdefghijkl', 'élan', 'abcdefghijklm']
  const plain = new PlainWords(words)
  for (const word of ['t', 'th', 'thee', 'her', 'a', 'withous', 'withoutt', 'abcdef', 'ghijkl', 'abcdefghijk', 'abcdefghijklm', 'abcdefghijklmnopqr', 'zzz', 'lan']) {
    assert.equal(plain.indexOf(lettersOf(word)), -1, word)
  }
  for (const word of words.slice(0, 5)) assert.equal(plain.indexOf(lettersOf(word)), words.indexOf(word), word)
})

test('letters are forgotten', () => {
  const plain = new PlainWords(['or', 'for'])
  const letters = lettersOf('f')
  letters.clear()
  for (const letter of 'or') letters.add(letter.charCodeAt(0))
  assert.equal(plain.indexOf(letters), 0)
})
