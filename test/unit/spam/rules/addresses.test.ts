/** Addresses of header fields, as mail clients take them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_ADDRESSES, readAddresses } from '../../../../src/spam/rules/addresses.ts'

function read(value: string): readonly (readonly [string, string])[] {
  return readAddresses(Buffer.from(value).toString('latin1')).map(({ name, address }) => [name, address])
}

test('names and addresses in the usual forms', () => {
  assert.deepEqual(read('ann@example.org'), [['', 'ann@example.org']])
  assert.deepEqual(read('Ann Author <ann@Example.ORG>'), [['Ann Author', 'ann@example.org']])
  assert.deepEqual(read('"Author, Ann" <ann@example.org>, bob@example.com (Bob)'), [['Author, Ann', 'ann@example.org'], ['Bob', 'bob@example.com']])
  assert.deepEqual(read('friends: ann@example.org, Bob <bob@example.com>;'), [['', 'ann@example.org'], ['Bob', 'bob@example.com']])
  assert.deepEqual(read('undisclosed-recipients:;'), [])
  assert.deepEqual(read('"a b"@example.org, c@example.org'), [['', 'a b@example.org'], ['', 'c@example.org']])
  assert.deepEqual(read('"a b"@example.org'), [['', 'a b@example.org']])
  assert.deepEqual(read('ann@[192.0.2.1]'), [['', 'ann@[192.0.2.1]']])
  assert.deepEqual(read('<"a b"@example.org>'), [['', 'a b@example.org']])
  assert.deepEqual(read('<@relay.example,@other.example:ann@example.org>'), [['', 'ann@example.org']])
  assert.deepEqual(read('Ann ann@example.org'), [['Ann', 'ann@example.org']])
})

test('display names are decoded, after the field is taken apart', () => {
  assert.deepEqual(read('=?utf-8?q?J=C3=B6rg?= <j@example.org>'), [['Jörg', 'j@example.org']])
  assert.deepEqual(read('=?utf-8?q?a=40bank.example=2C_b?= <j@example.org>'), [['a@bank.example, b', 'j@example.org']])
  assert.deepEqual(read('Jörg <j@münchen.example>'), [['Jörg', 'j@xn--mnchen-3ya.example']])
  assert.deepEqual(readAddresses('J\xf6rg <j@example.org>').map(({ name }) => name), ['Jörg'], 'bytes that are no UTF-8 stay characters')
})

test('what is broken gives what can be read, and ends', () => {
  assert.deepEqual(read('"never closed <ann@example.org>'), [['never closed', 'ann@example.org']])
  assert.deepEqual(read('Ann <ann@example.org'), [['Ann', 'ann@example.org']])
  assert.deepEqual(read('(((( ann@example.org'), [['', 'ann@example.org']])
  assert.deepEqual(read('Ann <ann@exa mple"org>'), [])
  assert.deepEqual(read('@@@,,,;;;<>'), [])
  assert.deepEqual(read('\\'), [])
  assert.equal(readAddresses('a@b.example,'.repeat(5000)).length, MAX_ADDRESSES)
  assert.equal(readAddresses('"'.repeat(100_000)).length, 0)
  assert.equal(readAddresses('('.repeat(100_000)).length, 0)
})

test('the organization, and domains that a display name claims', () => {
  const [mail] = readAddresses('Ann <ann@mail.example.co.uk>')
  assert.equal(mail?.organization, 'example.co.uk')
  const claims = (value: string) => readAddresses(value).flatMap((one) => one.claims)
  assert.deepEqual(claims('"service@bank.example" <x@y.test>'), ['bank.example'])
  assert.deepEqual(claims('PayPal.com Service <x@y.test>'), ['paypal.com'])
  assert.deepEqual(claims('sparkasse.de <x@y.test>'), ['sparkasse.de'])
  assert.deepEqual(claims('"ann.lee@example.org" <x@y.test>'), ['example.org'])
  assert.deepEqual(claims('"ann@bank.com@other.example" <x@y.test>'), ['bank.com', 'other.example'], 'behind an at sign it is no local part, whatever follows')
  assert.deepEqual(claims('Dr.Strange, Ph.D. <x@y.test>'), [])
  assert.deepEqual(claims('J. R. Smith <x@y.test>'), [])
  const impostor = (value: string) => readAddresses(value).some((one) => one.impostor)
  assert.equal(impostor('"service@bank.example" <x@y.test>'), true)
  assert.equal(impostor('"ann@example.org" <ann@mail.example.org>'), false)
  assert.equal(impostor('Ann <ann@mail.example.org>'), false)
})

test('a domain that a name claims begins where the first word of its labels does, and is as long as it may be', () => {
  const claims = (value: string) => readAddresses(`"${value}" <x@y.test>`).flatMap((one) => one.claims)
  assert.deepEqual(claims('a.b.c.d.example.com-more.net'), ['a.b.c.d.example.com-more.net'])
  assert.deepEqual(claims('example.com-more'), ['example.com'])
  assert.deepEqual(claims('example.c0m.net5'), [])
  assert.deepEqual(claims('a..example.com,@other.example'), ['example.com', 'other.example'])
  assert.deepEqual(claims('-example.com'), ['example.com'])
  assert.deepEqual(claims('_bank.com'), [], 'a part of a longer word')
  assert.deepEqual(claims('_my-bank.com bank.com_'), ['bank.com'])
  assert.deepEqual(claims(`${'a.'.repeat(240)}example.com`), [`${'a.'.repeat(240)}example.com`])
  assert.deepEqual(claims('a.'.repeat(250)), [])
})

test('the last word is the address, where nothing is in brackets', () => {
  assert.deepEqual(read('ann@a.example bob@b.example'), [['ann@a.example', 'bob@b.example']])
  assert.deepEqual(read('ann@a.example Bob'), [])
  assert.deepEqual(read(`${'b'.repeat(400)}@b.example`).map(([, address]) => address.length), [320], 'no more than an address may have')
})
