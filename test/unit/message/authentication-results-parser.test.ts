import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAuthenticationResults, readAuthservId } from '../../../src/message/authentication-results-parser.ts'
import { Random } from '../../support/fuzzing.ts'

test('the authserv-id, with all that may stand around it (RFC 8601 §2.2)', () => {
  for (const [text, authservId, version] of [
    ['mx.example; none', 'mx.example', ''], [' mx.example;none', 'mx.example', ''], ['mx.example', 'mx.example', ''], ['mx.example 1; none', 'mx.example', '1'],
    ['(a) mx.example (b) 1 (c) ; none', 'mx.example', '1'], ['((a) \\) (b)) mx.example;', 'mx.example', ''], ['\r\n mx.example\r\n\t; none', 'mx.example', ''],
    ['"mx.example"; none', 'mx.example', ''], ['"mx.\\example" 1; none', 'mx.example', '1'], ['"a;b (c)"; none', 'a;b (c)', ''], ['"a\r\n b"; none', 'a b', ''],
    ['(; x.example; spf=pass) mx.example; none', 'mx.example', ''], ['MX.Example.; none', 'MX.Example.', ''], ['mx.\xc3\xa4.example; none', 'mx.\xc3\xa4.example', ''],
  ] as const) {
    const read = readAuthservId(text)
    assert.deepEqual(read, { status: 'ok', authservId, version, end: read.status === 'ok' ? read.end : 0 }, text)
    assert.ok(read.status === 'ok' && (read.end === text.length || text[read.end] === ';'))
  }
})

test('an authserv-id that cannot be read', () => {
  for (const text of ['', ';', ' ; spf=pass', '(mx.example; none', 'mx.example (; none', '"mx.example; none', 'mx.example:25; none', 'mx.example spf=pass', 'spf=pass', 'a b; none', 'a 1 2; none', '<mx.example>; none', 'a\0; none', '\\mx.example; none', 'a) ; none']) {
    assert.equal(readAuthservId(text).status, 'malformed', text)
    assert.equal(parseAuthenticationResults(text).authservId, null, text)
  }
})

test('results', () => {
  assert.deepEqual(parseAuthenticationResults('mx; SPF=Pass (a (b) \\) c) reason = "x \\"y\\"" (d) SMTP . MailFrom (e) = (f) A@b.example (g)\r\n ;dkim / 1 = fail header.i="a b"@c.example').results, [
    { method: 'spf', result: 'pass', comment: 'a (b) ) c', reason: 'x "y"', properties: [{ ptype: 'smtp', property: 'mailfrom', value: 'A@b.example' }] },
    { method: 'dkim', result: 'fail', properties: [{ ptype: 'header', property: 'i', value: 'a b@c.example' }] },
  ])
  for (const [text, methods] of [
    ['mx; none', []], ['mx; none;', []], ['mx; NONE (really)', []], ['mx; spf=pass;', ['spf']], ['mx;; spf=pass ; ; dkim=none', ['spf', 'dkim']],
    ['mx; x-tls=pass version=TLSv1.2 bits=256', ['x-tls']], ['mx; dkim=pass header.b=a/b+c=', ['dkim']], ['mx; spf=pass smtp.mailfrom=<>', ['spf']], ['mx; none=x', ['none']],
  ] as const) {
    const read = parseAuthenticationResults(text)
    assert.deepEqual([read.status, read.results.map(({ method }) => method)], ['ok', methods], text)
  }
})

test('of a field that is broken further on, what stands before is read', () => {
  for (const [text, methods, why] of [
    ['mx', [], /no results/], ['mx;', [], /no results/], ['mx; spf', [], /no =/], ['mx; spf=', [], /no result/], ['mx; =pass', [], /no method/], ['mx; a/x=pass', [], /version/],
    ['mx; spf=pass; dkim', ['spf'], /no =/], ['mx; spf=pass; dkim=fail header', ['spf'], /no = behind the property/], ['mx; spf=pass; dkim=fail header.=x', ['spf'], /name of a property/],
    ['mx; spf=pass; dkim=fail header.d=', ['spf'], /no value/], ['mx; spf=pass; iprev=pass policy.iprev=2001:db8::1', ['spf'], /quoted/], ['mx; spf=pass; dkim=fail (x', ['spf'], /not closed/],
    ['mx; spf=pass; dkim=fail header.d="x', ['spf'], /no value/], ['mx; spf=pass; dkim=fail reason="a"b', ['spf'], /quoted/], ['mx; spf=pass; dkim=fail @', ['spf'], /no property/],
  ] as const) {
    const read = parseAuthenticationResults(text)
    assert.deepEqual([read.status, read.authservId, read.results.map(({ method }) => method)], ['malformed', 'mx', methods], text)
    assert.match(read.why, why)
  }
})

test('nothing throws, and time stays in bounds', () => {
  const words = ['mx.example', ';', ' ', '(', ')', '"', '\\', '=', '.', '/', 'spf', 'pass', 'reason', 'smtp', '@', '1', 'none', '\r\n ', '\0', '\xff']
  for (let seed = 0; seed < 10_000; seed++) {
    const read = parseAuthenticationResults(new Random(seed).soup(words, 40))
    assert.equal(read.why === '', read.status === 'ok')
  }
  for (const text of ['('.repeat(1e6), '()'.repeat(5e5), `mx; ${'(a) '.repeat(2e5)}`, `mx${';'.repeat(1e6)}`, `mx; ${'a=b;'.repeat(2e5)}`, '"'.repeat(1e6), '\\'.repeat(1e6), ' '.repeat(1e6)]) {
    const began = process.cpuUsage()
    parseAuthenticationResults(text)
    assert.ok(process.cpuUsage(began).user < 2_000_000, text.slice(0, 10))
  }
})
