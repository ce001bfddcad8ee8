import assert from 'node:assert/strict'
import { test } from 'node:test'
import { comment, foldedField, MAX_VALUE_CHARACTERS, plainText, plainValue, quotedString } from '../../../src/message/field-text.ts'

test('plain text: one line, printable ASCII, single blanks, bounded', () => {
  for (const [text, plain] of [
    ['', ''], ['a b', 'a b'], ['  a \t b ', 'a b'], ['a\r\nX: y', 'a X: y'], ['a\r\n \r\n b', 'a b'], ['\0\x1b[31m\x7f', '??[31m?'], ['jörg\u2028x', 'j?rg?x'], ['\n', ''],
  ] as const) assert.equal(plainText(text), plain)
  assert.equal(plainText('x'.repeat(11), 10), 'xxxxxxx...')
  assert.equal(plainText('x'.repeat(10), 10), 'x'.repeat(10))
  assert.equal(plainText('xxxxxx  yyyyyyy', 10), 'xxxxxx...')
  assert.equal(plainText('y'.repeat(1_000_000)).length, MAX_VALUE_CHARACTERS)
})

test('a plain value keeps its blanks, and of a long one the end, so that it cannot become the address of another', () => {
  assert.equal(plainValue(' a  b '), ' a  b ')
  assert.equal(plainValue('a\r\n\tb\0ä'), 'a b??')
  const short = `${'x'.repeat(MAX_VALUE_CHARACTERS - 8)}@b.test`
  assert.equal(plainValue(short), short)
  const cut = plainValue(`${'x'.repeat(385)}@bank.example.${'y'.repeat(100)}.attacker.example`)
  assert.ok(cut.startsWith('...x') && cut.endsWith('.attacker.example'))
  assert.equal(cut.length, MAX_VALUE_CHARACTERS)
})

test('quoted strings and comments cannot be left from within', () => {
  assert.equal(quotedString('a"b\\c"'), '"a\\"b\\\\c\\""')
  assert.equal(comment('a)b(c\\'), '(a\\)b\\(c\\\\)')
  assert.equal(comment('a "b'), "(a 'b)")
})

test('a field is folded between words, at 78 characters, and unfolds to its words', () => {
  assert.equal(foldedField('X', [['a', 'b']]), 'X: a b\r\n')
  assert.equal(foldedField('X', [['a', 'b'], ['c'], ['d', 'e']]), 'X: a b\r\n c\r\n d e\r\n')
  // "X: " and 75 characters fit, 76 do not.
  assert.equal(foldedField('X', [['a', 'b'.repeat(73)]]), `X: a ${'b'.repeat(73)}\r\n`)
  assert.equal(foldedField('X', [['a', 'b'.repeat(74)]]), `X: a\r\n ${'b'.repeat(74)}\r\n`)
  for (const length of [1, 20, 77, 78, 79, 400]) {
    const words = Array.from({ length: 30 }, (_, i) => 'w'.repeat(1 + ((i * 7) % length)))
    const field = foldedField('Some-Name', [words])
    assert.equal(field.replaceAll('\r\n', ''), `Some-Name: ${words.join(' ')}`)
    for (const line of field.split('\r\n').slice(0, -1)) assert.ok(line.length <= 78 || line.trim() === words.find((word) => word === line.trim()) || line.startsWith('Some-Name: '), line)
  }
})

test('a first word that is too long stays on the first line: no line is empty', () => {
  assert.equal(foldedField('X', [['a'.repeat(200), 'b']]), `X: ${'a'.repeat(200)}\r\n b\r\n`)
})
