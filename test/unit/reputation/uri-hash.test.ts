/** The one spelling of what is hashed, and the hash as a label. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalAddress, canonicalUrls, hashFormProblem, hashLabel, mailtoAddresses, plainAddress } from '../../../src/reputation/uri-hash.ts'

const link = (url: string, more: { readonly scheme?: string; readonly host?: string; readonly port?: number } = {}) => {
  const { scheme = /^[a-z]+/.exec(url)?.[0] ?? '', host = /^[a-z]+:\/+([^/?#:]+)/i.exec(url)?.[1]?.toLowerCase() ?? '', port } = more
  return { url, scheme, host, port }
}

test('addresses as lists of hashes want them', () => {
  for (const [given, wanted] of [
    ['User@Example.ORG', 'user@example.org'],
    ['  user+tag+more@example.org ', 'user@example.org'],
    ['+tag@example.org', '+tag@example.org'],
    ['First.Last+x@googlemail.com', 'firstlast@gmail.com'],
    ['first.last@gmail.com.', 'firstlast@gmail.com'],
    ['first.last@example.org', 'first.last@example.org'],
    ['user@B\u00dcCHER.example', 'user@xn--bcher-kva.example'],
    ['a@b@example.org', 'a@b@example.org'],
  ] as const) assert.equal(canonicalAddress(given), wanted, given)
  for (const none of ['', 'user', '@example.org', 'user@', 'user@localhost', 'two words@example.org', 'a\r\nb@example.org', '<a@example.org>', `${'x'.repeat(320)}@example.org`]) assert.equal(canonicalAddress(none), undefined, none)
  assert.equal(plainAddress('First.Last+X@GMAIL.com'), 'first.last+x@gmail.com')
})

test('URLs: without user, own port, fragment and a lone slash; scheme and query as the list wants them', () => {
  const one = (given: Parameters<typeof link>, form?: Parameters<typeof canonicalUrls>[1]): readonly string[] => canonicalUrls(link(...given), form)
  assert.deepEqual(one(['https://WWW.Example.COM/']), ['www.example.com'])
  assert.deepEqual(one(['https://www.example.com']), ['www.example.com'])
  assert.deepEqual(one(['http://www.example.com/Path/?q=1#part']), ['www.example.com/Path/?q=1'])
  assert.deepEqual(one(['http://www.example.com/a?q=1'], { query: false }), ['www.example.com/a'])
  assert.deepEqual(one(['http://www.example.com?q=1'], { query: false }), ['www.example.com'])
  assert.deepEqual(one(['http://user:secret@www.example.com/a', { host: 'www.example.com' }], { scheme: true }), ['http://www.example.com/a'])
  assert.deepEqual(one(['https://www.example.com:443/a', { port: 443 }]), ['www.example.com/a'])
  assert.deepEqual(one(['http://www.example.com:443/a', { port: 443 }]), ['www.example.com:443/a'])
  assert.deepEqual(one(['www.example.com/a', { scheme: 'http', host: 'www.example.com' }]), ['www.example.com/a'])
  assert.deepEqual(one(['http://[2001:db8::1]/a', { host: '2001:db8::1' }]), ['[2001:db8::1]/a'])
  assert.deepEqual(one(['https://a.example/X/y'], { lowerCase: true }), ['a.example/X/y', 'a.example/x/y'])
  assert.deepEqual(one(['https://a.example/x'], { lowerCase: true }), ['a.example/x'])
  for (const none of ['mailto:a@b.example', 'javascript:alert(1)', 'ftp://a.example/x']) assert.deepEqual(one([none]), [])
  assert.deepEqual(one([`https://a.example/${'x'.repeat(2048)}`]), [], 'one that was cut has another hash')
})

test('hashes as labels, by the test points that operators publish', () => {
  const hbl = { algorithm: 'sha256', encoding: 'base32' } as const
  assert.equal(hashLabel('user@hbltest.com', hbl), 'f3pdgtmwu6lfigdjc67yniwry5zrm7erletnfo36qaeqpmbpw2da')
  assert.equal(hashLabel(canonicalUrls(link('http://withqm.hbltest.com/openurl?lid=test'))[0] ?? '', hbl), 'eorvxyr6ypu2b54qocek4ss6xn3yxmhdqcfghaen4zpmz5quscva')
  assert.equal(hashLabel('test@example.com', { algorithm: 'sha1', encoding: 'hex' }), '567159d622ffbb50b11b0efd307be358624a26ee')
  assert.equal(hashLabel('test@example.com', { algorithm: 'sha1', encoding: 'base32' }).length, 32)
  assert.equal(hashLabel('x', { algorithm: 'md5', encoding: 'hex' }).length, 32)
  assert.match(hashFormProblem({ algorithm: 'sha256', encoding: 'hex' }) ?? '', /base32/)
  assert.equal(hashFormProblem(hbl), undefined)
})

test('base32 as RFC 4648 §10 has it', () => {
  // Over all lengths modulo 5 that a digest has: 16, 20 and 32 bytes. Decoded again it is the digest.
  for (const algorithm of ['md5', 'sha1', 'sha256'] as const) {
    const text = hashLabel('foobar', { algorithm, encoding: 'base32' })
    const bits = Array.from(text, (letter) => 'abcdefghijklmnopqrstuvwxyz234567'.indexOf(letter).toString(2).padStart(5, '0')).join('')
    const hex = (bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2).toString(16).padStart(2, '0')).join('')
    assert.equal(hex, hashLabel('foobar', { algorithm, encoding: 'hex' }))
  }
})

test('addresses of links to write to', () => {
  assert.deepEqual(mailtoAddresses('mailto:Bob@Example.org?subject=a@b.example'), ['bob@example.org'])
  assert.deepEqual(mailtoAddresses('mailto:a%2Bb@example.org,c@example.org, nobody,%ff@example.org'), ['a+b@example.org', 'c@example.org', '%ff@example.org'])
  assert.deepEqual(mailtoAddresses('mailto:'), [])
  assert.equal(mailtoAddresses(`mailto:${Array.from({ length: 50 }, (_, i) => `a${i}@example.org`).join()}`).length, 10)
})
