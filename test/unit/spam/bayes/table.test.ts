/** Many tokens at once are found as one by one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TokenTable } from '../../../../src/spam/bayes/table.ts'
import { mixed } from '../../../../src/spam/bayes/scatter.ts'

/** Halves of hashes; the same for the same number. */
function halves(count: number, from: number): { readonly low: Uint32Array; readonly high: Uint32Array } {
  const numbers = Array.from({ length: count }, (_, at) => from + at)
  return { low: Uint32Array.from(numbers, (number) => mixed(2 * number + 1)), high: Uint32Array.from(numbers, (number) => mixed(0x1000000 + 2 * number)) }
}

for (const [tokens, slots] of [[0, 1024], [700, 1024], [920, 1024], [3000, 4096]] as const) {
  test(`${tokens} tokens in ${slots} places: known and unknown ones, more than are looked up at once`, () => {
    const table = new TokenTable(new Uint32Array(slots), 77)
    const known = halves(tokens, 0)
    for (let at = 0; at < tokens; at++) assert.equal(table.put({ low: known.low[at]!, mark: known.high[at]! & 0xffff, value: 1 + (at % 0xffff) }), true)
    const asked = halves(3 * tokens + 1500, 0)
    const count = asked.low.length
    const values = new Uint16Array(count)
    table.findEach({ ...asked, count }, values)
    assert.deepEqual([...values], Array.from(values, (_, at) => table.find(asked.low[at]!, asked.high[at]!)))
    assert.deepEqual([...values.subarray(0, tokens)].filter((value) => value === 0), [])
  })
}

test('a table of which every place is taken ends each search', () => {
  const table = new TokenTable(new Uint32Array(1024).fill(0xabcd0001), 5)
  const values = new Uint16Array(2)
  table.findEach({ low: Uint32Array.of(1, 2), high: Uint32Array.of(0xabcd, 0x1234), count: 2 }, values)
  assert.deepEqual([...values], [1, 0])
})

test('no more are looked up than are asked for', () => {
  const table = new TokenTable(new Uint32Array(1024).fill(0xabcd0001), 5)
  const values = Uint16Array.of(9, 9)
  table.findEach({ low: Uint32Array.of(1, 2), high: Uint32Array.of(0xabcd, 0xabcd), count: 1 }, values)
  assert.deepEqual([...values], [1, 9])
})
