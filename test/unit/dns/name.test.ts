import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalName } from '../../../src/dns/name.ts'

test('a name has one spelling', () => {
  assert.equal(normalName('Mail.Example.'), 'mail.example')
  assert.equal(normalName('_dmarc.example'), '_dmarc.example')
  assert.equal(normalName('0/25.2.0.192.in-addr.arpa'), '0/25.2.0.192.in-addr.arpa')
  assert.equal(normalName('user+tag.with space.example'), 'user+tag.with space.example')
})

test('what cannot be a name is none', () => {
  for (const name of ['', '.', '..', 'a..b', '.a', 'a..', 'bücher.example', 'a\x00b.example', 'a\nb', 'a\x7f', `${'x'.repeat(64)}.example`]) assert.equal(normalName(name), undefined, JSON.stringify(name))
})

test('labels have 63 characters, names 253', () => {
  assert.ok(normalName(`${'x'.repeat(63)}.example`))
  const most = `${'x'.repeat(49)}.`.repeat(5) + 'yyy'
  assert.equal(most.length, 253)
  assert.equal(normalName(most), most)
  assert.equal(normalName(`${most}.`), most)
  assert.equal(normalName(`${most}y`), undefined)
})
