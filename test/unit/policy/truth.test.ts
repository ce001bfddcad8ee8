import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allOf, anyOf, not, type Truth } from '../../../src/policy/truth.ts'

const VALUES: readonly Truth[] = ['true', 'false', 'pending', 'temperror']

/** What a value may turn out to be, had everything been known. */
const MAY_BE: Readonly<Record<Truth, readonly boolean[]>> = { true: [true], false: [false], pending: [true, false], temperror: [true, false] }

test('a result that is certain is certain whatever the uncertain turns out to be, and the other way round', () => {
  for (const a of VALUES) {
    for (const b of VALUES) {
      for (const [mine, plain] of [[allOf([a, b]), (x: boolean, y: boolean) => x && y], [anyOf([a, b]), (x: boolean, y: boolean) => x || y]] as const) {
        const possible = new Set(MAY_BE[a].flatMap((x) => MAY_BE[b].map((y) => plain(x, y))))
        assert.deepEqual(new Set(MAY_BE[mine]), possible, `${a}, ${b}`)
      }
    }
    assert.deepEqual(new Set(MAY_BE[not(a)]), new Set(MAY_BE[a].map((x) => !x)))
  }
})

test('waiting comes before giving up', () => {
  assert.equal(allOf(['temperror', 'pending', 'true']), 'pending')
  assert.equal(anyOf(['temperror', 'pending', 'false']), 'pending')
  assert.equal(not('pending'), 'pending')
  assert.equal(not('temperror'), 'temperror')
})

test('nothing to hold holds; nothing to choose from does not', () => {
  assert.equal(allOf([]), 'true')
  assert.equal(anyOf([]), 'false')
})
