import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultScore, readScores, scoreSetOf } from '../../../../src/spam/spamassassin/scores.ts'

test('one score is for all sets, of four that counts which fits', () => {
  assert.equal(readScores('1.5', 3, 1), 1.5)
  assert.equal(readScores('-.5', 0, 1), -0.5)
  assert.deepEqual([0, 1, 2, 3].map((set) => readScores('1 2 3 4', set, 1)), [1, 2, 3, 4])
  assert.deepEqual([scoreSetOf({ bayes: false, network: false }), scoreSetOf({ bayes: false, network: true }), scoreSetOf({ bayes: true, network: false }), scoreSetOf({ bayes: true, network: true })], [0, 1, 2, 3])
})

test('in parentheses they are added', () => {
  assert.equal(readScores('(3)', 3, 2), 5)
  assert.deepEqual([0, 1].map((set) => readScores('(3) (0) (3) (0)', set, 1.5)), [4.5, 1.5])
  assert.match(String(readScores('(3)', 3, undefined)), /none before it/)
  assert.equal(readScores('3', 3, undefined), 3)
})

test('scores have bounds, and defaults', () => {
  assert.equal(readScores('99999', 3, 1), 1000)
  assert.equal(readScores('-99999', 3, 1), -1000)
  assert.equal(defaultScore('RULE'), 1)
  assert.equal(defaultScore('T_RULE'), 0.01)
  assert.deepEqual([defaultScore('RULE', ['net', 'nice']), defaultScore('T_RULE', ['nice']), defaultScore('RULE', ['net'])], [-1, -0.01, 1])
  for (const text of ['x', '1 2', '1 2 3', '1 2 3 4 5', '1,5', '', '1e3']) assert.match(String(readScores(text, 3, 1)), /cannot be read/, text)
})
