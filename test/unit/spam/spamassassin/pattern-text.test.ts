import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePattern, writtenPattern } from '../../../../src/spam/spamassassin/pattern-text.ts'

const problem = (read: unknown): string => (typeof read === 'string' ? read : `read: ${JSON.stringify(read)}`)

test('a pattern stands between slashes or other signs', () => {
  const same = { source: 'a{2}b', flags: 'i' }
  for (const text of ['/a{2}b/i', 'm{a{2}b}i', 'm!a{2}b!i', 'm,a{2}b,i', 'm(a{2}b)i', 'm<a{2}b>i', 'm"a{2}b"i', 'qr/a{2}b/i', 'm{a{2}b} i']) assert.deepEqual(writtenPattern(text), same, text)
})

test('what is no pattern is told', () => {
  assert.match(problem(writtenPattern('hello')), /no pattern stands there/)
  assert.match(problem(writtenPattern('"hello"')), /no pattern/)
  assert.equal(writtenPattern('/hello'), 'the pattern is not closed')
  assert.equal(writtenPattern('/hello/g'), 'a pattern cannot have the flag g')
  assert.equal(writtenPattern('/hello/ && 1'), 'something stands behind the pattern')
})

test('patterns are about bytes, unless their flags say otherwise', () => {
  const flagsOf = (text: string) => {
    const written = writtenPattern(text)
    const read = typeof written === 'string' ? written : compilePattern(written)
    return typeof read === 'string' ? read : read.flags
  }
  assert.equal(flagsOf('/x/ii'), 'id')
  assert.equal(flagsOf('/x/ial'), 'ia')
  assert.equal(flagsOf('/x/'), 'd')
  assert.equal(flagsOf('/(?<NAME>x)/'), 'd')
  // perlre, "/d, /u, /a, and /l": what has to do with Unicode makes the whole pattern so.
  for (const text of ['/\\p{L}\\w/', '/\\w\\PL/', '/[\\p{Lu}x]/', '/\\N{U+e9}/', '/\\x{100}|x/', '/\\x{ 0263a }/', '/\\o{400}/']) assert.equal(flagsOf(text), 'u', text)
  for (const text of ['/\\\\p{2}/', '/\\N{2}/', '/\\N/', '/\\x{ff}/', '/\\x{00e9}/', '/\\o{377}/', '/x{100}/']) assert.equal(flagsOf(text), 'd', text)
  assert.equal(flagsOf('/\\p{L}/a'), 'a')
  assert.match(flagsOf('/%{NAME}/'), /a tag that another rule sets/)
  assert.match(flagsOf('/(x/'), /cannot be used: .* at character 1/)
})
