/** Memory of all automata together. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeldSets } from '../../../../src/spam/patterns/held-sets.ts'

class Some {
  held = 0
  forgot = 0

  forget(): void {
    this.held = 0
    this.forgot++
  }
}

test('when all hold too much, those forget that have grown least lately, until half of it is left', () => {
  const sets = new HeldSets(100)
  const all = Array.from({ length: 5 }, () => new Some())
  const grow = (at: number, held: number): void => {
    const one = all[at]
    assert.ok(one !== undefined)
    one.held = held
    sets.grown(one)
  }
  for (const at of [0, 1, 2, 3]) grow(at, 25)
  assert.deepEqual(all.map(({ forgot }) => forgot), [0, 0, 0, 0, 0])
  grow(0, 26)
  assert.deepEqual(all.map(({ forgot }) => forgot), [0, 1, 1, 1, 0], '0 has grown last')
  grow(4, 60)
  grow(4, 99)
  assert.deepEqual(all.map(({ forgot }) => forgot), [1, 1, 1, 1, 0])
  grow(4, 1000)
  assert.deepEqual(all.map(({ forgot }) => forgot), [1, 1, 1, 1, 0], 'who grows goes on: it has a bound of its own')
  grow(1, 50)
  assert.equal(all[4]?.forgot, 1)
})
