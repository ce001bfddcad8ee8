/** Logic with three values. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allOf, anyOf, not } from '../../../../src/spam/rules/truth.ts'
import type { Truth } from '../../../../src/spam/rules/truth.ts'

const VALUES: readonly Truth[] = [true, false, undefined]
const same = (value: Truth) => value

test('what decides does so whatever the others are, and what is not known stays so otherwise', () => {
  for (const one of VALUES) {
    assert.equal(anyOf([one, true], same), true)
    assert.equal(allOf([one, false], same), false)
    assert.equal(anyOf([one, false], same), one)
    assert.equal(allOf([one, true], same), one)
    assert.equal(not(not(one)), one)
  }
  assert.equal(not(true), false)
  assert.equal(not(undefined), undefined)
  assert.equal(anyOf([], same), false)
  assert.equal(allOf([], same), true)
})

test('nothing is asked behind what decides', () => {
  const asked: number[] = []
  const ask = (n: number): Truth => {
    asked.push(n)
    return n === 2 ? true : undefined
  }
  assert.equal(anyOf([1, 2, 3], ask), true)
  assert.deepEqual(asked, [1, 2])
  asked.length = 0
  assert.equal(allOf([1, 4, 3], (n) => ask(n) === undefined ? n !== 4 : false), false)
  assert.deepEqual(asked, [1, 4])
})
