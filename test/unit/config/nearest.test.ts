/** Suggestions for mistyped words. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { editDistance, nearest, suggestion } from '../../../src/config/nearest.ts'

test('distances are those of insertion, deletion, substitution and transposition', () => {
  for (const [a, b, distance] of [
    ['', '', 0], ['', 'abc', 3], ['abc', '', 3], ['abc', 'abc', 0], ['abc', 'abd', 1], ['abc', 'acb', 1], ['abcd', 'bacd', 1],
    ['listen', 'lsiten', 1], ['kitten', 'sitting', 3], ['ca', 'abc', 3], ['hostnme', 'hostname', 1],
  ] as const) {
    assert.equal(editDistance(a, b), distance, `${a} ${b}`)
    assert.equal(editDistance(b, a), distance, `${b} ${a}`)
  }
})

test('the nearest word is suggested, whatever its case', () => {
  assert.equal(nearest('hostnme', ['host', 'hostname', 'hops']), 'hostname')
  assert.equal(nearest('HostName', ['state', 'hostname']), 'hostname')
  assert.equal(nearest('messageBytes', ['message_bytes', 'recipients']), 'message_bytes')
  assert.equal(suggestion('smpt', ['smtp', 'lmtp']), '; did you mean "smtp"?')
})

test('a word that resembles none gets no suggestion', () => {
  assert.equal(nearest('policy', ['hostname', 'listeners', 'hops']), undefined)
  assert.equal(nearest('x', ['hostname']), undefined)
  assert.equal(suggestion('dns', ['hostname']), '')
  assert.equal(nearest('anything', []), undefined)
})

test('a word of any length costs little: beyond 80 characters nothing is compared', () => {
  const long = 'a'.repeat(1_000_000)
  assert.equal(nearest(long, [long]), undefined)
  assert.equal(nearest('a'.repeat(80), ['a'.repeat(79)]), 'a'.repeat(79))
})
