import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLineEndConverter, toLineFeeds } from '../../../src/delivery/line-ends.ts'

const SAMPLE = 'a\r\n\r\nb\r\r\nc\rd\ne\r\n.\r\n\r'
const EXPECTED = 'a\n\nb\r\nc\rd\ne\n.\n\r'

function convert(pieces: readonly Buffer[]): string {
  const converter = createLineEndConverter()
  return Buffer.concat([...pieces.map((piece) => converter.push(piece)), converter.end()]).toString('latin1')
}

test('CRLF becomes LF, whatever else stands there stays', () => {
  assert.equal(convert([Buffer.from(SAMPLE)]), EXPECTED)
  assert.equal(toLineFeeds([Buffer.from(SAMPLE)]).toString('latin1'), EXPECTED)
})

test('at every pair of split points', () => {
  const whole = Buffer.from(SAMPLE)
  for (let i = 0; i <= whole.length; i++) {
    for (let j = i; j <= whole.length; j++) {
      const pieces = [whole.subarray(0, i), whole.subarray(i, j), whole.subarray(j)]
      assert.equal(convert(pieces), EXPECTED, `${i} ${j}`)
      assert.equal(toLineFeeds(pieces).toString('latin1'), EXPECTED, `${i} ${j}`)
    }
  }
})

test('byte by byte', () => {
  assert.equal(convert([...Buffer.from(SAMPLE)].map((byte) => Buffer.of(byte))), EXPECTED)
})

test('can be undone where there is no bare CR and no bare LF', () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i).filter((byte) => byte !== 13 && byte !== 10))
  const text = Buffer.concat([bytes, Buffer.from('\r\n'), bytes, Buffer.from('\r\n\r\n')])
  const out = toLineFeeds([text]).toString('latin1')
  assert.deepEqual(Buffer.from(out.replaceAll('\n', '\r\n'), 'latin1'), text)
})

test('nothing becomes nothing', () => {
  assert.equal(toLineFeeds([]).length, 0)
  assert.equal(convert([Buffer.alloc(0)]), '')
})
