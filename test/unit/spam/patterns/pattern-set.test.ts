/** Sets of patterns over texts: what matches, how often and where; that nothing hangs and everything is counted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBudget } from '../../../../src/spam/patterns/budget.ts'
import { chunksOf } from '../../../../src/spam/patterns/chunks.ts'
import type { MatchBudget, Pattern } from '../../../../src/spam/patterns/pattern.ts'
import { PatternSet } from '../../../../src/spam/patterns/pattern-set.ts'
import { readPattern } from '../../../../src/spam/patterns/read-pattern.ts'

function read(source: string, flags = ''): Pattern {
  const reading = readPattern(source, flags)
  if (reading.status === 'refused') assert.fail(reading.problem)
  return reading.pattern
}

/** Counts the steps that are taken. */
class Meter implements MatchBudget {
  readonly #budget = createBudget({ now: () => 0 })
  steps = 0
  left(): boolean { return this.#budget.left() }
  allowance(units: number): number { return this.#budget.allowance(units) }
  spend(steps: number): void {
    this.steps += steps
    this.#budget.spend(steps)
  }

  overrun(): void { this.#budget.overrun() }
  get exceeded(): number { return this.#budget.exceeded }
}

test('patterns of a set match, count and show what they found', () => {
  const set = new PatternSet([read('viagra', 'i'), read('\\d+'), read('free (?:money|offer)', 'i'), read('(\\w)\\1'), read('nowhere'), read('a*')])
  assert.equal(set.size, 6)
  const scan = set.scan(['Buy VIAGRA 10 or Viagra 200', 'a free offer'], createBudget())
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((index) => scan.matches(index)), [true, true, true, true, false, true])
  assert.deepEqual([0, 1, 2, 3, 4].map((index) => scan.count(index, 10)), [2, 2, 1, 3, 0])
  assert.equal(scan.count(1, 1), 1)
  assert.equal(scan.count(1, 0), 0)
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((index) => scan.excerpt(index)), ['VIAGRA', '10', 'free offer', '00', undefined, ''])
})

test('a match lies within one text', () => {
  const scan = new PatternSet([read('offer'), read('^b'), read('a$'), read('\\bb')]).scan(['xoff', 'er', 'a', 'bc'], createBudget())
  assert.deepEqual([0, 1, 2, 3].map((index) => scan.matches(index)), [false, true, true, true])
})

test('an excerpt has at most 80 characters', () => {
  const scan = new PatternSet([read('x.*')]).scan([`ab${'x'.repeat(500)}`], createBudget())
  assert.equal(scan.excerpt(0), 'x'.repeat(80))
})

test('texts of any script, pairs of surrogates, and lone ones', () => {
  const set = new PatternSet([read('привет', 'i'), read('^.$'), read('😀{2}'), read('\\x{fffd}')])
  assert.equal(set.scan(['ПРИВЕТ'], createBudget()).matches(0), true)
  assert.equal(set.scan(['😀'], createBudget()).matches(1), true)
  assert.equal(set.scan(['a😀😀'], createBudget()).matches(2), true)
  assert.equal(set.scan(['a\ud800b'], createBudget()).matches(3), true)
})

test('signs that no text of Latin letters has, in long texts and short ones', () => {
  const set = new PatternSet([read('[\\x{1d400}-\\x{1d7ff}\\x{24b6}-\\x{24e9}]{3}'), read('[\\x{1d400}~]{2}')])
  const long = 'many words '.repeat(50)
  const matched = (...texts: readonly string[]): (boolean | undefined)[] => [0, 1].map((pattern) => set.scan(texts, createBudget()).matches(pattern))
  assert.deepEqual(matched(long, long), [false, false])
  assert.deepEqual(matched(long, `${long}~~`), [false, true])
  assert.deepEqual(matched(long, 'f\xfcr', `\u{1d400}\u24b6\u24b7 ${long}`), [true, false])
  assert.deepEqual(matched('\u{1d400}\u{1d400}'), [false, true])
  const each = set.scanEach([long, `${long} \u24b6\u24b7\u24b8`, `\u24b6 ${long}`], createBudget())
  assert.deepEqual(each.map((scan) => scan.matches(0)), [false, true, false])
})

test('a sign that must stand at the begin of a text, in long texts and short ones', () => {
  const set = new PatternSet([read('^>'), read('^[a-z ]{3,90}~')])
  const matched = (...texts: readonly string[]): (boolean | undefined)[] => [0, 1].map((pattern) => set.scan(texts, createBudget()).matches(pattern))
  const long = 'many words '.repeat(50)
  for (const text of [long, 'many']) {
    const many = new Array<string>(60).fill(text)
    assert.deepEqual(matched(...many), [false, false])
    assert.deepEqual(matched(...many, `${text}>`), [false, false])
    assert.deepEqual(matched(...many, `>${text}`, ...many), [true, false])
    assert.deepEqual(matched('many words~', ...many), [false, true])
  }
})

test('text that is bytes: only A to Z has case, only ASCII has words', () => {
  const set = new PatternSet([read('caf\\xc3\\xa9', 'id'), read('\\xe9', 'id'), read('\\w{4}', 'd'), read('[\\x80-\\xff]{2}', 'd')])
  const scan = set.scan([Buffer.from('CAF\u00e9').toString('latin1')], createBudget())
  assert.deepEqual([0, 1, 2, 3].map((index) => scan.matches(index)), [true, false, false, true])
})

test('no text, no pattern', () => {
  assert.equal(new PatternSet([read('a'), read('^$')]).scan([], createBudget()).matches(1), false)
  assert.equal(new PatternSet([read('^$')]).scan([''], createBudget()).matches(0), true)
  assert.throws(() => new PatternSet([]).scan(['a'], createBudget()).matches(0), /no pattern 0/)
})

const MEGABYTE = 1_000_000
const CATASTROPHES: readonly (readonly [source: string, text: string])[] = [
  ['(a+)+[bc]', 'a'.repeat(MEGABYTE)], ['(a|a)*[bc]', 'a'.repeat(MEGABYTE)], ['(.*)*[xy]', 'a '.repeat(MEGABYTE / 2)], ['((a*)*)*[bc]', 'a'.repeat(MEGABYTE)], ['.*.*.*[xy]', 'a'.repeat(MEGABYTE)], ['\\s+$', `${' '.repeat(4095)}x`.repeat(244)],
  ['(\\w+\\s?)+[:;]', 'word word '.repeat(MEGABYTE / 10)], ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'.repeat(MEGABYTE)], ['(x+x+)+[yz]', 'x'.repeat(MEGABYTE)], ['(?:(?:a{0,9}){0,9}){0,3}[bc]', 'a'.repeat(MEGABYTE)],
]
/** Counted so far that an automaton would be too large. */
const LARGE_COUNTS: readonly (readonly [source: string, text: string])[] = [
  ['[^<]{0,500}[^>]{0,500}[#;]', 'a'.repeat(MEGABYTE)], ['a.{0,1000}b.{0,1000}[cd]', `${'a'.repeat(2000)}${'b'.repeat(2000)}`.repeat(250)], ['(?:(?:a{0,12}){0,12}){0,12}[bc]', 'a'.repeat(MEGABYTE)],
]

test('patterns and texts that make others hang cost a few steps a character', () => {
  for (const [source, text] of CATASTROPHES) {
    // With a character at the end that must be there, so that nothing is left out beforehand.
    const whole = `${text}\nb c x y z : ; #`
    for (const texts of [chunksOf(whole), [whole]]) {
      const meter = new Meter()
      const pattern = read(source)
      assert.equal(pattern.linear, true)
      new PatternSet([{ source, flags: '', needs: undefined, linear: true }]).scan(texts, meter).matches(0)
      assert.equal(meter.exceeded, 0, source)
      assert.ok(meter.steps < 8 * MEGABYTE, `${source}: ${meter.steps} steps for ${texts.length} texts`)
    }
  }
})

test('where they are counted and shown too, and where counts are large, steps end at a bound', () => {
  for (const [source, text] of [...CATASTROPHES, ...LARGE_COUNTS]) {
    const meter = new Meter()
    const scan = new PatternSet([{ source, flags: '', needs: undefined, linear: true }]).scan(chunksOf(text), meter)
    scan.count(0, 1_000_000)
    scan.excerpt(0)
    assert.ok(meter.steps < 50 * MEGABYTE, `${source}: ${meter.steps}`)
  }
})

test('what refers, or looks far, ends at the limit, is not known and is counted', () => {
  for (const source of ['([a-z]+)*\\1[yz]', '(?=(a+)+[bc])a', '(?>(a|a)*)[bc]', '(?<=(?:a|aa|aaa){50})[bc]']) {
    const meter = new Meter()
    const scan = new PatternSet([{ source, flags: '', needs: undefined, linear: false }]).scan([`${'a'.repeat(4000)} y b`, 'no'], meter)
    assert.equal(scan.matches(0), undefined)
    assert.ok(meter.steps < 3 * MEGABYTE, `${source}: ${meter.steps}`)
  }
  const meter = new Meter()
  assert.equal(new PatternSet([read('([a-z]+)*\\1[yz]')]).scan([`${'a'.repeat(4000)} y b`], meter).matches(0), undefined)
  assert.equal(meter.exceeded, 1)
})

test('a text that cannot be looked at to its end does not keep the next ones from being looked at', () => {
  const budget = createBudget()
  const scan = new PatternSet([read('([a-z]+)*\\1[yz]')]).scan([`${'a'.repeat(4000)}b y`, 'aay'], budget)
  assert.equal(scan.matches(0), true)
  assert.equal(scan.excerpt(0), 'aay')
  assert.ok(budget.exceeded > 0)
})

test('of a budget that is used up nothing more is known, and it says so', () => {
  const budget = createBudget({ steps: 300 })
  const scan = new PatternSet([read('free'), read('\\d$')]).scan(['free '.repeat(400) + '1'], budget)
  assert.equal(budget.left(), false)
  assert.equal(scan.matches(0), undefined)
  assert.equal(scan.matches(1), undefined)
  assert.equal(budget.exceeded, 2)
})

test('a clock that has run out ends the matching', () => {
  let now = 0
  const budget = createBudget({ now: () => (now += 600), ms: 1000 })
  const set = new PatternSet([read('(\\w+) \\1x')])
  const text = `${'some words '.repeat(40_000)}x`
  for (let scans = 0; scans < 4; scans++) set.scan([text], budget).matches(0)
  assert.equal(budget.left(), false)
  assert.ok(budget.exceeded > 0)
})

test('many places of one literal: the pattern is found behind all of them', () => {
  const text = `${'offer '.repeat(6000)}offer!`
  const scan = new PatternSet([read('offer!'), read('offer[?!]'), read('offer')]).scan([text, 'x', 'offer!'], createBudget())
  assert.deepEqual([0, 1, 2].map((index) => scan.count(index, 10_000)), [2, 2, 6002])
})

test('five thousand patterns are a set in which each is found', () => {
  const patterns = Array.from({ length: 5000 }, (_, number) => read(`word${number.toString(36)}x`, 'i'))
  const set = new PatternSet(patterns)
  const scan = set.scan(['nothing of it', 'a WORD3UUX here'], createBudget())
  const found = patterns.flatMap((_, index) => (scan.matches(index) ? [index] : []))
  assert.deepEqual(found, [Number.parseInt('3uu', 36)])
})
