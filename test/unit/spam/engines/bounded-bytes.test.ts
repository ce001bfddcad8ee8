import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BoundedBytes } from '../../../../src/spam/engines/bounded-bytes.ts'

test('pieces of every size, up to the bound and not beyond', () => {
  const whole = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251))
  for (const size of [1, 7, 1000, 5000]) {
    const kept = new BoundedBytes(5000)
    for (let at = 0; at < whole.length; at += size) assert.ok(kept.push(whole.subarray(at, at + size)))
    assert.deepEqual(kept.bytes(), whole)
    assert.equal(kept.push(Buffer.of(1)), false)
    assert.ok(kept.push(Buffer.alloc(0)))
    assert.equal(kept.length, 5000)
    assert.deepEqual(kept.bytes(), whole)
  }
})
