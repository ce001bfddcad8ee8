/** What an automaton says, how it forgets, and when it gives up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Automaton } from '../../../../src/spam/patterns/automaton.ts'
import { HeldSets } from '../../../../src/spam/patterns/held-sets.ts'
import { readPattern, treeOf } from '../../../../src/spam/patterns/read-pattern.ts'
import { statesOf } from '../../../../src/spam/patterns/states.ts'

function automaton(source: string, flags = '', held?: HeldSets): Automaton | undefined {
  const reading = readPattern(source, flags)
  if (reading.status === 'refused') assert.fail(reading.problem)
  const states = statesOf(treeOf(reading.pattern))
  return states === undefined ? undefined : new Automaton(states, source.startsWith('^'), held)
}

function says(source: string, text: string, from = 0): boolean | undefined {
  const units = Uint16Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
  return automaton(source)?.test({ units, start: 0, end: units.length }, [from, Infinity], 100_000)
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
  assert.equal(hungry.test(stretch, [0, Infinity], 1000), undefined)
  // It has seen far more sets than it keeps, and still knows.
  assert.equal(hungry.test(stretch, [0, Infinity], Infinity), false)
  units[59_990] = 0x63
  assert.equal(hungry.test(stretch, [0, Infinity], Infinity), units[59_990 - 151] === 0x62)
})

test('many texts that make it build have what it earns by looking at texts, and no more', () => {
  const hungry = automaton('b.{150}[cd]')
  assert.ok(hungry !== undefined)
  let [built, looked, known] = [0, 0, 0]
  const ask = (seed: number): void => {
    const units = Uint16Array.from({ length: 400 }, (_, at) => (Math.imul(at * 2 + seed, 0x9e3779b1) >>> 30 === 0 ? 0x62 : 0x61))
    const answer = hungry.test({ units, start: 0, end: units.length }, [0, Infinity], Math.min(10_000, hungry.credit))
    built += hungry.steps
    looked += units.length
    if (answer !== undefined) known++
  }
  for (let seed = 1; seed < 2000; seed++) ask(seed * 7919)
  assert.ok(built <= 100_000 + looked / 2, `${built} steps for ${looked} characters`)
  assert.ok(known < 20)
  // What comes again is known in the end, though it has little credit.
  for (let times = 0; times < 2000; times++) ask(1)
  assert.ok(known > 1000, `${known}`)
})

test('credit that is used up comes back by looking at texts, a step for eight characters, and never above what there was at first', () => {
  const hungry = automaton('b.{150}[cd]')
  assert.ok(hungry !== undefined)
  const most = hungry.credit
  const known = new Uint16Array(80_000).fill(0x61)
  const mixed = Uint16Array.from({ length: 4000 }, (_, at) => (Math.imul(at * at, 0x9e3779b1) >>> 30 === 0 ? 0x62 : 0x61))
  while (hungry.credit > 0) hungry.test({ units: mixed, start: 0, end: mixed.length }, [0, Infinity], hungry.credit)
  const look = (): number => {
    const before = hungry.credit
    assert.equal(hungry.test({ units: known, start: 0, end: known.length }, [0, Infinity], Infinity), false)
    return hungry.credit - before
  }
  look()
  assert.equal(look(), 10_000)
  for (let times = 0; times < 5; times++) look()
  assert.equal(hungry.credit, most)
})

test('whoever grows says so: with too much in all, one that has not grown lately forgets', () => {
  const held = new HeldSets(70_000)
  const [one, other] = [automaton('b.{150}[cd]', '', held), automaton('b.{150}[de]', '', held)]
  assert.ok(one !== undefined && other !== undefined)
  const units = Uint16Array.from({ length: 400 }, (_, at) => (Math.imul(at * at, 0x9e3779b1) >>> 30 === 0 ? 0x62 : 0x61))
  const ask = (automaton: Automaton): boolean | undefined => automaton.test({ units, start: 0, end: units.length }, [0, Infinity], Infinity)
  const empty = one.held
  assert.equal(ask(one), false)
  assert.ok(one.held > 30_000 && one.held < 70_000, `${one.held}`)
  assert.equal(ask(other), false)
  assert.ok(one.held <= empty, `${one.held} are held, ${empty} at the begin`)
  assert.ok(other.held > 30_000, `${other.held}`)
  assert.equal(ask(one), false)
})

test('up to a place: what ends before it is found, and nothing is taken for the end of the text', () => {
  const units = Uint16Array.from('ab cd ab', (character) => character.charCodeAt(0))
  const ends = (source: string, behind: number): boolean | undefined => automaton(source)?.test({ units, start: 0, end: units.length }, [0, behind], 100_000)
  assert.deepEqual([ends('cd', 4), ends('cd', 6), ends('cd', Infinity)], [false, true, true])
  assert.deepEqual([ends('cd$', 5), ends('cd\\b', 6), ends('ab$', 7), ends('ab$', 8), ends('ab$', 9)], [false, true, false, true, true])
})

/** Of each page of Unicode one character, `times` over. */
function allPages(times: number): { readonly units: Uint16Array, readonly count: number } {
  const pages = Array.from({ length: 0x1100 }, (_, page) => page).filter((page) => page > 0 && (page < 0xd8 || page > 0xdf))
  const text = pages.map((page) => String.fromCodePoint((page << 8) | 0x41)).join('').repeat(times)
  return { units: Uint16Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)), count: pages.length }
}

test('what a page of characters takes is counted, and it is made once', () => {
  const { units, count } = allPages(4)
  const stretch = { units, start: 0, end: units.length }
  const mixed = automaton('[a-z][аеорсхуіѕјԁοανερτ][a-z]', 'i')
  assert.ok(mixed !== undefined)
  assert.equal(mixed.test(stretch, [0, Infinity], 10_000), undefined)
  assert.ok(mixed.steps < 10_000 + units.length, `${mixed.steps} steps`)
  assert.equal(mixed.test(stretch, [0, Infinity], Infinity), false)
  const first = mixed.steps
  assert.ok(first > 4 * count, `${first} steps for ${count} pages`)
  assert.equal(mixed.test(stretch, [0, Infinity], Infinity), false)
  assert.ok(mixed.steps <= units.length, `${mixed.steps} steps when all pages are known, ${first} before`)
})

test('a pattern that tells all characters up to U+00FF apart', () => {
  const hex = (code: number) => `\\x${code.toString(16).padStart(2, '0')}`
  const pairs = automaton(Array.from({ length: 256 }, (_, code) => hex(code) + hex((code + 1) & 0xff)).join('|'), 'd')
  assert.ok(pairs !== undefined)
  const missed: number[] = []
  for (let code = 0; code < 256; code++) {
    const found = (...units: number[]) => pairs.test({ units: Uint16Array.from(units), start: 0, end: units.length }, [0, Infinity], 100_000)
    if (found(code, code, (code + 1) & 0xff) !== true || found(code, code, code) !== false) missed.push(code)
  }
  assert.deepEqual(missed, [])
})

test('sets of very many states are forgotten sooner', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const units = Uint16Array.from({ length: 1500 }, (_, at) => (Math.imul(at, 0x9e3779b1) >>> 31 === 0 ? 0x62 : 0x61))
  const all = Array.from({ length: 5 }, () => automaton('b.{900}[cd]'))
  collect()
  const before = process.memoryUsage().arrayBuffers
  for (const large of all) assert.equal(large?.test({ units, start: 0, end: units.length }, [0, Infinity], Infinity), false)
  await setTimeout(0)
  collect()
  const kept = process.memoryUsage().arrayBuffers - before
  assert.ok(kept < 400_000 * all.length, `${kept} bytes are kept by ${all.length}`)
})
