import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRspamdAnswer, rspamdError } from '../../../../src/spam/engines/rspamd-answer.ts'

test('score, threshold, action and symbols', () => {
  const answer = {
    is_skipped: false, score: 12.25, required_score: 15, action: 'add header',
    symbols: {
      BAYES_SPAM: { name: 'BAYES_SPAM', score: 5.1, metric_score: 5.1, description: 'Message probably spam', options: ['99.9 %'] },
      R_DKIM_ALLOW: { name: 'R_DKIM_ALLOW', score: -0.2, options: ['a', 'b', 'c', 'd', 'e', 'f', 7] },
      PLAIN: { name: 'PLAIN', score: 0 },
    },
    'message-id': '1@example.net',
  }
  assert.deepEqual(parseRspamdAnswer(JSON.stringify(answer)), {
    status: 'scored', score: 12.25, threshold: 15, action: 'add header',
    symbols: [
      { name: 'BAYES_SPAM', score: 5.1, description: 'Message probably spam [99.9 %]' },
      { name: 'R_DKIM_ALLOW', score: -0.2, description: '[a, b, c, d, e]' },
      { name: 'PLAIN', score: 0 },
    ],
  })
})

test('what is not as it should be is left out, or the whole is no answer', () => {
  for (const text of ['', '[]', 'null', '5', '{', '{}', '{"score":"5"}', '{"score":null}', '<html>', '{"error":"no"}']) assert.equal(parseRspamdAnswer(text), undefined, text)
  assert.deepEqual(parseRspamdAnswer('{"score":1,"required_score":"x","action":7,"symbols":[]}'), { status: 'scored', score: 1, symbols: [] })
  assert.deepEqual(parseRspamdAnswer('{"score":1,"symbols":{"A":5,"B":{"score":"1"},"C":{"score":2,"description":{},"options":{}},"__proto__":{"score":3}}}')?.symbols, [{ name: 'C', score: 2 }, { name: '__proto__', score: 3 }])
  assert.deepEqual(parseRspamdAnswer('{"score":1e400}'), undefined)
})

test('strangers\' texts are one line, and not too many', () => {
  const hostile = { score: 1, action: 'reject\r\nX: y', symbols: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`S\n${i}`, { score: i, description: `\u001b${'x'.repeat(300)}` }])) }
  const answer = parseRspamdAnswer(JSON.stringify(hostile))
  assert.ok(answer !== undefined)
  assert.equal(answer.action, 'reject X: y')
  assert.equal(answer.symbols.length, 100)
  for (const { name, description = '' } of answer.symbols) assert.match(`${name} ${description}`, /^S_\d+ \?x{1,156}\.\.\.$/)
})

test('errors', () => {
  assert.equal(rspamdError('{"error":"Unauthorized"}'), 'Unauthorized')
  assert.equal(rspamdError(`{"error":"${'x'.repeat(1000)}"}`).length, 500)
  for (const text of ['', '{"error":5}', 'nginx']) assert.equal(rspamdError(text), '')
})
