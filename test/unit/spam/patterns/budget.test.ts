/** What a message may spend. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBudget } from '../../../../src/spam/patterns/budget.ts'

test('a try has a share that grows with its text, and never more than is left', () => {
  const budget = createBudget({ steps: 1_000_000 })
  assert.equal(budget.allowance(0), 20_000)
  assert.equal(budget.allowance(1000), 270_000)
  assert.equal(budget.allowance(1_000_000), 1_000_000)
  budget.spend(900_000)
  assert.equal(budget.allowance(1000), 100_000)
  assert.equal(budget.left(), true)
  budget.spend(100_000)
  assert.equal(budget.left(), false)
  assert.equal(createBudget().allowance(10_000_000), 4_000_000)
})

test('a small message may spend less than a large one', () => {
  const stepsOf = (bytes?: number): number => {
    const budget = createBudget({ now: () => 0, ...(bytes === undefined ? {} : { bytes }) })
    let steps = 0
    for (; budget.left(); steps += 100_000) budget.spend(100_000)
    return steps
  }
  assert.equal(stepsOf(0), 2_000_000)
  assert.equal(stepsOf(10_000), 3_000_000)
  assert.equal(stepsOf(50_000_000), 40_000_000)
  assert.equal(stepsOf(), 40_000_000)
})

test('time counts from the first try, and is looked at after many steps', () => {
  const looks: number[] = []
  let now = 5000
  const budget = createBudget({ now: () => { looks.push(now); return now }, ms: 100 })
  assert.equal(looks.length, 0)
  budget.spend(10)
  assert.equal(looks.length, 1)
  now += 99
  budget.spend(100_000)
  assert.equal(budget.left(), true)
  now += 2
  budget.spend(10)
  assert.equal(budget.left(), true)
  budget.spend(100_000)
  assert.equal(budget.left(), false)
  assert.equal(looks.length, 3)
})

test('what exceeded is counted', () => {
  const budget = createBudget()
  budget.overrun()
  budget.overrun()
  assert.equal(budget.exceeded, 2)
})
