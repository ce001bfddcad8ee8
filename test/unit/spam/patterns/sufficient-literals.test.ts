/** Which of the literals that a pattern needs are looked for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EDGE } from '../../../../src/spam/patterns/edges.ts'
import { sufficientLiterals } from '../../../../src/spam/patterns/sufficient-literals.ts'

/** `|` is the mark of an edge. */
function sufficient(...literals: readonly string[]): readonly string[] {
  return sufficientLiterals(literals.map((literal) => literal.replaceAll('|', EDGE))).map((literal) => literal.replaceAll(EDGE, '|')).sort()
}

test('what begins with another one is not looked for', () => {
  assert.deepEqual(sufficient('.html', '.htm', '.html?', '.php'), ['.htm', '.php'])
  assert.deepEqual(sufficient('one', 'one two', 'on', 'other'), ['on', 'other'])
  assert.deepEqual(sufficient('none', 'one'), ['none', 'one'])
  assert.deepEqual(sufficient('one'), ['one'])
})

test('one that must begin a word does not stand for one that need not', () => {
  assert.deepEqual(sufficient('|site', 'sites'), ['sites', '|site'])
  assert.deepEqual(sufficient('|site', '|sites'), ['|site'])
  assert.deepEqual(sufficient('site', '|sites', '|site'), ['site'])
})

test('one that must end a word stands for what goes on behind the word alone', () => {
  assert.deepEqual(sufficient('site|', 'sites'), ['sites', 'site|'])
  assert.deepEqual(sufficient('site|', 'site of'), ['site|'])
  assert.deepEqual(sufficient('site|', 'site', 'site.'), ['site'])
  assert.deepEqual(sufficient('|site|', 'site|', '|site'), ['site|', '|site'])
})

test('what lies between two that belong together changes nothing', () => {
  assert.deepEqual(sufficient('a', 'ab|', 'abc', 'b', 'bc'), ['a', 'b'])
  assert.deepEqual(sufficient('site|', 'sit|', 'site one', 'sit one', 'sites', 'sitting'), ['sites', 'site|', 'sitting', 'sit|'])
})
