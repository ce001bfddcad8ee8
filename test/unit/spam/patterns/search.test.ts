/** Where a search goes on behind a match. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBudget } from '../../../../src/spam/patterns/budget.ts'
import { engineOf } from '../../../../src/spam/patterns/engine.ts'
import { everywhere } from '../../../../src/spam/patterns/needed-literals.ts'
import { PreparedText } from '../../../../src/spam/patterns/prepared-text.ts'
import { PatternSet } from '../../../../src/spam/patterns/pattern-set.ts'
import { readPattern } from '../../../../src/spam/patterns/read-pattern.ts'
import { Search } from '../../../../src/spam/patterns/search.ts'

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
