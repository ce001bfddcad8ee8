/** The margin of a message by the linear model: what it knows counts, and nothing else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { marginOf, packWeights, type LinearModel } from '../../../../src/spam/bayes/linear-model.ts'
import { PAIR_BIT, type TokenSet } from '../../../../src/spam/bayes/token-set.ts'

const SPAM = 0x1234_5678
const HAM = 0x8765_4321
const MODEL: LinearModel = { ...packWeights({ tokens: Uint32Array.of(SPAM, HAM), importance: Float32Array.of(2, 2), weights: Float64Array.of(3, -3) }), bias: 0.25, wantedLimit: undefined }

function tokens(low: readonly number[], bit = 0): TokenSet {
  return { count: low.length, low: Uint32Array.from(low), high: new Uint32Array(low.length).fill(bit | 1), names: undefined }
}

test('what the model knows nothing of has no margin, not even the bias', () => {
  assert.equal(marginOf(tokens([]), MODEL), 0)
  assert.equal(marginOf(tokens([7, 8, 9]), MODEL), 0)
  // Pairs have no part, though their lower half may be that of a word.
  assert.equal(marginOf(tokens([SPAM], PAIR_BIT), MODEL), 0)
})

test('words speak for either side, and what is not known takes nothing away', () => {
  const [spam, ham, both] = [[SPAM], [HAM], [SPAM, HAM]].map((low) => marginOf(tokens(low), MODEL))
  // Weight over importance, and the bias.
  for (const [margin = NaN, expected] of [[spam, 1.75], [ham, -1.25], [both, 0.25]] as const) assert.ok(Math.abs(margin - expected) < 0.05, `${margin} ${expected}`)
  assert.equal(marginOf(tokens([7, SPAM, 8]), MODEL), spam)
})
