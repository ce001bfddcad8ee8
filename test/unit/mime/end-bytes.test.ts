import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EndBytes } from '../../../src/mime/end-bytes.ts'

test('the last bytes, in pieces of every size', () => {
  const bytes = Buffer.from(Array.from({ length: 5000 }, (_, i) => i * 7 % 251))
  for (const most of [0, 1, 2, 100, 1024, 4999, 5000, 6000]) {
    for (const size of [1, 2, 3, 99, 100, 101, 1500, 5000]) {
      const end = new EndBytes(most)
      for (let at = 0; at < bytes.length; at += size) end.append(bytes.subarray(at, at + size))
      assert.equal(end.length, bytes.length)
      assert.deepEqual(end.take(), bytes.subarray(Math.max(0, bytes.length - most)), `${most} in pieces of ${size}`)
    }
  }
})

test('nothing', () => {
  assert.equal(new EndBytes(10).take().length, 0)
})
