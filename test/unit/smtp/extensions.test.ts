import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCapabilities } from '../../../src/smtp/capabilities.ts'
import { extensionsBehind } from '../../../src/smtp/extensions.ts'

const hop = (...lines: string[]) => parseCapabilities(['hop.example', ...lines])
const offer = (...hops: Parameters<typeof extensionsBehind>[0]) => Object.fromEntries(extensionsBehind(hops))

test('one hop: what it can carry on', () => {
  assert.deepEqual(offer(hop('8BITMIME', 'smtputf8', 'DSN', 'CHUNKING', 'BINARYMIME', 'REQUIRETLS', 'ENHANCEDSTATUSCODES', 'SIZE 1000', 'VRFY', 'ETRN', 'AUTH PLAIN')), {
    'ENHANCEDSTATUSCODES': '', '8BITMIME': '', 'SMTPUTF8': '', 'DSN': '', 'BINARYMIME': '', 'REQUIRETLS': '', 'SIZE': '1000',
  })
  assert.deepEqual(offer(hop()), { SIZE: '0' })
})

test('BINARYMIME needs BDAT at the hop', () => {
  assert.ok(!('BINARYMIME' in offer(hop('BINARYMIME'))))
})

test('several hops: what all can; the smallest size that is one', () => {
  assert.deepEqual(offer(hop('8BITMIME', 'DSN', 'SIZE 0'), hop('8BITMIME', 'SIZE 700'), hop('8BITMIME', 'DSN', 'SIZE 900', 'ENHANCEDSTATUSCODES')), { '8BITMIME': '', 'SIZE': '700' })
})

test('a hop that was never reached promises nothing', () => {
  assert.deepEqual(offer(undefined), { ENHANCEDSTATUSCODES: '', SIZE: '0' })
  assert.deepEqual(offer(undefined, hop('DSN', 'SIZE 5')), { SIZE: '5' })
})

test('a size that is no number bounds nothing', () => {
  assert.equal(offer(hop('SIZE')).SIZE, '0')
  assert.equal(offer(hop('SIZE many')).SIZE, '0')
  assert.equal(offer(hop('SIZE -3')).SIZE, '0')
})
