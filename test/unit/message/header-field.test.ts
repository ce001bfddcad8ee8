import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineEndOf, nameBytes, unfold, valueText } from '../../../src/message/header-field.ts'
import { bytes, sectionOf } from '../../support/stored-message.ts'

test('name bytes, value and line end make up the field', () => {
  for (const raw of ['A: b\r\n', 'A:b\r\n', 'A:\r\n', 'A \t: b\r\n c\r\n', 'A\r\n : b\r\n', 'A: b\r\n \r\n', 'A: b\n c\r\n', 'A: b\r\n\tc\n', 'A: b\r']) {
    for (const text of [`${raw}\r\n`, raw]) {
      const field = sectionOf(text).fields[0]!
      const parts = Buffer.concat([nameBytes(field), field.value, lineEndOf(field.raw)])
      assert.ok(parts.equals(field.raw), JSON.stringify(raw))
      assert.equal(nameBytes(field).at(-1), 0x3a)
    }
  }
})

test('a value keeps its folds, unfolding leaves out line ends only', () => {
  const field = sectionOf('Subject:  a\r\n\t b\r\n  c\r\n\r\n').fields[0]!
  assert.equal(valueText(field), '  a\r\n\t b\r\n  c')
  assert.equal(unfold(valueText(field)), '  a\t b  c')
  assert.equal(unfold('a\n b\r c'), 'a b c')
})

test('line ends', () => {
  for (const [text, end] of [['a\r\n', '\r\n'], ['a\n', '\n'], ['a\r', '\r'], ['a', ''], ['', ''], ['\n', '\n'], ['\r\n', '\r\n'], ['\n\r', '\r']] as const) {
    assert.equal(lineEndOf(bytes(text)).toString('latin1'), end, JSON.stringify(text))
  }
})
