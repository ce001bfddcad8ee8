/** Tag lists and signature fields: what is read, and what each broken rule is called. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSignature } from '../../../../src/auth/dkim/signature.ts'
import { colonList, parseTagList, withoutSpace } from '../../../../src/auth/dkim/tag-list.ts'

const values = (text: string) => Object.fromEntries([...parseTagList(text).tags].map(([name, { value }]) => [name, value]))

test('tags, with white space where RFC 6376 §3.2 has it', () => {
  assert.deepEqual(values('v=1; a = rsa-sha256 ;\r\n\th=from :\r\n\tto;b=; c==x=y;\r\n '), { v: '1', a: 'rsa-sha256', h: 'from :\r\n\tto', b: '', c: '=x=y' })
  assert.deepEqual(['v=1', 'v=1;', 'v=1; ', 'v=1;\r\n ', 'a_1=x', '__proto__=x'].map((text) => parseTagList(text).fault), [null, null, null, null, null, 'a tag name that is none'])
})

test('a list with a fault says which, and still gives what can be read', () => {
  assert.deepEqual(['', ' ', ';', 'v=1;;a=2', ';v=1', 'v=1; x; a=2', 'v=1; =x', 'v=1; 1a=x', 'v=1; a-b=x', 'v=1; v=2', 'v=1; x y=2'].map((text) => parseTagList(text).fault), [
    'no tags', 'an empty tag', 'an empty tag', 'an empty tag', 'an empty tag', 'a tag without a value', 'a tag name that is none', 'a tag name that is none', 'a tag name that is none', 'v= twice', 'a tag name that is none',
  ])
  assert.deepEqual(values('v=1; v=2; x; d=example.com'), { v: '1', d: 'example.com' })
  assert.deepEqual([parseTagList(' v=1; a=2').first, parseTagList('=').first], ['v', ''])
})

test('long runs of blanks take no time in their square', () => {
  const began = process.cpuUsage().user
  assert.equal(parseTagList(`v=1; n=${' '.repeat(1_000_000)}x`).fault, null)
  assert.equal(parseTagList(`v=1; n=x${' '.repeat(1_000_000)}; ${';'.repeat(1000)}`).fault, 'an empty tag')
  assert.equal(withoutSpace(`a${' '.repeat(1_000_000)}b`), 'ab')
  assert.deepEqual(colonList(`A${' '.repeat(100_000)}:\r\n\tb `), ['a', 'b'])
  assert.ok(process.cpuUsage().user - began < 1_000_000)
})

const GOOD = 'v=1; a=rsa-sha256; c=relaxed/simple; d=Example.COM; s=S1; i=a@News.example.com; h=From : To:from; l=10; t=100; x=200; q=dns/txt; z=x; bh=AAAA; b=BB\r\n\tBB'
const read = (value: string, kind: 'dkim' | 'arc' = 'dkim') => readSignature({ key: 'dkim-signature', text: `DKIM-Signature: ${value}\r\n` }, kind)
const changed = (from: string | RegExp, to: string): string => {
  assert.notEqual(GOOD.replace(from, to), GOOD)
  return GOOD.replace(from, to)
}
function said(value: string, kind: 'dkim' | 'arc' = 'dkim'): string {
  const { reading } = read(value, kind)
  return reading.status === 'valid' ? 'valid' : `${reading.status}: ${reading.cause}`
}

test('a signature as it is read', () => {
  const { reading } = read(GOOD)
  assert.ok(reading.status === 'valid')
  const { bytes, ...rest } = reading.signature
  assert.deepEqual([bytes.toString('base64'), rest], ['BBBB', {
    keyType: 'rsa', forms: [{ header: 'relaxed', body: 'simple' }], domain: 'example.com', selector: 's1', identityDomain: 'news.example.com', fieldNames: ['from', 'to', 'from'],
    bodyHash: 'AAAA', bodyLimit: 10, signedAt: 100, expiresAt: 200, own: { key: 'dkim-signature', text: `DKIM-Signature: ${GOOD.replace('BB\r\n\tBB', '')}\r\n` },
  }])
})

test('the value of b= goes, with the white space around it, wherever it stands; that of bh= stays', () => {
  for (const b of ['b=BBBB', 'b= BB\r\n BB ', '\r\n\tb\r\n\t=\tBBBB\r\n\t']) {
    const { reading } = read(`v=1; bh=AAAA; ${b}; a=rsa-sha256; d=example.com; s=s; h=from`)
    assert.ok(reading.status === 'valid', b)
    assert.equal(reading.signature.own.text, `DKIM-Signature: v=1; bh=AAAA; ${b.slice(0, b.indexOf('=') + 1)}; a=rsa-sha256; d=example.com; s=s; h=from\r\n`)
  }
})

test('defaults: simple, no i=, no limits', () => {
  const { reading } = read('v=1; a=ed25519-sha256; d=example.com; s=s; h=from; bh=AAA=; b=BBBB')
  assert.ok(reading.status === 'valid')
  const { forms, identityDomain, bodyLimit, signedAt, expiresAt, bodyHash, keyType } = reading.signature
  assert.deepEqual([forms, identityDomain, bodyLimit, signedAt, expiresAt, bodyHash, keyType], [[{ header: 'simple', body: 'simple' }], 'example.com', undefined, undefined, undefined, 'AAA', 'ed25519'])
  const formOf = (c: string) => { const one = read(changed('c=relaxed/simple', c)).reading; return one.status === 'valid' ? one.signature.forms[0] : one.cause }
  assert.deepEqual(formOf('c=relaxed'), { header: 'relaxed', body: 'simple' })
  assert.deepEqual(formOf('c=Simple/Relaxed'), { header: 'simple', body: 'relaxed' })
})

test('an ARC-Message-Signature that does not say how may have been made in two ways, and its i= is none', () => {
  const { reading } = read('i=1; a=rsa-sha256; d=example.com; s=s; h=from; bh=AAAA; b=BBBB', 'arc')
  assert.ok(reading.status === 'valid')
  assert.deepEqual([reading.signature.forms.length, reading.signature.identityDomain], [2, 'example.com'])
  assert.equal(said('i=1; a=rsa-sha1; d=example.com; s=s; h=from; bh=AAAA; b=BBBB', 'arc'), 'invalid: unknown algorithm')
})

test('each rule has its cause', () => {
  const cases: readonly (readonly [value: string, cause: string])[] = [
    [changed('v=1; ', ''), 'signature missing required tag'], [changed('v=1', 'v=2'), 'incompatible version'], [changed('v=1', 'v=1.0'), 'incompatible version'],
    [changed('rsa-sha256', 'rsa-sha512'), 'unknown algorithm'], [changed('a=rsa-sha256; ', ''), 'signature missing required tag'], [changed('rsa-sha256', ''), 'unknown algorithm'],
    [changed('relaxed/simple', 'nofws'), 'unknown canonicalization'], [changed('relaxed/simple', 'relaxed/simple/x'), 'unknown canonicalization'], [changed('relaxed/simple', ''), 'unknown canonicalization'],
    ...['d=Example.COM; ', 's=S1; ', 'h=From : To:from; ', 'bh=AAAA; '].map((tag) => [changed(tag, ''), 'signature missing required tag'] as const), [changed('; b=BB\r\n\tBB', ''), 'signature missing required tag'],
    [changed('d=Example.COM', 'd=com'), 'signature syntax error'], [changed('d=Example.COM', 'd=legitimate.com(.example.com'), 'signature syntax error'], [changed('d=Example.COM', `d=${'a.'.repeat(130)}com`), 'signature syntax error'],
    [changed('s=S1', 's='), 'signature syntax error'], [changed('s=S1', 's=a b'), 'signature syntax error'], [changed('s=S1', 's=-a'), 'signature syntax error'],
    [changed('From : To:from', 'To'), 'From field not signed'], [changed('From : To:from', 'Fr om'), 'signature syntax error'], [changed('From : To:from', ''), 'From field not signed'], [changed('From : To:from', '::'), 'From field not signed'],
    [changed('l=10', 'l=-1'), 'signature syntax error'], [changed('l=10', 'l='), 'signature syntax error'], [changed('t=100', 't=1e3'), 'signature syntax error'], [changed('x=200', 'x=1234567890123'), 'signature syntax error'],
    [changed('x=200', 'x=100'), 'invalid expiration'], [changed('q=dns/txt', 'q=http'), 'unsupported query method'],
    [changed('i=a@News.example.com', 'i=a'), 'signature syntax error'], [changed('i=a@News.example.com', 'i=@'), 'signature syntax error'], [changed('i=a@News.example.com', 'i=a@other.example'), 'domain mismatch'],
    [changed('i=a@News.example.com', 'i=a@newsexample.com'), 'domain mismatch'], [changed('i=a@News.example.com', 'i=a=40example.com@evil.example'), 'domain mismatch'],
    [changed('bh=AAAA', 'bh=A*AA'), 'signature syntax error'], [changed('bh=AAAA', 'bh='), 'signature syntax error'], [changed('b=BB', 'b=(BB)'), 'signature syntax error'],
    [`${GOOD}; d=other.example`, 'signature syntax error'], ['', 'signature missing required tag'],
  ]
  for (const [value, cause] of cases) assert.equal(said(value), `invalid: ${cause}`, value)
  assert.equal(said(changed('rsa-sha256', 'rsa-sha1')), 'weak: weak algorithm')
})

test('what is unusual and right', () => {
  for (const value of [changed('q=dns/txt', 'q=http: dns/txt'), changed('From : To:from', 'To::From'), changed('i=a@News.example.com', 'i="a=3B b"@example.com'), changed('s=S1', 's=2026_a.b'), changed('a=rsa', 'a=RSA'), changed('l=10', `l=${'9'.repeat(76)}`), `${GOOD};`, `unknown=x; ${GOOD}`]) assert.equal(said(value), 'valid', value)
  const named = read(changed('d=Example.COM', 'd=b\xc3\xbccher.example').replace('i=a@News.example.com; ', '')).reading
  assert.equal(named.status === 'valid' && named.signature.domain, 'xn--bcher-kva.example')
  assert.equal(said(changed('d=Example.COM', 'd=b\xfccher.example')), 'invalid: signature syntax error')
})
