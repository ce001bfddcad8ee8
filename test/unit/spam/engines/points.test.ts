import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Scored } from '../../../../src/spam/engines/engine.ts'
import { contributionOf, mostTakenAway } from '../../../../src/spam/engines/points.ts'
import { DEFAULT_COUNTS, type CountSettings } from '../../../../src/spam/engines/settings.ts'

const scored = (score: number, threshold?: number): Scored => ({ status: 'scored', score, symbols: [{ name: 'A', score: score / 2 }], ...(threshold !== undefined && { threshold }) })
const points = (outcome: Scored, counts: Partial<CountSettings>): number => contributionOf(outcome, { ...DEFAULT_COUNTS, ...counts }).points

test('a score counts times its weight', () => {
  assert.equal(points(scored(7.5), {}), 7.5)
  assert.equal(points(scored(7.5), { weight: 0.5 }), 3.75)
  assert.equal(points(scored(-2), { weight: 0.1 }), -0.2)
  assert.ok(Object.is(points(scored(-0), {}), 0))
})

test('or by its own threshold, which is worth the weight', () => {
  assert.equal(points(scored(15, 15), { by: 'threshold', weight: 5 }), 5)
  assert.equal(points(scored(6, 15), { by: 'threshold', weight: 5 }), 2)
  for (const threshold of [undefined, 0, -3]) assert.equal(points(scored(6, threshold), { by: 'threshold' }), 0)
})

test('or by its verdict alone', () => {
  assert.equal(points(scored(5, 5), { by: 'verdict', weight: 3 }), 3)
  assert.equal(points(scored(4.9, 5), { by: 'verdict', weight: 3 }), 0)
  assert.equal(points(scored(4.9), { by: 'verdict', weight: 3 }), 0)
})

test('never more nor fewer points than the bounds', () => {
  assert.equal(points(scored(1000), {}), 20)
  assert.equal(points(scored(-1000), {}), -5)
  assert.equal(points(scored(-3), { least: 0 }), 0)
  assert.equal(points(scored(5, 5), { by: 'verdict', weight: 30 }), 20)
})

test('symbols are in points as well, but for the verdict', () => {
  const counts = { ...DEFAULT_COUNTS, weight: 0.5 }
  assert.deepEqual(contributionOf(scored(8, 4), counts).symbols, [{ name: 'A', score: 2 }])
  assert.deepEqual(contributionOf(scored(8, 4), { ...counts, by: 'threshold' }).symbols, [{ name: 'A', score: 0.5 }])
  assert.deepEqual(contributionOf(scored(8, 4), { ...counts, by: 'verdict' }).symbols, [{ name: 'A', score: 4 }])
})

test('what an engine could take away at most: nothing where its score counts nothing, or only its verdict', () => {
  const cases: readonly Partial<CountSettings>[] = [{}, { least: -2 }, { least: 0 }, { weight: 0 }, { by: 'verdict' }, { by: 'threshold' }]
  assert.deepEqual(cases.map((counts) => mostTakenAway({ ...DEFAULT_COUNTS, ...counts })), [-5, -2, 0, 0, 0, -5])
})
