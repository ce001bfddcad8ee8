/** Texts taken apart. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blocksOf, chunksOf, MAX_CHUNK_CHARACTERS, MAX_LINES } from '../../../../src/spam/patterns/chunks.ts'

test('lines are chunks; empty ones are none', () => {
  assert.deepEqual(chunksOf(''), [])
  assert.deepEqual(chunksOf('\n\r\n\n'), [])
  assert.deepEqual(chunksOf('one'), ['one'])
  assert.deepEqual(chunksOf('one\n\ntwo\r\nthree\n'), ['one', 'two', 'three'])
  assert.deepEqual(chunksOf('a\rb\r\r\n'), ['a\rb\r'])
})

test('long lines are split at a blank, or anywhere but in a pair', () => {
  const words = 'word '.repeat(2000).trimEnd()
  const chunks = chunksOf(words)
  assert.equal(chunks.join(''), words)
  assert.ok(chunks.slice(0, -1).every((chunk) => chunk.endsWith('word ') && chunk.length > MAX_CHUNK_CHARACTERS - 6))
  assert.deepEqual(chunksOf('x'.repeat(10_000)).map(({ length }) => length), [4096, 4096, 1808])
  assert.deepEqual(chunksOf(`x${'😀'.repeat(4000)}`).map(({ length }) => length), [4095, 3906].map((length, at) => (at === 0 ? length : 8001 - 4095)))
})

test('blocks hold whole lines with their ends', () => {
  const line = `${'x'.repeat(99)}\n`
  const blocks = blocksOf(line.repeat(100))
  assert.deepEqual(blocks.map(({ length }) => length), [4000, 4000, 2000])
  assert.deepEqual(blocksOf(''), [])
})

test('lines beyond a number come in blocks', () => {
  const chunks = chunksOf('a\n'.repeat(MAX_LINES + 3000))
  assert.equal(chunks.length, MAX_LINES + 2)
  assert.equal(chunks[MAX_LINES], 'a\n'.repeat(2048))
  assert.equal(chunks.join('').replaceAll('\n', '').length, MAX_LINES + 3000)
})
