/** Texts side by side as code units. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PreparedText } from '../../../../src/spam/patterns/prepared-text.ts'

function unitsOf({ units, starts }: PreparedText): number[][] {
  return starts.slice(1).map((end, text) => [...units.subarray(starts[text], end)])
}

const codes = (text: string): number[] => Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))

test('each text stands behind the one before it', () => {
  const long = 'many words '.repeat(300)
  for (const texts of [[], [''], ['one'], ['one', 'two'], ['one', '', 'two', 'ü\xff', 'three'], ['one', 'Ω', '😀', ''], ['one', long, 'two', 'three'], [long, 'Ω', long]]) {
    assert.deepEqual(unitsOf(new PreparedText(texts)), texts.map(codes))
  }
})

test('halves of a character are none, even where two texts would make it whole', () => {
  assert.deepEqual(unitsOf(new PreparedText(['a\ud83d', '\ude00b', 'c', 'd'])), ['a\ufffd', '\ufffdb', 'c', 'd'].map(codes))
})

test('which texts have characters beyond U+00FF', () => {
  const text = new PreparedText(['plain', 'f\xfcr', 'Ω', '😀'])
  assert.deepEqual([0, 1, 2, 3].map((number) => text.isWide(number, number + 1)), [false, false, true, true])
  assert.equal(text.isWide(0, 2), false)
  assert.equal(text.isWide(0, 4), true)
  assert.equal(text.isWide(2, 2), false)
})

test('more texts than fit into the array that short ones share', () => {
  const made = Array.from({ length: 400 }, (_, number) => {
    const text = String.fromCharCode(0x61 + (number % 26)).repeat(900 + number)
    return { text, prepared: new PreparedText([text]) }
  })
  for (const { text, prepared } of made) assert.deepEqual(unitsOf(prepared), [codes(text)])
})
