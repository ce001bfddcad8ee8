/** Where a search goes on behind a match. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBudget } from '../../../../src/spam/patterns/budget.ts'
import { engineOf } from '../../../../src/spam/patterns/engine.ts'
import { everywhere } from '../../../../src/spam/patterns/needed-literals.ts'
import { PreparedText } from '../../../../src/spam/patterns/prepared-text.ts'
import { PatternSet } from '../../../../src/spam/patterns/pattern-set.ts'
import { readPattern } from '../../../../src/spam/patterns/read-pattern.ts'
import { decide, Search } from '../../../../src/spam/patterns/search.ts'

function matches(source: string, text: string): readonly (readonly [number, number])[] {
  const reading = readPattern(source, '')
  if (reading.status === 'refused') assert.fail(reading.problem)
  const prepared = new PreparedText([text])
  const [begin = 0] = prepared.starts
  const search = new Search({ engine: engineOf(reading.pattern), text: prepared, budget: createBudget(), windows: everywhere(prepared, { first: 0, behind: 1 }) })
  const found: [number, number][] = []
  for (let match = search.next(); match !== undefined; match = search.next()) found.push([match.start - begin, match.end - begin])
  return found
}

test('behind an empty match it goes on at the next character, not within a pair of surrogates', () => {
  assert.deepEqual(matches('.*?(?<=ab)', 'ab-ab'), [[0, 2], [2, 2], [3, 5], [5, 5]])
  assert.deepEqual(matches('.*?(?<=ab)', 'ab😁ab'), [[0, 2], [2, 2], [4, 6], [6, 6]])
  assert.deepEqual(matches('x*', '😁x😁'), [[0, 0], [2, 3], [3, 3], [5, 5]])
})

test('what matches at the begin of a text alone is not tried wherever one of its literals stands', () => {
  const reading = readPattern('^#[a-z]{2,9}#$', '')
  if (reading.status === 'refused') assert.fail(reading.problem)
  const budget = createBudget()
  let tries = 0
  const counted = { left: () => budget.left(), get exceeded() { return budget.exceeded }, allowance: (units: number) => budget.allowance(units), spend: (steps: number) => { tries++; budget.spend(steps) }, overrun: () => budget.overrun() }
  const set = new PatternSet([reading.pattern])
  assert.equal(set.scan(['#a '.repeat(1000)], counted).matches(0), false)
  assert.ok(tries < 10, `${tries}`)
  assert.equal(set.scan(['#a '.repeat(1000), '#abc#', ' #abc#'], counted).matches(0), true)
  assert.equal(set.scan(['#a '.repeat(1000), ' #abc#'], counted).matches(0), false)
})

test('what an automaton may build does not bound what it may read: in a long text with thousands of windows the last match is found', () => {
  const reading = readPattern('viagra (?:\\w{1,5} ?){1,8}!', '')
  if (reading.status === 'refused') assert.fail(reading.problem)
  const windowed = `viagra ${'abcdefgh '.repeat(8)}${'.'.repeat(60)} `.repeat(3000)
  for (const [hit, found] of [['viagra foo zz bar!', true], ['viagra foo zz bar.', false]] as const) {
    const budget = createBudget()
    assert.equal(new PatternSet([reading.pattern]).scan([windowed + hit], budget).matches(0), found, hit)
    assert.equal(budget.exceeded, 0, hit)
  }
})

test('and what all of its windows make it build is bounded by what it has credit for', () => {
  const reading = readPattern('[a-y]x.{150}[!?]', '')
  if (reading.status === 'refused') assert.fail(reading.problem)
  const engine = engineOf(reading.pattern)
  const { automaton } = engine
  assert.ok(automaton !== undefined)
  let steps = 0
  const budget = createBudget()
  const counted = { left: () => budget.left(), get exceeded() { return budget.exceeded }, allowance: () => 0, spend: (taken: number) => { steps += taken }, overrun: () => budget.overrun() }
  let seed = 1
  const next = (): number => seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
  const noise = Array.from({ length: 200_000 }, () => (next() >>> 28 === 0 ? 'x' : 'a')).join('')
  const prepared = new PreparedText([noise])
  const [begin = 0] = prepared.starts
  const windows = Array.from({ length: 300 }, (_, at) => [0, begin + 600 * at, begin + 600 * at + 150]).flat()
  const before = automaton.credit
  assert.equal(decide({ engine, text: prepared, budget: counted, windows }), false)
  assert.equal(budget.exceeded, 1, 'not known')
  assert.ok(steps < before + noise.length / 4 + 5000, `${steps} steps with a credit of ${before}`)
})
