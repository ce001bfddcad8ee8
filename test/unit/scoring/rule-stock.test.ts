/** Rules taken out of a stock can be made ready by themselves: each is there once, and what they ask for is there too. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packRules, rulesIn, unpackRules } from '../../../src/scoring/packed-rules.ts'
import { RuleStock } from '../../../src/scoring/rule-stock.ts'
import { spamRules } from '../../support/spamassassin.ts'

test('what is asked for and not taken is there as a stub, what is taken is there once', async () => {
  const rules = spamRules('body ONE /word/\nbody TWO /other/\nmeta BOTH ONE && TWO').rules.map(({ rule }) => rule)
  const stock = new RuleStock(packRules({ rules, problems: [], notes: [] }))
  const numberOf = (id: string): number => stock.ids.indexOf(id)
  for (const ids of [['BOTH'], ['ONE', 'BOTH'], ['BOTH', 'TWO', 'ONE']]) {
    const some = stock.packed(ids.map(numberOf))
    assert.deepEqual(some.pieces.flatMap((piece) => rulesIn(piece)).map(({ id }) => id).sort(), ['BOTH', 'ONE', 'TWO'])
    assert.equal((await unpackRules(some)).rules.length, 3)
  }
})
