import assert from 'node:assert/strict'
import { test } from 'node:test'
import { framed, LengthFraming } from '../../../src/dns/length-framing.ts'

const messages = [Buffer.from('first'), Buffer.alloc(0), Buffer.from('the third one'), Buffer.alloc(300, 7)]
const stream = Buffer.concat(messages.map(framed))

test('messages come out whole, at whatever two points the stream is split', () => {
  for (let one = 0; one <= stream.length; one += one < 40 ? 1 : 13) {
    for (let two = one; two <= stream.length; two += two < 40 ? 1 : 13) {
      const framing = new LengthFraming()
      const out = [stream.subarray(0, one), stream.subarray(one, two), stream.subarray(two)].flatMap((piece) => framing.push(piece))
      assert.deepEqual(out.map(String), messages.map(String), `${one}, ${two}`)
      assert.equal(framing.isInside, false)
    }
  }
})

test('messages come out as soon as they are whole, byte by byte', () => {
  const framing = new LengthFraming()
  const out: string[] = []
  const after: number[] = []
  for (const [at] of stream.entries()) {
    for (const message of framing.push(stream.subarray(at, at + 1))) {
      out.push(String(message))
      after.push(at + 1)
    }
  }
  assert.deepEqual(out, messages.map(String))
  assert.deepEqual(after, [7, 9, 24, 326])
})

test('the longest message', () => {
  const framing = new LengthFraming()
  const bytes = framed(Buffer.alloc(65_535, 1))
  assert.deepEqual(framing.push(bytes.subarray(0, -1)), [])
  assert.equal(framing.isInside, true)
  assert.equal(framing.push(bytes.subarray(-1))[0]?.length, 65_535)
})
