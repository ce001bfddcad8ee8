/** Characters without which a pattern cannot match. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPattern, treeOf } from '../../../../src/spam/patterns/read-pattern.ts'
import { areWide, charactersOf, haveInCommon, requiredCharacters } from '../../../../src/spam/patterns/required-characters.ts'

function possible(source: string, text: string): boolean | undefined {
  const reading = readPattern(source, 'i')
  if (reading.status === 'refused') assert.fail(reading.problem)
  const characters = requiredCharacters(treeOf(reading.pattern).root)
  return characters === undefined ? undefined : haveInCommon(characters, charactersOf(Uint16Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))))
}

test('rare characters that must be there', () => {
  assert.equal(possible('\\w+\\^\\S+', 'no such thing'), false)
  assert.equal(possible('\\w+\\^\\S+', 'a^b'), true)
  assert.equal(possible('[\\x{1F300}-\\x{1FAFF}]', 'plain'), false)
  assert.equal(possible('[\\x{1F300}-\\x{1FAFF}]', '😀'), true)
  assert.equal(possible('\\p{Cyrillic}', 'plain'), false)
  assert.equal(possible('(?:[~|]|x{2}[\\^%])+', 'a b'), false)
  assert.equal(possible('(?:[~|]|x{2}[\\^%])+', '100%'), true)
  assert.equal(possible('(?=~)a', 'a'), false)
})

test('nothing is said where nothing is known, or it would always be there', () => {
  for (const source of ['\\w', '[~|]?', 'a|[~|]', '(?!~)a', '(a)\\1', '^$', '']) assert.equal(possible(source, ''), undefined, source)
})

test('characters that are all beyond U+00FF', () => {
  const wide = (source: string): boolean => {
    const reading = readPattern(source, '')
    const characters = reading.status === 'read' ? requiredCharacters(treeOf(reading.pattern).root) : undefined
    return characters === undefined ? assert.fail(source) : areWide(characters)
  }
  assert.equal(wide('[\\x{1d400}-\\x{1d7ff}\\x{24b6}-\\x{24e9}]{3}'), true)
  assert.equal(wide('\\p{Cyrillic}'), true)
  assert.equal(wide('[\\x{1d400}-\\x{1d7ff}~]'), false)
  assert.equal(wide('[\\xff]'), false)
})
