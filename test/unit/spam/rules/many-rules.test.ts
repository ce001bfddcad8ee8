/** Thousands of rules, as published sets have them: made step by step, and in little memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPattern } from '../../../../src/spam/patterns/read-pattern.ts'
import type { Condition } from '../../../../src/spam/rules/condition.ts'
import type { Rule } from '../../../../src/spam/rules/rule.ts'
import { RuleSet } from '../../../../src/spam/rules/rule-set.ts'
import { contentOfText, NO_FACTS } from '../../../support/rules.ts'

function made(rules: readonly Rule[], eachStep: () => void = () => undefined): RuleSet {
  const making = RuleSet.making(rules)
  for (;;) {
    const step = making.next()
    if (step.done === true) return step.value
    eachStep()
  }
}

function ofHeader(name: string, source: string): Condition {
  const reading = readPattern(source, 'd')
  assert.ok(reading.status === 'read')
  return { kind: 'matches', in: { kind: 'spamassassin', text: { of: 'header', name, raw: false, take: undefined, which: 'each', unset: '' } }, pattern: reading.pattern }
}

test('no step looks at many rules', () => {
  let looked = 0
  const most: number[] = []
  const rules = Array.from({ length: 2000 }, (_, number): Rule => {
    const when: Condition = { kind: 'present', in: { kind: 'header', names: [`x-${number}`], form: 'text', which: 'each' } }
    return { id: `R${number}`, score: 1, why: '', get when() {
      looked++
      return when
    } }
  })
  made(rules, () => {
    most.push(looked)
    looked = 0
  })
  assert.ok(Math.max(...most) <= 4, `${Math.max(...most)} at once`)
})

test('a field of its own for each rule takes no table of all of them', () => {
  const rules = Array.from({ length: 6000 }, (_, number): Rule => ({ id: `R${number}`, score: 1, why: '', when: ofHeader(`x-${number}`, `word${number}x`) }))
  const before = process.memoryUsage().arrayBuffers
  const set = made(rules)
  const taken = (process.memoryUsage().arrayBuffers - before) / 1e6
  // A table of all for each of them were 70 MB.
  assert.ok(taken < 20, `${taken.toFixed(1)} MB`)
  assert.deepEqual(set.evaluate(contentOfText('X-0: word0x\nX-17: word18x word17x\nX-5999: word5999x\n\nbody\n'), NO_FACTS).hits.map(({ id }) => id), ['R0', 'R17', 'R5999'])
})

test('patterns over one text hit, however many over others stand between them in their set', () => {
  const others = Array.from({ length: 3000 }, (_, number): Rule => ({ id: `R${number}`, score: 1, why: '', when: ofHeader('x-other', `word${number}x`) }))
  const set = made([{ id: 'FIRST', score: 1, why: '', when: ofHeader('x-one', 'prize') }, ...others, { id: 'LAST', score: 1, why: '', when: ofHeader('x-one', 'money') }])
  const hits = (text: string): readonly string[] => set.evaluate(contentOfText(`${text}\n\nbody\n`), NO_FACTS).hits.map(({ id }) => id)
  assert.deepEqual(hits('X-One: prize money word7x'), ['FIRST', 'LAST'])
  assert.deepEqual(hits('X-Other: prize money word0x word7x word2999x'), ['R0', 'R7', 'R2999'])
})

test('a word that thousands of patterns need, thousands of times: each pattern is known to hit, or it is told that not all could be tried', () => {
  const rules = Array.from({ length: 1500 }, (_, number): Rule => ({ id: `R${number}`, score: 1, why: '', when: ofHeader('x-one', `urgent\\s+n${number}z`) }))
  const set = made(rules)
  const message = (words: number) => contentOfText(`X-One:${' urgent'.repeat(words)} n7z urgent n1400z\n\nbody\n`)
  const hits = (words: number) => set.evaluate(message(words), NO_FACTS)
  assert.deepEqual([hits(100).hits.map(({ id }) => id), hits(100).incomplete], [['R7', 'R1400'], undefined])
  const before = process.memoryUsage().arrayBuffers
  const outcome = hits(4200)
  const taken = (process.memoryUsage().arrayBuffers - before) / 1e6
  assert.ok(outcome.incomplete !== undefined || outcome.hits.length === 2)
  assert.ok(outcome.hits.every(({ id }) => id === 'R7' || id === 'R1400'))
  // A note of each place for each pattern were 33 MB.
  assert.ok(taken < 10, `${taken.toFixed(1)} MB`)
})
