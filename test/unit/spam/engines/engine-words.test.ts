import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actionWord, failure, MAX_SYMBOLS, mostWeighty, scoreOf, symbolOf, virusName } from '../../../../src/spam/engines/engine-words.ts'

test('names of symbols are of a small alphabet and not too long', () => {
  assert.equal(symbolOf({ name: 'BAYES_99', score: 1 }).name, 'BAYES_99')
  assert.equal(symbolOf({ name: 'A\r\nX-Evil: 1,B=\u{1F600}', score: 1 }).name, 'A__X-Evil:_1_B___')
  assert.equal(symbolOf({ name: '', score: 1 }).name, '_')
  assert.equal(symbolOf({ name: 'x'.repeat(1_000_000), score: 1 }).name.length, 64)
})

test('texts are one printable line, and none where they say nothing', () => {
  assert.deepEqual(symbolOf({ name: 'A', score: 1, description: 'one\r\ntwo \u001b[31mred ö' }), { name: 'A', score: 1, description: 'one two ?[31mred ?' })
  assert.deepEqual(symbolOf({ name: 'A', score: 1, description: ' \n ' }), { name: 'A', score: 1 })
  assert.equal(symbolOf({ name: 'A', score: 1, description: 'x'.repeat(1_000_000) }).description?.length, 160)
  assert.equal(virusName('Evil\u0000\nName'), 'Evil? Name')
  assert.equal(virusName(' '), 'unnamed')
  assert.equal(virusName('v'.repeat(1000)).length, 128)
  assert.equal(actionWord('add header\n'), 'add header')
  assert.deepEqual(failure(`says "${'x'.repeat(5000)}\u0007"`, 'lost').cause.length, 300)
})

test('scores are numbers that can be added', () => {
  assert.deepEqual([1.5, -3, 1e300, -Infinity, NaN, '5', null, undefined].map(scoreOf), [1.5, -3, 1_000_000, undefined, undefined, undefined, undefined, undefined])
})

test('of too many symbols those stay that weigh most', () => {
  const symbols = Array.from({ length: 1000 }, (_, i) => ({ name: `S${i}`, score: i % 2 === 0 ? i : -i }))
  const kept = mostWeighty(symbols)
  assert.equal(kept.length, MAX_SYMBOLS)
  assert.deepEqual(kept.slice(0, 2), [{ name: 'S999', score: -999 }, { name: 'S998', score: 998 }])
  assert.equal(mostWeighty(symbols.slice(0, 3)).length, 3)
})
