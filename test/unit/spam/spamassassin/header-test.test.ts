import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readHeaderTest, readPartHeaderTest } from '../../../../src/spam/spamassassin/header-test.ts'

function asked(value: string) {
  const read = readHeaderTest(value)
  return typeof read === 'string' || 'exists' in read ? read : { text: read.in.kind === 'spamassassin' ? read.in.text : undefined, pattern: read.pattern, negated: read.negated }
}

const plain = { of: 'header', raw: false, take: undefined, which: 'each', unset: '' }

const problem = (read: unknown): string => (typeof read === 'string' ? read : `read: ${JSON.stringify(read)}`)

test('fields by their names, with what is taken of them', () => {
  assert.deepEqual(asked('Subject =~ /x/i'), { text: { ...plain, name: 'subject' }, pattern: { source: 'x', flags: 'i' }, negated: false })
  assert.deepEqual(asked('From:addr!~m{x}'), { text: { ...plain, name: 'from', take: 'addr' }, pattern: { source: 'x', flags: '' }, negated: true })
  assert.deepEqual(asked('To:raw =~ /x/ [if-unset: NONE]'), { text: { ...plain, name: 'to', raw: true, unset: 'NONE' }, pattern: { source: 'x', flags: '' }, negated: false })
  assert.deepEqual(asked('Received:first =~ /x/'), { text: { ...plain, name: 'received', which: 'first' }, pattern: { source: 'x', flags: '' }, negated: false })
  assert.deepEqual(asked('Reply-To:addr:domain =~ /x/'), { text: { ...plain, name: 'reply-to', take: 'domain' }, pattern: { source: 'x', flags: '' }, negated: false })
  assert.deepEqual(asked('ToCc:addr =~ /x/'), { text: { ...plain, name: 'ToCc', take: 'addr' }, pattern: { source: 'x', flags: '' }, negated: false })
  assert.deepEqual(asked('Subject: =~ /x/'), { text: { ...plain, name: 'subject' }, pattern: { source: 'x', flags: '' }, negated: false })
  assert.deepEqual(asked('MESSAGEID =~ /x/'), { text: { ...plain, name: 'MESSAGEID' }, pattern: { source: 'x', flags: '' }, negated: false })
})

test('whether there is a field', () => {
  assert.deepEqual(asked('exists:X-Foo'), { exists: { kind: 'header', names: ['x-foo'], form: 'raw', which: 'each' } })
  assert.deepEqual(asked('exists:X-Foo:'), asked('exists:X-Foo'))
  assert.deepEqual(asked('exists:ToCc'), { exists: { kind: 'header', names: ['to', 'cc'], form: 'raw', which: 'each' } })
  assert.match(problem(asked('exists:EnvelopeFrom')), /is not known/)
})

test('of the way of a message only the client is known', () => {
  for (const pattern of ['/^[^\\]]+ rdns=\\S*dsl/i', '/^\\[ ip=10\\.[^\\]]* helo=x /', '/^[^\\]]+ helo=(?![^\\s\\]]+[-.]static)x[^\\]]+ auth= /']) assert.equal(typeof asked(`X-Spam-Relays-External =~ ${pattern}`), 'object', pattern)
  for (const pattern of ['/ rdns=\\S+\\.example /', '/^\\[ [^\\]]+ \\]$/', '/^[^\\]]+ \\] \\[ ip=/']) assert.match(problem(asked(`X-Spam-Relays-External =~ ${pattern}`)), /looks at further relays/, pattern)
  assert.match(problem(asked('X-Spam-Relays-Trusted =~ /x/')), /not known to Postern/)
  assert.match(problem(asked('ALL-TRUSTED =~ /x/')), /not known to Postern/)
})

test('what is no test of a field is told', () => {
  assert.match(problem(asked('Subject')), /asks nothing/)
  assert.match(problem(asked('X-* =~ /x/')), /no name of a field/)
  assert.match(problem(asked('Sub ject =~ /x/')), /asks nothing/)
  assert.match(problem(asked('Subject:revip =~ /x/')), /:revip .* not known/)
  assert.match(problem(asked('MESSAGEID:addr =~ /x/')), /:addr of MESSAGEID/)
  assert.match(problem(asked('X-Relay-Countries !~ /DE/')), /worked out by a plugin/)
  assert.match(problem(asked('X-Languages =~ /en/')), /worked out by a plugin/)
  assert.match(problem(asked('Subject =~ x')), /no pattern/)
})

test('fields of parts', () => {
  assert.deepEqual(readPartHeaderTest('Content-Type:raw !~ /x/', []), { in: { kind: 'spamassassin', text: { of: 'part-header', name: 'content-type', raw: true } }, pattern: { source: 'x', flags: '' }, negated: true })
  assert.match(problem(readPartHeaderTest('Content-Type:raw =~ /\\n x/', [])), /folds/)
  assert.match(problem(readPartHeaderTest('Content-Type:addr =~ /x/', [])), /:addr is not known/)
  assert.deepEqual(readPartHeaderTest('ALL =~ /x/ [if-unset: NONE]', []), { in: { kind: 'spamassassin', text: { of: 'part-header', name: 'ALL', raw: false, unset: 'NONE' } }, pattern: { source: 'x', flags: '' }, negated: false })
  assert.match(problem(readPartHeaderTest('nothing', [])), /asks nothing/)
})

test('fields of some parts, or of all as one text', () => {
  const partsOf = (...flags: readonly string[]) => {
    const read = readPartHeaderTest('Content-Type =~ /x/', flags)
    return typeof read === 'object' && read.in.kind === 'spamassassin' && read.in.text.of === 'part-header' ? read.in.text.parts : problem(read)
  }
  assert.equal(partsOf('nice', 'range=', 'range=x'), undefined)
  assert.deepEqual(partsOf('nice', 'range=2'), { from: 2, to: 2, joined: false })
  assert.deepEqual(partsOf('range=2-'), { from: 2, to: 1000, joined: false })
  assert.deepEqual(partsOf('range=-4'), { from: 0, to: 4, joined: false })
  assert.deepEqual(partsOf('range=2-4', 'concat'), { from: 2, to: 4, joined: true })
  assert.deepEqual(partsOf('concat'), { from: 1, to: 1000, joined: true })
})

test('a long line takes as long as it is', () => {
  for (const value of [`Subject =~ /x/${' '.repeat(60_000)}x`, `Subject =~ /x/${'[if-unset:'.repeat(6000)}`, `Subject =~ /x/ [if-unset: ${' '.repeat(60_000)}x`, `Subject =~ /x/${' '.repeat(30_000)}[if-unset: a]`, `X-Spam-Relays-External =~ /^\\[${'[^'.repeat(30_000)}/`]) readHeaderTest(value)
  assert.deepEqual(asked('Subject =~ /[a]x/ [if-unset:  a b ]'), { text: { ...plain, name: 'subject', unset: 'a b' }, pattern: { source: '[a]x', flags: '' }, negated: false })
  assert.match(problem(asked('Subject =~ /x/ [if-unset: a] b]')), /something stands behind/)
})
