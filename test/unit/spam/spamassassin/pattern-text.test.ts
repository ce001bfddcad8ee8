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
  assert.match(flagsOf('/%{NAME}/'), /a tag that another rule sets/)
  assert.match(flagsOf('/(x/'), /cannot be used: .* at character 1/)
})
