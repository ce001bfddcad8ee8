/** A pattern that was cut short is not known, however often it is asked for: nothing follows from it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MatchBudget } from '../../../../src/spam/patterns/pattern.ts'
import { createBudget } from '../../../../src/spam/patterns/budget.ts'
import { contentOfText, load, NO_FACTS, told } from '../../../support/rules.ts'

// No literal, and references: it cannot remember where it failed, and ends at the limit of one try.
const SLOW = String.raw`'/([ab]*)*([ab]*)*\1\2[xy][xz]/'`
const rule = (id: string, when: string) => `  - { id: ${id}, score: 1, why: A rule of the test, hits: [{ subject: x }], misses: [{ subject: x }], when: ${when} }\n`

function hits(...conditions: readonly string[]): readonly string[] {
  const text = `rules:\n${conditions.map((when, number) => rule(`R${number}`, when)).join('')}`
  const { rules, problems } = load(text, { proof: { digest: load(text).proof.digest, failures: [] } })
  assert.deepEqual(told(problems), [])
  const budget = createBudget({ now: () => 0 })
  const outcome = rules.evaluate(contentOfText(`Subject: x\n\n${'ab'.repeat(1500)} xx zz\n`), NO_FACTS, budget)
  // The rest of what the message may spend is there.
  assert.equal(budget.left(), true)
  assert.equal(budget.exceeded > 0, true)
  return outcome.hits.map(({ id }) => id)
}

test('asked once', () => {
  assert.deepEqual(hits(`{ not: { text: ${SLOW} } }`), [])
})

test('asked by a second rule', () => {
  assert.deepEqual(hits(`{ text: ${SLOW} }`, `{ not: { text: ${SLOW} } }`), [])
})

test('counted, where another rule has asked for it', () => {
  assert.deepEqual(hits(`{ text: ${SLOW} }`, `{ text: ${SLOW}, count: { below: 3 } }`), [])
})

test('within one rule', () => {
  assert.deepEqual(hits(`{ any: [{ text: ${SLOW} }, { not: { text: ${SLOW} } }] }`), [])
})

test('of several that so many must match of; what is there already decides where it cannot be so many', () => {
  assert.deepEqual(hits(`{ text: ['/xx/', ${SLOW}], at_least: 2 }`, `{ not: { text: ['/xx/', ${SLOW}], at_least: 2 } }`), [])
  assert.deepEqual(hits(`{ text: ${SLOW} }`, `{ not: { text: ['/nowhere/', ${SLOW}], at_least: 2 } }`), ['R1'])
})

test('the outcome says so, be it one pattern or all that the message may spend', () => {
  const text = `rules:\n${rule('R0', `{ text: ${SLOW} }`)}`
  const { rules } = load(text, { proof: { digest: load(text).proof.digest, failures: [] } })
  const content = contentOfText(`Subject: x\n\n${'ab'.repeat(1500)} xx zz\n`)
  const incomplete = (budget: MatchBudget): string | undefined => rules.evaluate(content, NO_FACTS, budget).incomplete
  const budget = createBudget({ now: () => 0 })
  assert.deepEqual([incomplete(budget), budget.exceeded], ['1 patterns used up what each may spend', 1])
  assert.equal(incomplete(createBudget({ now: () => 0, steps: 1000 })), 'patterns used up what a message may spend on them')
  assert.equal(rules.evaluate(contentOfText('Subject: x\n\nshort\n'), NO_FACTS, createBudget({ now: () => 0 })).incomplete, undefined)
})
