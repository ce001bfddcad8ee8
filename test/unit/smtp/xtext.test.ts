import { test } from 'node:test'
import assert from 'node:assert/strict'
import { decodeXtext, encodeXtext } from '../../../src/smtp/xtext.ts'

test('xtext: plain text stays', () => {
  assert.equal(encodeXtext('mx.example.org'), 'mx.example.org')
  assert.equal(decodeXtext('mx.example.org'), 'mx.example.org')
  assert.equal(encodeXtext(''), '')
})

test('xtext: + and =, white space, control characters and 8-bit bytes are encoded', () => {
  assert.equal(encodeXtext('a+b=c d\r\n\xe9'), 'a+2Bb+3Dc+20d+0D+0A+E9')
})

test('xtext: a Unicode string is encoded as UTF-8', () => {
  assert.equal(encodeXtext('š'), '+C5+A1')
})

test('xtext: every byte comes back', () => {
  const all = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('')
  assert.equal(decodeXtext(encodeXtext(all)), all)
  assert.match(encodeXtext(all), /^[!-~]*$/)
})

test('xtext: what could mean two things is refused; lower-case digits and = are not', () => {
  for (const text of ['+', '+2', 'a+', '+GG', '++2B', 'a+2']) assert.equal(decodeXtext(text), undefined, text)
  assert.equal(decodeXtext('a=b+2b+C3+a9'), 'a=b+\xc3\xa9')
})
