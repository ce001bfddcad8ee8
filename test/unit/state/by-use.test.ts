import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByUse } from '../../../src/state/by-use.ts'

/** Takes the oldest out, one by one. */
function inOrder(map: ByUse<number>): string[] {
  const order: string[] = []
  for (let { oldest } = map; oldest !== undefined; { oldest } = map) {
    order.push(oldest)
    map.delete(oldest)
  }
  assert.equal(map.size, 0)
  return order
}

function of(...keys: readonly string[]): ByUse<number> {
  const map = new ByUse<number>()
  for (const [i, key] of keys.entries()) map.set(key, i)
  return map
}

test('an empty one has nothing', () => {
  const map = new ByUse<number>()
  map.delete('a')
  assert.deepEqual([map.size, map.oldest, map.get('a'), map.use('a'), map.replace('a', 1), map.size], [0, undefined, undefined, undefined, false, 0])
})

test('what was used or set goes to the end; what was only looked at or replaced stays in its place', () => {
  const map = of('a', 'b', 'c', 'd')
  assert.equal(map.use('a'), 0)
  assert.equal(map.get('b'), 1)
  assert.equal(map.replace('b', 7), true)
  assert.equal(map.get('b'), 7)
  map.set('c', 8)
  assert.deepEqual([map.size, map.get('c')], [4, 8])
  assert.deepEqual(inOrder(map), ['b', 'd', 'a', 'c'])
})

test('the last one and the only one can be used, and any can go', () => {
  const one = of('a')
  assert.equal(one.use('a'), 0)
  assert.deepEqual(inOrder(one), ['a'])
  const map = of('a', 'b', 'c')
  map.use('c')
  map.delete('b')
  map.delete('c')
  map.set('d', 4)
  map.delete('a')
  assert.deepEqual(inOrder(map), ['d'])
  map.set('e', 5)
  assert.deepEqual(inOrder(map), ['e'])
})

test('it does what a Map does whose keys are deleted and set anew', () => {
  const map = new ByUse<number>()
  const model = new Map<string, number>()
  let state = 1
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const used = (key: string, value: number | undefined): void => {
    if (value === undefined) return
    model.delete(key)
    model.set(key, value)
  }
  for (let i = 0; i < 20_000; i++) {
    const key = `k${next(50)}`
    switch (next(5)) {
      case 0:
        map.set(key, i)
        used(key, i)
        break
      case 1:
        assert.equal(map.use(key), model.get(key))
        used(key, model.get(key))
        break
      case 2:
        assert.equal(map.replace(key, i), model.has(key))
        if (model.has(key)) model.set(key, i)
        break
      case 3:
        assert.equal(map.get(key), model.get(key))
        break
      default:
        map.delete(key)
        model.delete(key)
    }
    assert.equal(map.size, model.size)
    assert.equal(map.oldest, model.keys().next().value)
  }
  assert.ok(model.size > 5)
  assert.deepEqual(inOrder(map), [...model.keys()])
})
