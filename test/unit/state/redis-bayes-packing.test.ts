/** How lessons and tokens are packed for Redis: what goes in comes out, in the order of the tokens. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bayesKeys, bitsFor, changesOf, firstAfter, packChanges, packFields, packTokens, TOKEN_BITS, unpackBuckets, unpackLesson, type Lesson } from '../../../src/state/redis-bayes-packing.ts'

const LARGEST = 2 ** TOKEN_BITS - 1
const lesson = (tokens: readonly number[], [ham, spam]: readonly [number, number], day = 20_000): Lesson => ({ ham, spam, day, tokens: Float64Array.from(tokens) })

/** As Redis sends it: each bucket with the number of its tokens, each token with the length of its value. */
function dump(buckets: readonly (readonly { readonly rest: number; readonly day: number; readonly ham: number; readonly spam: number; readonly width: 1 | 2 | 4 }[])[]): Buffer {
  return Buffer.concat(buckets.flatMap((held) => {
    const head = Buffer.alloc(4)
    head.writeUInt32LE(held.length)
    return [head, ...held.map(({ rest, day, ham, spam, width }) => {
      const bytes = Buffer.alloc(5 + 1 + 2 + 2 * width)
      bytes.writeUIntBE(rest, 0, 5)
      bytes.writeUInt8(2 + 2 * width, 5)
      bytes.writeUInt16LE(day, 6)
      bytes.writeUIntLE(ham, 8, width)
      bytes.writeUIntLE(spam, 8 + width, width)
      return bytes
    })]
  }))
}

test('the tokens of a lesson come back as they were', () => {
  const tokens = [0, 1, 2 ** 32 - 1, 2 ** 32, LARGEST]
  const packed = Buffer.concat([Buffer.from([1, 0xff, 0x20, 0x4e]), packTokens(Float64Array.from(tokens))])
  const { ham, spam, day, tokens: found } = unpackLesson(packed)
  assert.deepEqual([ham, spam, day, [...found]], [1, -1, 20_000, tokens])
  assert.equal(unpackLesson(packed.subarray(0, 4)).tokens.length, 0)
  // What is none teaches nothing.
  for (const cut of [0, 3, 5, packed.length - 1]) assert.deepEqual(unpackLesson(packed.subarray(0, cut)), { ham: 0, spam: 0, day: 0, tokens: new Float64Array(0) }, String(cut))
})

test('what lessons change is summed up for each token, in order', () => {
  const { keys, ham, spam, day } = changesOf([lesson([5, 1, LARGEST], [1, 0], 7), lesson([5, 2], [-1, 1], 9), lesson([2], [0, -1], 8), lesson([LARGEST], [1, 0], 1)])
  assert.deepEqual([[...keys], [...ham], [...spam], day], [[1, 2, 5, LARGEST], [1, -1, 0, 2], [0, 0, 1, 0], 9])
  assert.deepEqual([0, 1, 3, 5, LARGEST].map((done) => firstAfter({ keys, ham, spam, day }, done)), [0, 1, 2, 3, 4])
})

test('changes and tokens lie in the bucket of their upper bits, and nothing is sent for what comes to nothing', () => {
  const bits = 15
  const range = 2 ** (TOKEN_BITS - bits)
  const changes = changesOf([lesson([3, range - 1, range, LARGEST], [1, 0]), lesson([3], [-1, 0]), lesson([range], [0, -1])])
  const packed = packChanges(changes, { from: 0, to: changes.keys.length, bits })
  assert.deepEqual(packed.map(({ bucket, bytes }) => [bucket, bytes.toString('hex')]), [[0, '0fffffffff01000000'], [1, '00000000000100ffff'], [2 ** bits - 1, '0fffffffff01000000']])
  assert.deepEqual(packChanges(changes, { from: 1, to: 2, bits }).map(({ bucket }) => bucket), [0])
  assert.deepEqual(packFields(Float64Array.from([3, 4, range]), bits).map(({ bucket, bytes }) => [bucket, bytes.toString('hex')]), [[0, '00000000030000000004'], [1, '0000000000']])
})

test('buckets come back as tokens with their counts, whatever order they lay in', () => {
  const bits = 11
  const range = 2 ** (TOKEN_BITS - bits)
  const bytes = dump([
    [{ rest: 9, day: 20_000, ham: 255, spam: 0, width: 1 }, { rest: 2, day: 65_535, ham: 1, spam: 300, width: 2 }], [], [{ rest: range - 1, day: 0, ham: 4_294_967_295, spam: 70_000, width: 4 }],
  ])
  const { keys, ham, spam, days } = unpackBuckets(bytes, { first: 64, bits })
  assert.deepEqual([[...keys], [...ham], [...spam], [...days]], [[64 * range + 2, 64 * range + 9, 67 * range - 1], [1, 255, 4_294_967_295], [300, 0, 70_000], [65_535, 20_000, 0]])
  bytes.writeUInt8(5, 9)
  assert.throws(() => unpackBuckets(bytes, { first: 64, bits }))
  for (let cut = 1; cut < bytes.length; cut++) {
    if (cut === 32) continue
    assert.throws(() => unpackBuckets(bytes.subarray(0, cut), { first: 0, bits }), String(cut))
  }
})

test('there are as many buckets as keep them small', () => {
  assert.deepEqual([10_000, 100_000, 1_000_000, 20_000_000].map(bitsFor), [11, 12, 15, 19])
  const { numbers, bucket, messages, messageBuckets } = bayesKeys('site')
  assert.deepEqual([numbers, bucket(7), messages(Buffer.from('ffff00', 'hex')), messageBuckets.length], ['site:{bayes}:numbers', 'site:{bayes}:t:7', 'site:{bayes}:m:4095', 4096])
})
