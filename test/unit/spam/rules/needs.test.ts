/** What must be there, so many of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Needs } from '../../../../src/spam/rules/needs.ts'

const A = 0
const B = 1
const C = 2
const SIGN = { least: 1, of: [] }

test('so many must be there; each counts as often as it is asked for', () => {
  const graph = [SIGN, SIGN, SIGN, { least: 2, of: [A, B, C] }, { least: 2, of: [A, A, B] }, { least: 3, of: [A, B, C] }, { least: 1, of: [5, C] }, { least: 4, of: [A, B, C] }]
  const needs = new Needs(graph)
  const there = (...signs: number[]): readonly number[] => {
    needs.begin()
    for (const sign of signs) needs.tell(sign)
    return graph.flatMap((_, need) => (needs.isThere(need) ? [need] : []))
  }
  assert.deepEqual(there(), [])
  assert.deepEqual(there(A), [A, 4])
  assert.deepEqual(there(B), [B])
  assert.deepEqual(there(A, B), [A, B, 3, 4])
  assert.deepEqual(there(C), [C, 6])
  assert.deepEqual(there(A, B, C), [A, B, C, 3, 4, 5, 6])
  assert.deepEqual(there(), [])
})

test('what many rest on is found out once', () => {
  // Each of these asks twice for the one before: without memory that would never end.
  const needs = new Needs([SIGN, ...Array.from({ length: 200 }, (_, before) => ({ least: 2, of: [before, before] }))])
  needs.begin()
  needs.tell(A)
  assert.equal(needs.isThere(200), true)
  needs.begin()
  assert.equal(needs.isThere(200), false)
})

test('who asks for very much is asked itself as soon as most of it may be there, never too late', () => {
  const many = 1000
  const needs = new Needs([...Array.from({ length: many }, () => SIGN), { least: many, of: Array.from({ length: many }, (_, sign) => sign) }])
  needs.begin()
  assert.equal(needs.isThere(many), false)
  for (let sign = 0; sign < many; sign++) needs.tell(sign)
  assert.equal(needs.isThere(many), true)
  needs.begin()
  assert.equal(needs.isThere(many), false)
})
