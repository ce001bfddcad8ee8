/** Numbers of tokens: by their order and nothing else, bounded, and made room for in steps. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trainLinear } from '../../../../src/spam/bayes/linear-training.ts'
import { marginOf } from '../../../../src/spam/bayes/linear-model.ts'
import type { KeptMessage } from '../../../../src/spam/bayes/store.ts'
import { MAX_WORDS, Vocabulary } from '../../../../src/spam/bayes/vocabulary.ts'

function filled(tokens: Iterable<number>, seed?: number): Vocabulary {
  const vocabulary = new Vocabulary(seed)
  for (const token of tokens) {
    for (const step of vocabulary.reserve(1)) assert.equal(step, undefined)
    vocabulary.add(token)
  }
  return vocabulary
}

test('numbers are those of the order in which tokens came, whatever the seed', () => {
  const tokens = Array.from({ length: 100_000 }, (_, at) => (at * 65_536) >>> 0)
  const distinct = new Set(tokens)
  for (const seed of [0, 12_345, undefined]) {
    const vocabulary = filled(tokens, seed)
    assert.equal(vocabulary.size, distinct.size)
    assert.deepEqual([...vocabulary.tokens.subarray(0, vocabulary.size)], [...distinct])
    let number = 0
    for (const token of distinct) assert.equal(vocabulary.numberOf(token), number++)
    assert.equal(vocabulary.numberOf(65_537), -1)
  }
  assert.deepEqual([...filled([5, 9, 5, 5, 9]).counts.subarray(0, 2)], [3, 2])
})

test('there is more room in many small steps, and what has none is left out', () => {
  const vocabulary = filled(Array(30_000).keys())
  let steps = 0
  for (const step of vocabulary.reserve(3 * MAX_WORDS)) {
    assert.equal(step, undefined)
    steps++
  }
  assert.ok(steps >= 30_000 / 4096, `${steps}`)
  assert.equal(vocabulary.tokens.length, MAX_WORDS)
  const unprepared = new Vocabulary()
  for (let token = 0; token < 40_000; token++) unprepared.add(token)
  assert.equal(unprepared.size, 32_768)
  assert.equal(unprepared.numberOf(32_768), -1)
})

test('tokens that share all bits but a few have their numbers as quickly as others', () => {
  // All of them would lie in one row of a table without a secret: ten thousand million looks.
  const vocabulary = filled(Array.from({ length: 150_000 }, (_, at) => (((at & 0x3ff) << 22) | (at >>> 10)) >>> 0))
  assert.equal(vocabulary.size, 150_000)
})

test('the same messages make the same model, whatever the seed', () => {
  const messages = Array.from({ length: 120 }, (_, at): KeptMessage => ({
    class: at % 2 === 0 ? 'ham' : 'spam', singles: Uint32Array.from({ length: 40 }, (_, word) => Math.imul((at % 2) * 30 + ((at * 7 + word * word) % 50), 0x9e3779b1)),
  }))
  const trained = (seed: number) => {
    const training = trainLinear(messages, seed)
    for (;;) {
      const step = training.next()
      if (step.done !== true) continue
      assert.equal(step.value.status, 'trained')
      return step.value.model
    }
  }
  const [one, other] = [trained(1), trained(2)]
  assert.notDeepEqual(one.table.slots, other.table.slots)
  assert.deepEqual({ ...one, table: undefined }, { ...other, table: undefined })
  assert.notEqual(one.wantedLimit, undefined)
  for (const { singles } of messages) {
    const set = { count: singles.length, low: singles, high: new Uint32Array(singles.length), names: undefined }
    assert.equal(marginOf(set, one), marginOf(set, other))
  }
})
