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

test('xtext: what is none is refused', () => {
  for (const text of ['a b', 'a=b', '+', '+2', '+2b', '+GG', 'é', '\x7f', 'a\r\n']) assert.equal(decodeXtext(text), undefined, text)
})
