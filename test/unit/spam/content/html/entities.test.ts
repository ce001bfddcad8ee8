import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAttribute, EntityReader } from '../../../../../src/spam/content/html/entities.ts'

function read(source: string, inAttribute = false): readonly [string, string] {
  const reader = new EntityReader()
  const code = reader.read(source, 0, inAttribute)
  return [code < 0 ? '' : String.fromCodePoint(code), source.slice(reader.end)]
}

test('numbers, as browsers read them', () => {
  assert.deepEqual(read('&#65;b'), ['A', 'b'])
  assert.deepEqual(read('&#x41b'), ['\u041b', ''])
  assert.deepEqual(read('&#X41;'), ['A', ''])
  assert.deepEqual(read('&#0000000000065 '), ['A', ' '])
  assert.deepEqual(read('&#150;'), ['\u2013', ''])
  assert.deepEqual(read('&#129;'), ['\u0081', ''])
  assert.deepEqual(read('&#128512;'), ['\u{1f600}', ''])
  for (const none of ['&#0;', '&#xD800;', '&#x110000;', '&#99999999999999999999;']) assert.deepEqual(read(none), ['\ufffd', ''], none)
  assert.deepEqual(read('&#;'), ['', '#;'])
  assert.deepEqual(read('&#x;'), ['', '#x;'])
})

test('names, with and without semicolon', () => {
  assert.deepEqual(read('&amp;lt'), ['&', 'lt'])
  assert.deepEqual(read('&euro;'), ['€', ''])
  assert.deepEqual(read('&euro '), ['', 'euro '])
  assert.deepEqual(read('&eacutea'), ['é', 'a'])
  assert.deepEqual(read('&notit;'), ['¬', 'it;'])
  assert.deepEqual(read('&ZeroWidthSpace;'), ['\u200b', ''])
  assert.deepEqual(read('&colon;'), [':', ''])
  assert.deepEqual(read('&alpha;&omega;'), ['α', '&omega;'])
  assert.deepEqual(read('&sigmaf;'), ['ς', ''])
  assert.deepEqual(read('&Omega;'), ['Ω', ''])
  assert.deepEqual(read('&yuml;'), ['ÿ', ''])
  assert.deepEqual(read('&Szlig;'), ['', 'Szlig;'])
  assert.deepEqual(read('& b'), ['', ' b'])
  assert.deepEqual(read('&'), ['', ''])
})

test('in an attribute, a parameter of a URL is none', () => {
  assert.equal(decodeAttribute('/a?b=1&copy=2&amp;lt=3&reg'), '/a?b=1&copy=2&lt=3®')
  assert.equal(decodeAttribute('java&#115;cript&colon;x'), 'javascript:x')
  assert.equal(decodeAttribute('nothing'), 'nothing')
})
