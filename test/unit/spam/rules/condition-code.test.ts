/** How conditions stand in the array that a message is asked by. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileRules } from '../../../../src/spam/rules/compile.ts'
import type { Condition, Quantity } from '../../../../src/spam/rules/condition.ts'
import { atOnce } from '../../../../src/spam/rules/in-slices.ts'
import { ALL, CodeWriter, FIRST, NEED, NEXT, NOT, PRESENT, RULE } from '../../../../src/spam/rules/condition-code.ts'

test('a condition stands before those that it is made of, and says where it ends', () => {
  const writer = new CodeWriter()
  const all = writer.begin(ALL)
  const rule = writer.single(RULE, 7)
  const not = writer.begin(NOT)
  const present = writer.single(PRESENT, 3)
  writer.end(not)
  writer.end(all)
  const other = writer.single(RULE, 8)
  const code = writer.written()
  assert.deepEqual([all, rule, not, present].map((at) => code[at]), [ALL, RULE, NOT, PRESENT])
  assert.equal(rule, all + FIRST)
  assert.equal(code[rule + NEXT], not)
  assert.equal(code[rule + FIRST], 7)
  assert.equal(present, not + FIRST)
  for (const at of [all, not, present]) assert.equal(code[at + NEXT], other)
  for (const at of [all, rule, not, present, other]) assert.equal(code[at + NEED], -1)
})

test('comparisons within comparisons are written once each: what SpamAssassin\'s metas may nest does not double at each level', () => {
  const one: Quantity = { kind: 'number', value: 1 }
  let when: Condition = { kind: 'present', in: { kind: 'subject' } }
  for (let depth = 0; depth < 60; depth++) when = { kind: 'compare', left: { kind: '+', left: { kind: 'truth', of: when }, right: one }, operator: '>', right: one }
  const { code, calls } = atOnce(compileRules([{ id: 'NESTED', score: 1, why: '', when }]))
  assert.equal(calls.length, 60)
  assert.ok(code.length < 60 * 10, `${code.length} numbers`)
})
