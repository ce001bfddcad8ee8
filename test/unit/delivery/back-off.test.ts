import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackOff } from '../../../src/delivery/back-off.ts'

test('twice as long with each failure in a row, up to the bound, until it is cleared', () => {
  let now = 0
  const backOff = new BackOff(() => now, { firstMs: 10, mostMs: 35 })
  assert.deepEqual([backOff.resting, backOff.failing], [false, false])
  for (const expected of [10, 20, 35, 35]) {
    assert.equal(backOff.failed(), expected)
    now += expected - 1
    assert.equal(backOff.resting, true)
    now++
    assert.deepEqual([backOff.resting, backOff.failing], [false, true])
  }
  backOff.clear()
  assert.deepEqual([backOff.resting, backOff.failing, backOff.failed()], [false, false, 10])
})

test('failures that were under way together count once', () => {
  const backOff = new BackOff(() => 0, { firstMs: 10, mostMs: 1000 })
  assert.deepEqual([backOff.failed(), backOff.failed(), backOff.failed()], [10, 10, 10])
})
