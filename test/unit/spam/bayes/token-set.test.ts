/** The set of a message's tokens: each once, bounded, and told from those of every other set. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashOf, MAX_TOKENS, PAIR_BIT, TokenCollector, tokenContext } from '../../../../src/spam/bayes/token-set.ts'
import { tokenKeys } from '../../../../src/spam/bayes/store.ts'

const PLAIN = tokenContext('')
const SUBJECT = tokenContext('subject:')

test('a token is there once, in each context', () => {
  const collector = new TokenCollector()
  collector.begin(true)
  for (const text of ['one', 'two', 'one']) collector.text(PLAIN, text)
  collector.text(SUBJECT, 'one')
  const set = collector.take()
  assert.equal(set.count, 3)
  assert.deepEqual(set.names, ['one', 'two', 'subject:one'])
  assert.equal(new Set(tokenKeys(set)).size, 3)
})

test('a pair is another token than its words, its reverse, and one with more between', () => {
  const collector = new TokenCollector()
  const word = (text: string) => ({ ...hashOf(text), start: 0, end: text.length })
  collector.begin(false)
  collector.text(PLAIN, 'one')
  const pairs = [['one', 'two', 1], ['two', 'one', 1], ['one', 'two', 2], ['one', 'one', 1]] as const
  for (const [first, second, distance] of pairs) collector.pair(PLAIN, { first: word(first), second: word(second), distance })
  const { count, high, names } = collector.take()
  assert.equal(count, 5)
  assert.equal(names, undefined)
  assert.deepEqual([...high].map((half) => (half & PAIR_BIT) !== 0), [false, true, true, true, true])
})

test('it is the same set again, whatever was in the collector before', () => {
  const collector = new TokenCollector()
  const fill = (count: number) => {
    collector.begin(false)
    for (let at = 0; at < count; at++) collector.text(PLAIN, `word ${at}`)
    return collector.take()
  }
  const first = fill(100)
  fill(3000)
  assert.deepEqual(fill(100), first)
})

test('what comes after the last place is left out', () => {
  const collector = new TokenCollector()
  collector.begin(true)
  for (let at = 0; at < MAX_TOKENS + 100; at++) collector.text(PLAIN, `word ${at}`)
  assert.ok(collector.full)
  const { count, low, names } = collector.take()
  assert.equal(count, MAX_TOKENS)
  assert.equal(low.length, MAX_TOKENS)
  assert.equal(names?.length, MAX_TOKENS)
})

test('a hundred thousand words have a hundred thousand numbers', () => {
  const collector = new TokenCollector()
  const keys = new Set<number>()
  for (let round = 0; round < 50; round++) {
    collector.begin(false)
    for (let at = 0; at < 2000; at++) collector.text(PLAIN, `w${round * 2000 + at}`)
    for (const key of tokenKeys(collector.take())) keys.add(key)
  }
  assert.equal(keys.size, 100_000)
  for (const key of keys) assert.ok(Number.isSafeInteger(key * 4))
})
