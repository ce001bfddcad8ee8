/** What a process wrote before it ended, within bounds, as a line of the log. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LastWords } from '../../../src/scoring/last-words.ts'

const words = (...pieces: readonly string[]): string => {
  const last = new LastWords()
  for (const piece of pieces) last.push(Buffer.from(piece))
  return last.text()
}

test('lines as they come, without what says nothing', () => {
  assert.equal(words(), '')
  assert.equal(words('one\n\ntw', 'o\n'), 'one / two')
  assert.equal(words('a.ts:1\nthrow it\n      ^^\n'), 'a.ts:1 / throw it')
  assert.equal(words('Error: no luck\n    at a (a.ts:1:1)\n    at b (b.ts:1:1)\n    at c (c.ts:1:1)\n    at d (d.ts:1:1)\n\nNode.js v24.0.0\n'), 'Error: no luck / at a (a.ts:1:1) / at b (b.ts:1:1) / at c (c.ts:1:1)')
  assert.equal(words('<--- Last few GCs --->\n[97:0x2b2d] 111 ms: Mark-Compact 64.7\nFATAL ERROR: out of memory\n----- Native stack trace -----\n\n 1: 0x931db0  [node]\n10: 0x75968e node::OOM() [node]\n'), 'FATAL ERROR: out of memory')
})

test('the last of many, and none too long; nothing that a terminal obeys', () => {
  assert.equal(words(Array.from({ length: 50_000 }, (_, i) => `line ${i}\n`).join('')), Array.from({ length: 8 }, (_, i) => `line ${49_992 + i}`).join(' / '))
  assert.equal(words('x'.repeat(100_000)), `${'x'.repeat(199)}…`)
  assert.equal(words('\x1b[31mred\x07\n'), '?[31mred?')
  // Bytes that are no UTF-8 break nothing.
  const last = new LastWords()
  last.push(Buffer.from([0xff, 0x61]))
  assert.equal(last.text(), '\ufffda')
})
