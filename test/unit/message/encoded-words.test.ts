import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeWords, encodeWords } from '../../../src/message/encoded-words.ts'
import { Random } from '../../support/fuzzing.ts'

test('encoded words (RFC 2047)', () => {
  assert.deepEqual(encodeWords('Späm: 1'), ['=?UTF-8?Q?Sp=C3=A4m=3A_1?='])
  assert.deepEqual(encodeWords(''), [])
  assert.deepEqual(encodeWords('=?_ ?='), ['=?UTF-8?Q?=3D=3F=5F_=3F=3D?='])
})

test('words are at most 75 characters long, and no character is split between two', () => {
  for (const text of ['ä'.repeat(100), '€'.repeat(50), '🦆'.repeat(40), 'x'.repeat(200), 'x🦆 '.repeat(30)]) {
    const words = encodeWords(text)
    assert.ok(words.length > 1)
    assert.ok(words.every((word) => word.length <= 75 && /^=\?UTF-8\?Q\?[!-~]+\?=$/.test(word) && !decodeWords(word).includes('\ufffd')))
    for (const glue of [' ', '\r\n ', ' \t ']) assert.equal(decodeWords(words.join(glue)), text)
  }
})

test('the first word may have to be shorter, and has a character at least', () => {
  const words = encodeWords('ä'.repeat(20), 40)
  assert.ok(words[0]!.length <= 40 && words[1]!.length > 40)
  assert.equal(decodeWords(words.join(' ')), 'ä'.repeat(20))
  assert.deepEqual(encodeWords('ab', 3), ['=?UTF-8?Q?a?=', '=?UTF-8?Q?b?='])
})

test('what others wrote is decoded', () => {
  for (const [binary, text] of [
    ['plain', 'plain'], ['', ''],
    ['=?utf-8?q?a?=', 'a'], ['=?UTF-8?B?w6Q=?=', 'ä'], ['=?iso-8859-1?Q?=E4_b?=', 'ä b'], ['=?US-ASCII*EN?Q?Keith?=', 'Keith'], ['=?koi8-r?B?8NLJ18XU?=', 'Привет'],
    ['x =?utf-8?q?a?= y', 'x a y'], ['=?utf-8?q?a?= b', 'a b'], ['a =?utf-8?q?b?=', 'a b'],
    ['=?utf-8?q?a?= =?utf-8?q?b?=', 'ab'], ['=?utf-8?q?a?=\r\n =?utf-8?q?b?=', 'ab'], ['=?utf-8?q?a_?= =?utf-8?q?b?=', 'a b'], ['=?utf-8?q?a?= x =?utf-8?q?b?=', 'a x b'],
    ['=?utf-8?q??=', ''], ['=?utf-8?q?=ZZ?=', '=ZZ'],
    // bytes outside ASCII: UTF-8 (RFC 6532), or whatever it was
    [Buffer.from('ä =?utf-8?q?=C3=A4?=').toString('latin1'), 'ä ä'], ['\xe4', '\xe4'],
    // no encoded words
    ['=?nonsense?q?a?=', '=?nonsense?q?a?='], ['=?utf-8?x?a?=', '=?utf-8?x?a?='], ['=?utf-8?q?a b?=', '=?utf-8?q?a b?='], ['=?utf-8?q?a', '=?utf-8?q?a'], ['=??q?a?=', '=??q?a?='],
  ] as const) assert.equal(decodeWords(binary), text, JSON.stringify(binary))
})

test('nothing throws, whatever stands there', () => {
  const words = ['=?', '?=', '?', 'utf-8', 'utf-16', 'iso-2022-jp', 'q', 'b', '=', 'C3', '_', ' ', '\r\n ', '*en', '\xff', 'A']
  for (let seed = 0; seed < 5000; seed++) assert.equal(typeof decodeWords(new Random(seed).soup(words, 30)), 'string')
})
