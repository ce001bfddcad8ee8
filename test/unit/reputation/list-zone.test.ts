/** What stands for zones where people read. What a zone says is tested with the lists made of it (dnsbl.test.ts, uri-lists.test.ts). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { namesShown } from '../../../src/reputation/list-zone.ts'

test('a name stands for its zone, the longer one first, and nothing in it is a pattern', () => {
  const shown = namesShown([{ name: 'zen.example', shown: 'zen' }, { name: 'key.zen.example', shown: '$&' }, { name: 'own.example', shown: 'own.example' }])
  assert.equal(shown('1.key.zen.example, 2.zen.example, 3.own.example, 4.key.zen.example: servfail'), '1.$&, 2.zen, 3.own.example, 4.$&: servfail')
})
