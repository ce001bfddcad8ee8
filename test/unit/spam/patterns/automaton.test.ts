/** What an automaton says, how it forgets, and when it gives up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Automaton } from '../../../../src/spam/patterns/automaton.ts'
import { readPattern, treeOf } from '../../../../src/spam/patterns/read-pattern.ts'
import { statesOf } from '../../../../src/spam/patterns/states.ts'

function automaton(source: string, flags = ''): Automaton | undefined {
  const reading = readPattern(source, flags)
  if (reading.status === 'refused') assert.fail(reading.problem)
  const states = statesOf(treeOf(reading.pattern))
  return states === undefined ? undefined : new Automaton(states, source.startsWith('^'))
}

function says(source: string, text: string, from = 0): boolean | undefined {
  const units = Uint16Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
  return automaton(source)?.test({ units, start: 0, end: units.length }, from, 100_000)
}

test('edges, ends and newlines', () => {
  assert.equal(says('\\bfoo\\b', 'a foo b'), true)
  assert.equal(says('\\bfoo\\b', 'afoo b'), false)
  assert.equal(says('\\bfoo', 'afoo', 1), false)
  assert.equal(says('a$', 'a\n'), true)
  assert.equal(says('a\\z', 'a\n'), false)
  assert.equal(says('^b', 'ab', 1), false)
  assert.equal(says('(?m)x|^b', 'a\nb', 2), true)
  assert.equal(says('(?<!a)b', 'ab'), false)
  assert.equal(says('a(?![b-d])', 'ab'), false)
  assert.equal(says('^$', ''), true)
  assert.equal(says('😀.é', 'x😀😀é'), true)
})

test('characters of more pages than are remembered, and of one page more than one kind', () => {
  const all = Array.from({ length: 0x600 }, (_, page) => [0x40, 0x90, 0xe0].map((at) => (page << 8) | at)).flat().filter((code) => code > 0xff && (code < 0xd800 || code > 0xdfff))
  const text = String.fromCodePoint(...all, ...all)
  for (const [source, holds] of [['\\x{4e90}\\x{4ee0}\\x{4f40}', true], ['\\x{4e90}\\x{4f40}', false], ['[\\x{4e80}-\\x{4e9f}][\\x{4ed0}-\\x{4eff}]', true], ['\\p{Han}[\\x{4e90}]', true], ['\\p{Han}{2}[\\x{4e90}]', false], ['\\x{1f690}[^\\x{1f6e0}]', false], ['\\x{5ffe0}\\x{140}', true]] as const) assert.equal(says(source, text), holds, source)
})

test('for some patterns there is none', () => {
  for (const source of ['(a)\\1', '(?=ab)a', '(?<=ab)c', '(?>a|ab)c', 'a*+[ab]', '(?:abc){400}', 'a.{0,500}b']) assert.equal(automaton(source), undefined, source)
  for (const source of ['a++b', '\\d*+\\.', '(?!)', '(?=a)', '(?:ab){20,50}']) assert.notEqual(automaton(source), undefined, source)
})

test('it gives up when building takes too much, and begins anew when it knows too much', () => {
  const units = Uint16Array.from({ length: 60_000 }, (_, at) => (Math.imul(at, 0x9e3779b1) >>> 28 === 0 ? 0x62 : 0x61))
  const stretch = { units, start: 0, end: units.length }
  const hungry = automaton('b.{150}[cd]')
  assert.ok(hungry !== undefined)
  assert.equal(hungry.test(stretch, 0, 1000), undefined)
  // It has seen far more sets than it keeps, and still knows.
  assert.equal(hungry.test(stretch, 0, Infinity), false)
  units[59_990] = 0x63
  assert.equal(hungry.test(stretch, 0, Infinity), units[59_990 - 151] === 0x62)
})
