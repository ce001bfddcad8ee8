/** Marks of where a word begins and ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginsAtEdge, EDGE, endsAtEdge, joinedLiterals, lengthOf, unmarked } from '../../../../src/spam/patterns/edges.ts'

test('marks stay at the begin and end of what is put together, beside a character of a word', () => {
  for (const [one, other, both] of [
    ['', '', ''], ['', 'a', 'a'], ['a', '', 'a'], ['a', 'b', 'ab'],
    ['', EDGE, EDGE], [EDGE, '', EDGE], [EDGE, EDGE, EDGE],
    [EDGE, 'a', '\ba'], ['a', EDGE, 'a\b'], [EDGE, '\ba', '\ba'], ['a\b', EDGE, 'a\b'], ['', '\ba', '\ba'], ['a\b', '', 'a\b'],
    [EDGE, '"a', '"a'], ['a"', EDGE, 'a"'], [EDGE, 'é', 'é'],
    ['a\b', ' b', 'a b'], ['a ', '\bb', 'a b'], ['\ba\b', '\bb\b', '\bab\b'],
  ] as const) assert.equal(joinedLiterals(one, other), both, JSON.stringify([one, other]))
})

test('a literal without its marks', () => {
  assert.deepEqual(['', EDGE, 'a', '\ba', 'a\b', '\ba\b'].map(unmarked), ['', '', 'a', 'a', 'a', 'a'])
  assert.deepEqual(['', EDGE, 'ab', '\bab\b'].map(lengthOf), [0, 0, 2, 2])
  assert.deepEqual(['a', '\ba', 'a\b'].map(beginsAtEdge), [false, true, false])
  assert.deepEqual(['a', '\ba', 'a\b', EDGE].map(endsAtEdge), [false, false, true, false])
})
