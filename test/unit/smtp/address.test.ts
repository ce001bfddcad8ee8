import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDomain, parsePath } from '../../../src/smtp/address.ts'

const utf8 = (text: string) => Buffer.from(text).toString('latin1')

function mailbox(text: string): string | null {
  const result = parsePath(text, 0)
  if (result.status !== 'ok') return null
  const { mailbox: found } = result.path
  return found === null ? '<>' : `${found.localPart}|${found.domain}`
}

const TAKEN: readonly (readonly [wire: string, mailbox: string, sentOn?: string])[] = [
  ['<>', '<>'],
  ['<a@b.example>', 'a|b.example'],
  ['a@b.example', 'a|b.example', '<a@b.example>'],
  ['  <A.b+c@B.Example>', 'A.b+c|b.example', '<A.b+c@B.Example>'],
  ['<"a b"@b.example>', 'a b|b.example'],
  ['<"a\\"b\\\\c"@b.example>', 'a"b\\c|b.example'],
  ['<"a>b"@b.example>', 'a>b|b.example'],
  ['<""@b.example>', '|b.example'],
  ['<.a..b.@b.example>', '.a..b.|b.example'],
  ['<a@host_1.b.example>', 'a|host_1.b.example'],
  ['<a@[192.0.2.1]>', 'a|[192.0.2.1]'],
  ['<a@[IPv6:2001:DB8::1]>', 'a|[ipv6:2001:db8::1]'],
  ['<postmaster>', 'postmaster|'],
  ['<POSTmaster>', 'postmaster|'],
  ['<@r1.example,@r2.example:a@b.example>', 'a|b.example', '<a@b.example>'],
  [utf8('<jörg@bücher.example>'), 'jörg|xn--bcher-kva.example'],
  [utf8('<a@ＢÜCHER.example>'), 'a|xn--bcher-kva.example'],
  [`<a@${'x'.repeat(63)}.example>`, `a|${'x'.repeat(63)}.example`],
]

for (const [wire, expected, sentOn] of TAKEN) {
  test(`takes ${JSON.stringify(wire)}`, () => {
    assert.equal(mailbox(wire), expected)
    const result = parsePath(wire, 0)
    assert.ok(result.status === 'ok')
    assert.equal(result.path.wire, sentOn ?? wire)
    assert.equal(result.end, wire.length)
    // What goes on to the next hop means there what it meant here.
    assert.equal(mailbox(result.path.wire), expected)
  })
}

const REFUSED = [
  '', '<', '>', '<a', 'a', '<a>', '<@b.example>', '<@b.example:>', '<a@>', '<a@b..example>', '<a@.b.example>', '<a@b.example.>',
  '<a@-b.example>', '<a@b-.example>', '<a@b c.example>', '<a@@b.example>', '<a@b@c.example>', '<a b@c.example>', '<a,b@c.example>',
  '<a:b@c.example>', '<"a"b@c.example>', '<a"b"@c.example>', '<"a@c.example>', '<"a\\"@c.example>', '<<a@b.example>>', '<a@b.example>>',
  '<a@b.example>x', '"a b"@c.example', '<a@[192.0.2.256]>', '<a@[192.0.2.1>', '<a@192.0.2.1]>', '<a@[IPv6:::g]>', '<a@[IPv6:fe80::1%eth0]>', '<a@[2001:db8::1]>',
  `<a@${'x'.repeat(64)}.example>`, `<a@${'x.'.repeat(130)}example>`, '<\xff@b.example>', '<a@\xff.example>', '<"\xc3"@b.example>',
]

for (const wire of REFUSED) {
  test(`refuses ${JSON.stringify(wire)}`, () => {
    const result = parsePath(wire, 0)
    assert.ok(result.status === 'malformed' && result.why.length > 5)
  })
}

test('where it ends', () => {
  const text = 'FROM:<a@b.example> SIZE=1'
  const result = parsePath(text, 5)
  assert.ok(result.status === 'ok')
  assert.equal(text.slice(result.end), ' SIZE=1')
  const bare = parsePath('FROM:a@b.example SIZE=1', 5)
  assert.ok(bare.status === 'ok')
  assert.equal(bare.end, 16)
})

test('a Unicode domain is taken whole or not at all', () => {
  for (const tail of ['/x', '?x', '#x', '\\x', ':25', '@x', '%41', '\tx', ' x', '[', '|x', '<x']) {
    assert.equal(parseDomain(utf8(`ｏurs.example${tail}`)), null, tail)
    assert.equal(parseDomain(utf8(`ｏurs${tail}.example`)), null, tail)
  }
  assert.equal(parseDomain(utf8('ｏurs.example')), 'ours.example')
  assert.equal(parseDomain(utf8('ours。example')), 'ours.example')
  // A colon, an at sign or a slash that only compatibility mapping makes is no part of a name either.
  for (const made of ['：25', '＠x', '／x', '？x', '＃x', '％41']) assert.equal(parseDomain(utf8(`ours.example${made}`)), null, made)
})

test('domains are compared in one form', () => {
  assert.equal(parseDomain('A.EXAMPLE'), parseDomain('a.example'))
  assert.equal(parseDomain(''), null)
  assert.equal(parseDomain('a'.repeat(256)), null)
})
