/** Logic with three values. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allOf, answerOf, anyOf, not, ofOne, truthOf } from '../../../../src/spam/rules/truth.ts'
import type { Truth } from '../../../../src/spam/rules/truth.ts'

const VALUES: readonly Truth[] = [true, false, undefined]
const same = (value: Truth) => value
const asks = (...values: readonly Truth[]) => values.map((value) => () => value)

test('what decides does so whatever the others are, and what is not known stays so otherwise', () => {
  for (const one of VALUES) {
    assert.equal(ofOne([one, true], same), true)
    assert.equal(ofOne([one, false], same), one)
    assert.equal(anyOf(asks(one, true), 0), true)
    assert.equal(allOf(asks(one, false), 0), false)
    assert.equal(anyOf(asks(one, false), 0), one)
    assert.equal(allOf(asks(one, true), 0), one)
    assert.equal(not(not(one)), one)
  }
  assert.equal(not(true), false)
  assert.equal(not(undefined), undefined)
  assert.equal(ofOne([], same), false)
  assert.equal(anyOf([], 0), false)
  assert.equal(allOf([], 0), true)
})

test('as a number an answer is the same', () => {
  for (const one of VALUES) assert.equal(truthOf(answerOf(one)), one)
  assert.equal(new Set(VALUES.map(answerOf)).size, VALUES.length)
})

test('nothing is asked behind what decides, and what is asked is told about what', () => {
  const asked: string[] = []
  const ask = (n: number, answer: Truth) => (one: string, other: string): Truth => {
    asked.push(`${n} ${one} ${other}`)
    return answer
  }
  assert.equal(ofOne([1, 2, 3], (n) => ask(n, n === 2 ? true : undefined)('a', 'b')), true)
  assert.deepEqual(asked.splice(0), ['1 a b', '2 a b'])
  assert.equal(anyOf([ask(1, undefined), ask(2, true), ask(3, true)], 'a', 'b'), true)
  assert.deepEqual(asked.splice(0), ['1 a b', '2 a b'])
  assert.equal(allOf([ask(1, true), ask(2, false), ask(3, undefined)], 'a', 'b'), false)
  assert.deepEqual(asked, ['1 a b', '2 a b'])
})
