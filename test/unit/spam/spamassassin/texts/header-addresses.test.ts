import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writtenAddresses } from '../../../../../src/spam/spamassassin/texts/header-addresses.ts'

const shown = (value: string) => writtenAddresses(value).map(({ address, name }) => `${name}|${address}`)

test('addresses and names as they are written', () => {
  assert.deepEqual(shown('Example@Foo.ORG'), ['|Example@Foo.ORG'])
  assert.deepEqual(shown('example@foo (Foo Blah), example@bar'), ['Foo Blah|example@foo', '|example@bar'])
  assert.deepEqual(shown('display: example@foo (Foo Blah), example@bar ;'), ['Foo Blah|example@foo', '|example@bar'])
  assert.deepEqual(shown('Foo Blah <example@foo>'), ['Foo Blah|example@foo'])
  assert.deepEqual(shown('"Foo, \\"Blah\\""  <example@foo>\n'), ['Foo, "Blah"|example@foo'])
  assert.deepEqual(shown(`"'Foo Blah'" <example@foo>`), ['Foo Blah|example@foo'])
})

test('a name may stand without an address, and what is none is not taken for one', () => {
  assert.deepEqual(shown('<>, undisclosed, Foo <not an address>'), ['undisclosed|', 'Foo|'])
  assert.deepEqual(shown('<Undisclosed Recipients@x.test>, <mailto:a@x.test>, Bob <root>'), ['Bob|'])
  assert.deepEqual(shown('Bob,(<a@x.test>)'), ['Bob|'])
  assert.deepEqual(shown('a b c@x.test d, a@[1], <a@b@c>'), ['a b c@x.test d|', '|a@[1]', '|a@b'])
  assert.deepEqual(shown('"a b"@x.test, "joe@x.test", joe@x.test <joe@x.test>'), ['|"a b"@x.test', '|joe@x.test', 'joe@x.test|joe@x.test'])
})

test('bytes of letters are no blanks', () => {
  assert.deepEqual(shown('"caf\xc3\xa0 \xc3\xa0" <a@b>, \xc3\xa0@b'), ['caf\xc3\xa0 \xc3\xa0|a@b', '|\xc3\xa0@b'])
})

test('signs that nothing closes open nothing', () => {
  assert.deepEqual(shown('"Foo <a@b>'), ['Foo|a@b'])
  assert.deepEqual(shown('Foo (x <a@b>'), ['Foo x|a@b'])
  assert.deepEqual(shown('a@b <c'), ['a@b c|'])
  assert.deepEqual(shown('<a@b'), ['|a@b'])
})

test('long values take as long as they are, and have a bound', () => {
  for (const piece of ['(', '"', '<', '\\"', 'a', ' ', 'a@', '<a', '("']) assert.ok(writtenAddresses(piece.repeat(200_000)).length <= 200, piece)
  assert.equal(writtenAddresses('a@b,'.repeat(1000)).length, 200)
})
