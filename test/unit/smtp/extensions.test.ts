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

test('several hops: what all can; the largest size, so that none is refused what it would take', () => {
  assert.deepEqual(offer(hop('8BITMIME', 'DSN', 'SIZE 500'), hop('8BITMIME', 'SIZE 700'), hop('8BITMIME', 'DSN', 'SIZE 600', 'ENHANCEDSTATUSCODES')), { '8BITMIME': '', 'SIZE': '700' })
  for (const unbounded of [hop('SIZE 0'), hop(), hop('SIZE')]) assert.equal(offer(hop('SIZE 500'), unbounded).SIZE, '0')
})

test('a hop that was never reached takes nothing away', () => {
  assert.deepEqual(Object.keys(offer(undefined)), ['ENHANCEDSTATUSCODES', '8BITMIME', 'SMTPUTF8', 'DSN', 'BINARYMIME', 'REQUIRETLS', 'SIZE'])
  assert.deepEqual(offer(undefined, hop('DSN', 'SIZE 5')), { DSN: '', SIZE: '0' })
})

test('a size that is no number bounds nothing', () => {
  assert.equal(offer(hop('SIZE')).SIZE, '0')
  assert.equal(offer(hop('SIZE many')).SIZE, '0')
  for (const size of ['-3', '10.5', '0x10', '1e3', '1'.repeat(16)]) assert.equal(offer(hop(`SIZE ${size}`)).SIZE, '0')
})
