import assert from 'node:assert/strict'
import { test } from 'node:test'
import { causeText, strangerText, thrownText } from '../../../src/auth/stranger-text.ts'

test('only printable ASCII on one line is left', () => {
  assert.equal(strangerText('a  b', 10), 'a  b')
  assert.equal(strangerText(' a\r\n\tb ', 10), 'a b')
  assert.equal(strangerText('\u0000\u001b[2J\u007f\u0085é\u202e', 20), '??[2J????')
  const every = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join('')
  assert.match(strangerText(every, 0x3000), /^[\x20-\x7e]+$/)
})

test('it is cut at its bound, and shows that it is', () => {
  assert.equal(strangerText('abcdef', 6), 'abcdef')
  assert.equal(strangerText('abcdefg', 6), 'abc...')
  assert.equal(causeText('x'.repeat(1000)).length, 300)
})

test('whatever is thrown has a text', () => {
  assert.deepEqual([thrownText(new Error('a\nb')), thrownText('c'), thrownText(undefined)], ['a b', 'c', 'undefined'])
})
