import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authenticationResults, type AuthenticationResult, type ResultProperty } from '../../../src/message/authentication-results.ts'
import { parseAuthenticationResults } from '../../../src/message/authentication-results-parser.ts'
import { unfold, valueText } from '../../../src/message/header-field.ts'
import { Random } from '../../support/fuzzing.ts'
import { sectionOf } from '../../support/stored-message.ts'

const result = (values: Partial<AuthenticationResult> = {}): AuthenticationResult => ({ method: 'spf', result: 'pass', properties: [], ...values })
const property = (value: string): ResultProperty => ({ ptype: 'smtp', property: 'mailfrom', value })
const field = (...results: AuthenticationResult[]) => authenticationResults({ authservId: 'mx.example.org', results })

/** Reads the field back as the one on top of a message. */
function readBack(written: string) {
  const section = sectionOf(`${written}From: a\r\nDate: b\r\n\r\n`)
  assert.deepEqual([...section.anomalies.keys()], [])
  assert.deepEqual(section.fields.map(({ name }) => name), ['Authentication-Results', 'From', 'Date'])
  const read = parseAuthenticationResults(unfold(valueText(section.fields[0]!)))
  assert.deepEqual([read.status, read.why, read.version], ['ok', '', ''], written)
  return read
}

test('no results (RFC 8601 §2.2)', () => {
  assert.equal(field(), 'Authentication-Results: mx.example.org; none\r\n')
})

test('one line for each result', () => {
  assert.equal(
    field(
      result({ comment: 'no record', result: 'none', properties: [property('a@b.example'), { ptype: 'smtp', property: 'helo', value: 'h.example' }] }),
      result({ method: 'dkim', result: 'fail', reason: 'body hash did not verify', properties: [{ ptype: 'header', property: 'd', value: 'b.example' }, { ptype: 'header', property: 'b', value: 'aB3/+x=' }] }),
      result({ method: 'iprev', properties: [{ ptype: 'policy', property: 'iprev', value: '2001:db8::1' }] }),
    ),
    'Authentication-Results: mx.example.org;\r\n' +
    ' spf=none (no record) smtp.mailfrom=a@b.example smtp.helo=h.example;\r\n' +
    ' dkim=fail reason="body hash did not verify" header.d=b.example\r\n' +
    ' header.b="aB3/+x=";\r\n' +
    ' iprev=pass policy.iprev="2001:db8::1"\r\n',
  )
})

test('what has to be quoted is quoted, and nothing else', () => {
  for (const [value, written] of [
    ['b.example', 'b.example'], ['a@b.example', 'a@b.example'], ['@b.example', '@b.example'], ['a/b=c@b.example', 'a/b=c@b.example'], ['192.0.2.1', '192.0.2.1'],
    ['', '""'], ['a b@c.example', '"a b@c.example"'], ['"a"@c.example', '"\\"a\\"@c.example"'], ['a@[192.0.2.1]', '"a@[192.0.2.1]"'], ['a@b_c.example', '"a@b_c.example"'],
    ['.a@b.example', '".a@b.example"'], ['a@b@c.example', '"a@b@c.example"'], ['<>', '"<>"'], ['a;b', '"a;b"'], ['a(b', '"a(b"'], ['a\\', '"a\\\\"'], ['jörg@b.example', '"j?rg@b.example"'.replaceAll('"', '')],
    ['a\r\nX: y', '"a X: y"'], ['a\0b', '"a?b"'],
  ] as const) {
    assert.equal(field(result({ properties: [property(value)] })), `Authentication-Results: mx.example.org;\r\n spf=pass smtp.mailfrom=${written}\r\n`)
  }
  assert.equal(field(result({ reason: 'one' })), 'Authentication-Results: mx.example.org;\r\n spf=pass reason=one\r\n')
  assert.equal(field(result({ reason: '', comment: '' })), 'Authentication-Results: mx.example.org;\r\n spf=pass\r\n')
})

test('whatever strangers say: one field of short, printable lines, and the reader finds our results and no others', () => {
  const words = ['; dmarc=pass', '\r\n', '\r\n\r\n', '\n', '\r', '\0', '"', '\\', '(', ')', ';', ' ', '\t', '=', '@', 'bank.example', 'x'.repeat(90), 'x'.repeat(1000), '\xe4', '€', 'a.b', '<', '=?utf-8?q?=0D=0A?=', '%0d%0a']
  for (let seed = 0; seed < 4000; seed++) {
    const random = new Random(seed)
    const say = () => random.soup(words, 12)
    const results = [
      result({ method: 'spf', result: 'fail', comment: say(), reason: say(), properties: [property(say()), { ptype: 'smtp', property: 'helo', value: say() }] }),
      result({ method: 'dkim', result: 'none', reason: say(), properties: [{ ptype: 'header', property: 'd', value: say() }] }),
    ]
    const written = field(...results)
    const lines = written.split('\r\n')
    assert.equal(lines.pop(), '')
    assert.ok(lines.every((line, i) => (i === 0 ? line.startsWith('Authentication-Results: mx.example.org;') : /^ \S/.test(line))), written)
    assert.ok(lines.every((line) => line.length <= 998 && /^[\x20-\x7e]*$/.test(line)), written)
    const read = readBack(written)
    assert.equal(read.authservId, 'mx.example.org')
    assert.deepEqual(read.results.map(({ method, result: said, properties }) => [method, said, properties.map(({ ptype, property: name }) => `${ptype}.${name}`)]), [
      ['spf', 'fail', ['smtp.mailfrom', 'smtp.helo']], ['dkim', 'none', ['header.d']],
    ])
  }
})

test('harmless values come back as they went', () => {
  const properties = ['a@b.example', 'a "b" \\ c', '2001:db8::1', '', '(x)', 'a;b=c'].map(property)
  const read = readBack(field(result({ reason: 'it is; "so" (really) \\', comment: 'a (nested) \\ one', properties })))
  assert.deepEqual(read.results, [result({ reason: 'it is; "so" (really) \\', comment: 'a (nested) \\ one', properties })])
})

test('an authserv-id that is no token is quoted', () => {
  assert.equal(authenticationResults({ authservId: 'mx 1;', results: [] }), 'Authentication-Results: "mx 1;"; none\r\n')
})

test('words of our own that are no keywords are a mistake of ours', () => {
  const bad = ['', 'a b', 'a\r\nb', '-a', 'a=', 'a.b', 'ä', 'x'.repeat(63)]
  for (const word of bad) {
    assert.throws(() => field(result({ method: word })), /no keyword/)
    assert.throws(() => field(result({ result: word })), /no keyword/)
    assert.throws(() => field(result({ properties: [{ ptype: 'smtp', property: word, value: 'x' }] })), /no keyword/)
  }
})
