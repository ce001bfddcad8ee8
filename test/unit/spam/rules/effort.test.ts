/** What is asked first: headers before items, items before what is counted in the text. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Condition } from '../../../../src/spam/rules/condition.ts'
import type { Pattern } from '../../../../src/spam/patterns/pattern.ts'
import { readPattern } from '../../../../src/spam/patterns/read-pattern.ts'
import type { Rule } from '../../../../src/spam/rules/rule.ts'
import { cheapestFirst, Efforts } from '../../../../src/spam/rules/effort.ts'

const patternOf = (source: string): Pattern => {
  const reading = readPattern(source, '')
  assert.ok(reading.status === 'read')
  return reading.pattern
}

const effortIn = (rules: readonly Rule[]) => {
  const efforts = new Efforts(rules)
  return (condition: Condition): number => efforts.of(condition)
}

test('what is at hand comes before items, and these before what is counted in the text; what is equal keeps its order', () => {
  const header = (name: string): Condition => ({ kind: 'present', in: { kind: 'header', names: [name], form: 'text', which: 'each' } })
  const counted: Condition = { kind: 'compare', left: { kind: 'measure', name: 'words_per_image' }, operator: '<', right: { kind: 'number', value: 60 } }
  const links: Condition = { kind: 'some', of: { kind: 'link' }, where: { kind: 'flag', field: 'hidden', is: true } }
  const list: readonly Condition[] = [counted, links, header('list-id'), { kind: 'not', of: header('references') }]
  assert.deepEqual(cheapestFirst(list, effortIn([])), [list[2], list[3], list[1], list[0]])
  assert.equal(list[0], counted, 'the list itself stays as it is')
})

test('the language is asked for behind what is at hand', () => {
  const language: Condition = { kind: 'words', in: { kind: 'language' }, words: ['de'] }
  const subject: Condition = { kind: 'words', in: { kind: 'subject' }, words: ['x'] }
  assert.deepEqual(cheapestFirst([language, subject], effortIn([])), [subject, language])
})

test('a rule that looks for something everywhere in the text is asked late, unless many rest on it', () => {
  const everywhere: Condition = { kind: 'matches', in: { kind: 'text' }, pattern: patternOf('\\d{3} \\d{4}') }
  const word: Condition = { kind: 'matches', in: { kind: 'text' }, pattern: patternOf('prize') }
  const refers = (id: string): Condition => ({ kind: 'rule', id })
  const rule = (id: string, when: Condition): Rule => ({ id, score: 1, why: '', when })
  const rules = [rule('DEAR', everywhere), rule('THROUGH', refers('DEAR')), rule('CHEAP', word), rule('USED', everywhere), ...Array.from({ length: 8 }, (_, n) => rule(`R${n}`, refers('USED')))]
  const list = [refers('THROUGH'), word, refers('CHEAP'), refers('USED')]
  assert.deepEqual(cheapestFirst(list, effortIn(rules)), [list[2], list[3], list[1], list[0]])
})
