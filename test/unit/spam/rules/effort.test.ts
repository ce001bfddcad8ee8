/** What is asked first: headers before items, items before what is counted in the text. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Condition } from '../../../../src/spam/rules/condition.ts'
import { cheapestFirst, effortOf } from '../../../../src/spam/rules/effort.ts'

test('what is at hand comes before items, and these before what is counted in the text; what is equal keeps its order', () => {
  const header = (name: string): Condition => ({ kind: 'present', in: { kind: 'header', names: [name], form: 'text', which: 'each' } })
  const counted: Condition = { kind: 'compare', left: { kind: 'measure', name: 'words_per_image' }, operator: '<', right: { kind: 'number', value: 60 } }
  const links: Condition = { kind: 'some', of: { kind: 'link' }, where: { kind: 'flag', field: 'hidden', is: true } }
  const list: readonly Condition[] = [counted, links, header('list-id'), { kind: 'not', of: header('references') }]
  assert.deepEqual(cheapestFirst(list, effortOf), [list[2], list[3], list[1], list[0]])
  assert.equal(list[0], counted, 'the list itself stays as it is')
})

test('the language is asked for behind what is at hand', () => {
  const language: Condition = { kind: 'words', in: { kind: 'language' }, words: ['de'] }
  const subject: Condition = { kind: 'words', in: { kind: 'subject' }, words: ['x'] }
  assert.deepEqual(cheapestFirst([language, subject], effortOf), [subject, language])
})
