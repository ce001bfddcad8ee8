import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDecisionIds } from '../../../src/observe/decision-id.ts'

test('ten characters that can be told on the telephone, never alike', () => {
  const next = createDecisionIds()
  const seen = new Set<string>()
  for (let i = 0; i < 20_000; i++) {
    const id = next()
    assert.match(id, /^[2-9A-HJKMNP-TV-Z]{10}$/)
    seen.add(id)
  }
  assert.equal(seen.size, 20_000)
})

test('every character is as likely as another: bytes that would favour some are left out', () => {
  let byte = 0
  const next = createDecisionIds((buffer) => {
    for (let i = 0; i < buffer.length; i++) buffer[i] = byte++ & 255
  })
  const counts = new Map<string, number>()
  // 240 of each 256 bytes are used: 240 IDs use each of them ten times.
  for (let i = 0; i < 240; i++) for (const c of next()) counts.set(c, (counts.get(c) ?? 0) + 1)
  assert.equal(counts.size, 30)
  assert.deepEqual(new Set(counts.values()), new Set([80]))
})

test('two makers do not share', () => assert.notEqual(createDecisionIds()(), createDecisionIds()()))
