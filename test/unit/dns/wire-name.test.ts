import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isHostName, readName } from '../../../src/dns/wire-name.ts'
import { labels } from './wire.ts'

test('labels are joined, in lower case; the root is empty', () => {
  assert.deepEqual(readName(labels('Mail', 'EXAMPLE'), 0), { text: 'mail.example', end: 14 })
  assert.deepEqual(readName(labels(), 0), { text: '', end: 1 })
})

test('a pointer leads back, and the bytes go on after it', () => {
  const bytes = Buffer.concat([labels('example'), Buffer.from('\x04mail\xc0\x00tail', 'latin1')])
  assert.deepEqual(readName(bytes, 9), { text: 'mail.example', end: 16 })
  // A pointer to a pointer.
  assert.deepEqual(readName(Buffer.concat([bytes.subarray(0, 16), Buffer.from([0xc0, 9])]), 16), { text: 'mail.example', end: 18 })
})

test('a pointer forward, to itself or round in circles leads nowhere', () => {
  assert.equal(readName(Buffer.from([0xc0, 0]), 0), undefined)
  assert.equal(readName(Buffer.from([0xc0, 2, 1, 0x61, 0]), 0), undefined)
  assert.equal(readName(Buffer.from([1, 0x61, 0xc0, 0]), 0), undefined)
  assert.equal(readName(Buffer.from([0xc0, 2, 0xc0, 0]), 2), undefined)
  // Into the middle of what has been read already.
  assert.equal(readName(Buffer.from([3, 1, 0x61, 0, 0xc0, 1]), 0), undefined)
})

test('a name that is cut off anywhere is none', () => {
  const whole = labels('mail', 'example')
  for (let length = 0; length < whole.length; length++) assert.equal(readName(whole.subarray(0, length), 0), undefined, String(length))
  assert.equal(readName(Buffer.from([0, 0xc0]), 1), undefined)
})

test('label types of the past are no labels', () => {
  for (const first of [0x40, 0x41, 0x80, 0xbf]) assert.equal(readName(Buffer.concat([Buffer.from([first]), Buffer.alloc(300)]), 0), undefined)
})

test('255 octets are a name, 256 are not', () => {
  const long = 'x'.repeat(63)
  assert.equal(readName(labels(long, long, long, 'y'.repeat(61)), 0)?.text?.length, 253)
  assert.equal(readName(labels(long, long, long, 'y'.repeat(62)), 0), undefined)
})

test('what cannot be written as text equals no name', () => {
  for (const label of ['a.b', 'a\x00', '\xe9', 'a\r\nb', '\x7f']) assert.equal(readName(labels(label, 'example'), 0)?.text, undefined, JSON.stringify(label))
  assert.equal(readName(labels('a\\b', 'example'), 0)?.text, 'a\\b.example')
})

test('a host has letters, digits, hyphens and underscores', () => {
  for (const name of ['mail.example', 'a_b.example', '1-2-3-4.example', 'xn--bcher-kva.example', 'localhost']) assert.ok(isHostName(name), name)
  for (const name of ['', '*.example', 'a b.example', 'a(b).example', 'a;b', '0/25.example', 'a\\b', 'a..b', 'a@b', '"a"']) assert.ok(!isHostName(name), name)
})
