import { test } from 'node:test'
import assert from 'node:assert/strict'
import { DataEncoder, isFault, type Fault } from '../../../src/smtp/data-encoder.ts'
import { DataDecoder } from '../../../src/smtp/data-decoder.ts'

/** Encodes `text` cut at the given points; returns the wire up to a fault, and the fault. */
function encode(text: string, cuts: readonly number[] = [], form: 'data' | 'bdat' = 'data'): { wire: string, fault?: Fault } {
  const encoder = new DataEncoder(form)
  const bytes = Buffer.from(text, 'latin1')
  const points = [0, ...cuts, bytes.length]
  let wire = ''
  for (let i = 1; i < points.length; i++) {
    const out = encoder.encode(bytes.subarray(points[i - 1], points[i]))
    if (isFault(out)) return { wire, fault: out }
    wire += out.toString('latin1')
  }
  const end = encoder.finish()
  return isFault(end) ? { wire, fault: end } : { wire: wire + end.toString('latin1') }
}

function everyWay(text: string): number[][] {
  const ways: number[][] = [[], Array.from(text, (_, i) => i)]
  for (let i = 0; i <= text.length; i++) for (let j = i; j <= text.length; j++) ways.push([i, j])
  return ways
}

const GOOD: readonly { name: string, text: string, wire: string }[] = [
  { name: 'an empty message', text: '', wire: '.\r\n' },
  { name: 'a message', text: 'a: b\r\n\r\nc\r\n', wire: 'a: b\r\n\r\nc\r\n.\r\n' },
  { name: 'no line end at the end', text: 'a\r\nb', wire: 'a\r\nb\r\n.\r\n' },
  { name: 'dots at line starts', text: '.\r\n..x\r\na.b\r\n.y.\r\n', wire: '..\r\n...x\r\na.b\r\n..y.\r\n.\r\n' },
  { name: 'a dot alone at the end', text: 'a\r\n.', wire: 'a\r\n..\r\n.\r\n' },
  { name: 'what looks like an end', text: 'a\r\n.\r\nMAIL FROM:<x>\r\n', wire: 'a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n' },
  { name: 'empty lines', text: '\r\n\r\n.\r\n', wire: '\r\n\r\n..\r\n.\r\n' },
  { name: 'other control characters and 8-bit bytes', text: '\t\x01\x0b\x0c\x7f\xff.\r\n', wire: '\t\x01\x0b\x0c\x7f\xff.\r\n.\r\n' },
]

for (const c of GOOD) {
  test(`DATA out: ${c.name}, at every split point and byte by byte`, () => {
    for (const cuts of everyWay(c.text)) assert.deepEqual(encode(c.text, cuts), { wire: c.wire }, `cut at ${cuts.join()}`)
  })
  test(`BDAT out: ${c.name} stays as it is`, () => {
    for (const cuts of everyWay(c.text)) assert.deepEqual(encode(c.text, cuts, 'bdat'), { wire: c.text }, `cut at ${cuts.join()}`)
  })
}

const BAD: readonly { text: string, fault: Fault['fault'], offset: number }[] = [
  { text: 'ab\ncd\r\n', fault: 'bare-lf', offset: 2 },
  { text: '\n', fault: 'bare-lf', offset: 0 },
  { text: 'ab\rcd\r\n', fault: 'bare-cr', offset: 2 },
  { text: 'ab\r\r\n', fault: 'bare-cr', offset: 2 },
  { text: 'ab\r', fault: 'bare-cr', offset: 2 },
  { text: 'a\r\n.\r', fault: 'bare-cr', offset: 4 },
  { text: 'ab\r\n\n', fault: 'bare-lf', offset: 4 },
  { text: 'ab\0\r\n', fault: 'nul', offset: 2 },
  { text: 'ab\r\0\n', fault: 'bare-cr', offset: 2 },
  { text: 'a\n.\r\n', fault: 'bare-lf', offset: 1 },
  { text: 'a\r\n.\n', fault: 'bare-lf', offset: 4 },
]

for (const c of BAD) {
  test(`fault ${c.fault} in ${JSON.stringify(c.text)}: found, and never on the wire, at every split point`, () => {
    for (const form of ['data', 'bdat'] as const) {
      for (const cuts of everyWay(c.text)) {
        const got = encode(c.text, cuts, form)
        assert.deepEqual(got.fault, { fault: c.fault, offset: c.offset }, `cut at ${cuts.join()}`)
        assert.doesNotMatch(got.wire, /\r(?!\n)|(?<!\r)\n|\0/)
        assert.ok(got.wire.length <= c.text.length + 1)
      }
    }
  })
}

test('a chunk without dots at line starts is not copied', () => {
  const encoder = new DataEncoder('data')
  const chunk = Buffer.from('a.b\r\nc\r\n')
  assert.equal(encoder.encode(chunk), chunk)
  const cut = encoder.encode(Buffer.from('d\r'))
  assert.ok(Buffer.isBuffer(cut))
  assert.equal(cut.toString(), 'd')
})

test('what is encoded decodes to the same bytes', () => {
  let seed = 99
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return seed % below
  }
  for (let round = 0; round < 1000; round++) {
    let text = ''
    for (let i = random(40); i > 0; i--) text += ['.', '\r\n', 'x', '..', '\r\n.', '\xe9'][random(6)] ?? ''
    const { wire } = encode(text, [random(text.length + 1)].filter((at) => at <= text.length))
    const decoder = new DataDecoder(true)
    const decoded = decoder.decode(Buffer.from(wire, 'latin1')).toString('latin1')
    assert.equal(decoded, text === '' || text.endsWith('\r\n') ? text : text + '\r\n')
    assert.equal(decoder.ended, true)
    assert.equal(decoder.consumed, wire.length)
  }
})
