/** Runs that matches have in them: that none is asked for that a match may lack, and where they are found. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBudget } from '../../../../src/spam/patterns/budget.ts'
import { PatternSet } from '../../../../src/spam/patterns/pattern-set.ts'
import { readPattern, treeOf } from '../../../../src/spam/patterns/read-pattern.ts'
import type { Pattern } from '../../../../src/spam/patterns/pattern.ts'
import { requiredRun, runsIn } from '../../../../src/spam/patterns/required-run.ts'

function patternOf(source: string, flags = ''): Pattern {
  const reading = readPattern(source, flags)
  if (reading.status === 'refused') assert.fail(reading.problem)
  return reading.pattern
}

function runOf(source: string, flags = ''): { readonly characters: string; readonly least: number } | undefined {
  const run = requiredRun(treeOf(patternOf(source, flags)).root)
  if (run === undefined) return undefined
  const codes = Array.from(run.table.keys()).filter((code) => run.table[code] === 1 && code < 256)
  return { characters: String.fromCharCode(...codes), least: run.least }
}

function unitsOf(text: string): Uint16Array {
  return Uint16Array.from(text, (unit) => unit.charCodeAt(0))
}

test('what stands side by side is one run', () => {
  assert.deepEqual(runOf('\\d{3}-\\d{4}', 'a'), { characters: '-0123456789', least: 8 })
  assert.deepEqual(runOf('\\bx(?:\\d{4})+[$#]?\\d{5}\\b', 'a'), { characters: '#$0123456789x', least: 10 })
  assert.deepEqual(runOf('(?=.*y)(\\d{2}){3}(?!5)', 'a'), { characters: '0123456789', least: 6 })
})

test('of branches, one that each of them has', () => {
  assert.deepEqual(runOf('[a-f]{9}:|\\d{12}', 'a'), { characters: '0123456789:abcdef', least: 10 })
  assert.equal(runOf('[a-f]{9}|.'), undefined)
  assert.equal(runOf('(?:\\d{9})?'), undefined)
})

test('case that does not count is in it', () => {
  assert.deepEqual(runOf('q{3}', 'i'), { characters: 'Qq', least: 3 })
})

test('what refers to another part may be anything', () => {
  assert.deepEqual(runOf('(#)\\1{0,9}%%', 's'), { characters: '%', least: 2 })
})

test('a run has an end on both sides, and stretches that are too short are none', () => {
  const run = requiredRun(treeOf(patternOf('\\d{3}', 'a')).root)
  assert.ok(run !== undefined)
  const all: readonly (readonly [string, readonly number[]])[] = [['', []], ['12', []], ['123', [0, 3]], ['12a123', [3, 6]], ['1a23456b789', [2, 7, 8, 11]], ['a1b22c', []], ['1234', [0, 4]]]
  for (const [text, places] of all) assert.deepEqual(runsIn(run, unitsOf(text), [0, text.length]), places, text)
  assert.deepEqual(runsIn(run, unitsOf('1234567'), [2, 4]), [])
})

test('a pattern matches wherever it would without them, among all texts of a few characters', () => {
  const patterns = ['(?:[ab]-)?\\d{2}[. ]{1,2}\\d{2}\\b', '\\d{2,3}(?:-\\d{2})+', '(?:\\d{4}|--\\d\\d?-)', '(\\d)-\\1{2}\\d*1'].map((source) => patternOf(source, 'a'))
  const set = new PatternSet(patterns)
  const expressions = patterns.map(({ source }) => new RegExp(source))
  const characters = '1-. a'
  for (let number = 0; number < characters.length ** 6; number++) {
    let text = ''
    for (let rest = number, at = 0; at < 6; at++, rest = Math.floor(rest / characters.length)) text += characters.charAt(rest % characters.length)
    const texts = [`${text}${text}`, text]
    const scan = set.scan(texts, createBudget())
    for (const [index, expression] of expressions.entries()) {
      const expected = texts.map((one) => expression.exec(one)?.[0]).find((found) => found !== undefined)
      assert.equal(scan.excerpt(index), expected, `${expression.source} on ${JSON.stringify(text)}`)
    }
  }
})
