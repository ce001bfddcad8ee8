import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeReply, formatReply, isPositive, replyClass } from '../../../src/smtp/reply.ts'
import * as catalogue from '../../../src/smtp/reply-catalogue.ts'
import * as hopCatalogue from '../../../src/smtp/reply-catalogue-hop.ts'

test('one line, several lines, none', () => {
  assert.equal(formatReply({ status: 250, text: 'ok' }), '250 ok\r\n')
  assert.equal(formatReply({ status: 250, text: '' }), '250 \r\n')
  assert.equal(formatReply({ status: 250, text: ['a', '', 'c'] }), '250-a\r\n250-\r\n250 c\r\n')
  assert.equal(formatReply({ status: 250, text: [] }), '250\r\n')
})

test('the class of the enhanced code is that of the status, on every line', () => {
  assert.equal(formatReply({ status: 450, subject: 7, detail: 25, text: 'no' }), '450 4.7.25 no\r\n')
  assert.equal(formatReply({ status: 550, subject: 7, detail: 25, text: ['a', 'b'] }), '550-5.7.25 a\r\n550 5.7.25 b\r\n')
  assert.equal(describeReply({ status: 550, subject: 7, detail: 25, text: ['a', 'b'] }), '550 5.7.25 a / b')
  assert.equal(describeReply({ status: 550, text: '5.1.1 no' }), '550 5.1.1 no')
})

test('classes', () => {
  assert.deepEqual([200, 299, 354, 421, 559].map((status) => replyClass({ status, text: '' })), [2, 2, 3, 4, 5])
  assert.deepEqual([200, 299, 300, 199].map((status) => isPositive({ status, text: '' })), [true, true, false, false])
})

test('every fixed reply is well formed: printable, short, with a code where RFC 2034 wants one', () => {
  for (const [name, reply] of Object.entries({ ...catalogue, ...hopCatalogue })) {
    if (typeof reply === 'function') continue
    for (const line of formatReply(reply).split('\r\n').slice(0, -1)) {
      assert.match(line, /^[2-5][0-5]\d[ -][\x20-\x7e]+$/, name)
      assert.ok(line.length <= 510, `${name}: RFC 5321 §4.5.3.1.5`)
    }
    // RFC 2034 §3: not the greeting, not EHLO's reply, not 3xx
    if (replyClass(reply) !== 3) assert.ok(reply.subject !== undefined && reply.detail !== undefined, name)
  }
})

test('what the next hop cost is never for good', () => {
  for (const [name, reply] of Object.entries(hopCatalogue)) assert.equal(replyClass(reply), 4, name)
})
