import { test } from 'node:test'
import assert from 'node:assert/strict'
import { DataDecoder } from '../../../src/smtp/data-decoder.ts'

/** Feeds `wire` cut at the given points; returns the decoded text and what was left over behind the end. */
function decode(wire: string, cuts: readonly number[] = [], dots = true) {
  const decoder = new DataDecoder(dots)
  const bytes = Buffer.from(wire, 'latin1')
  const points = [0, ...cuts, bytes.length]
  let text = ''
  let used = 0
  for (let i = 1; i < points.length && !decoder.ended; i++) {
    text += decoder.decode(bytes.subarray(points[i - 1], points[i])).toString('latin1')
    used += decoder.consumed
  }
  return { text, rest: wire.slice(used), ended: decoder.ended, decoder }
}

const CASES: readonly { name: string; wire: string; text: string; rest?: string; bareCr?: number; bareLf?: number; nul?: number; open?: true }[] = [
  { name: 'an empty message', wire: '.\r\n', text: '' },
  { name: 'a message', wire: 'a: b\r\n\r\nc\r\n.\r\nQUIT\r\n', text: 'a: b\r\n\r\nc\r\n', rest: 'QUIT\r\n' },
  { name: 'stuffed dots', wire: '..\r\n...x\r\n.y\r\n.\r\n', text: '.\r\n..x\r\ny\r\n' },
  { name: 'a dot inside a line', wire: 'a.\r\n.b.\r\n.\r\n', text: 'a.\r\nb.\r\n' },
  { name: 'bare LF', wire: 'a\nb\r\n.\r\n', text: 'a\r\nb\r\n', bareLf: 1 },
  { name: 'bare CR', wire: 'a\rb\r\n.\r\n', text: 'a\r\nb\r\n', bareCr: 1 },
  { name: 'NUL', wire: 'a\0b\0\r\n.\r\n', text: 'ab\r\n', nul: 2 },
  { name: 'LF dot LF', wire: 'a\n.\nb\r\n.\r\n', text: 'a\r\n.\r\nb\r\n', bareLf: 2 },
  { name: 'CR dot CR', wire: 'a\r.\rb\r\n.\r\n', text: 'a\r\n.\r\nb\r\n', bareCr: 2 },
  { name: 'LF dot CRLF', wire: 'a\n.\r\nb\r\n.\r\n', text: 'a\r\n.\r\nb\r\n', bareLf: 1 },
  { name: 'CR dot CRLF', wire: 'a\r.\r\nb\r\n.\r\n', text: 'a\r\n.\r\nb\r\n', bareCr: 1 },
  { name: 'CRLF dot LF', wire: 'a\r\n.\nb\r\n.\r\n', text: 'a\r\n\r\nb\r\n', bareLf: 1 },
  { name: 'CRLF dot CR', wire: 'a\r\n.\rb\r\n.\r\n', text: 'a\r\n\r\nb\r\n', bareCr: 1 },
  { name: 'CRLF dot CR CRLF', wire: 'a\r\n.\r\r\nb\r\n.\r\n', text: 'a\r\n\r\n\r\nb\r\n', bareCr: 1 },
  { name: 'CRLF NUL dot CRLF', wire: 'a\r\n\0.\r\nb\r\n.\r\n', text: 'a\r\n.\r\nb\r\n', nul: 1 },
  { name: 'CR NUL LF', wire: 'a\r\0\nb\r\n.\r\n', text: 'a\r\n\r\nb\r\n', bareCr: 1, bareLf: 1, nul: 1 },
  { name: 'CR CR LF dot CRLF is a true end', wire: 'a\r\r\n.\r\n', text: 'a\r\n\r\n', bareCr: 1 },
  { name: 'no end', wire: 'a\r\n.', text: 'a\r\n', open: true },
  { name: 'other control characters pass', wire: '\t\x0b\x0c\x01\x7f\xff\r\n.\r\n', text: '\t\x0b\x0c\x01\x7f\xff\r\n' },
]

for (const c of CASES) {
  test(`DATA: ${c.name}, at every split point and byte by byte`, () => {
    const ways: number[][] = [[], Array.from(c.wire, (_, i) => i)]
    for (let i = 0; i <= c.wire.length; i++) for (let j = i; j <= c.wire.length; j++) ways.push([i, j])
    for (const cuts of ways) {
      const got = decode(c.wire, cuts)
      assert.equal(got.text, c.text, `cut at ${cuts.join()}`)
      assert.equal(got.ended, c.open !== true)
      assert.equal(got.rest, c.rest ?? '')
      assert.deepEqual([got.decoder.bareCr, got.decoder.bareLf, got.decoder.nul], [c.bareCr ?? 0, c.bareLf ?? 0, c.nul ?? 0])
    }
  })
}

test('BDAT: dots mean nothing, line ends are mended, at every split point', () => {
  const wire = '.\r\n..a\nb\rc\0\r\n.\r\nd\r'
  for (let i = 0; i <= wire.length; i++) {
    const got = decode(wire, [i], false)
    assert.equal(got.text + got.decoder.finish().toString(), '.\r\n..a\r\nb\r\nc\r\n.\r\nd\r\n')
    assert.equal(got.ended, false)
    assert.deepEqual([got.decoder.bareCr, got.decoder.bareLf, got.decoder.nul], [2, 1, 1])
  }
})

test('a piece that needs no change is given out without a copy', () => {
  const decoder = new DataDecoder(true)
  const piece = Buffer.from('Subject: x\r\n\r\nbody\r\n')
  assert.equal(decoder.decode(piece), piece)
  const last = Buffer.from('more\r\n.\r\n')
  assert.equal(decoder.decode(last).buffer, last.buffer)
  assert.ok(decoder.ended && decoder.clean)
})

test('runs of any length between what is changed come out as byte by byte', () => {
  const changed = ['.', '..', '\n', '\0', '\r', '\r\n.', '\r\n', '\r\n..\r\n', ' ']
  for (let run = 0; run < 70; run++) for (const [i, one] of changed.entries()) {
    const wire = `${one}${'x'.repeat(run)}${changed[(i + run) % changed.length] ?? ''}${'y'.repeat(70 - run)}${one}z\r\n.\r\nQUIT\r\n`
    const whole = decode(wire)
    const single = decode(wire, Array.from(wire, (_, at) => at))
    assert.deepEqual([whole.text, whole.rest, whole.ended, whole.decoder.bareCr, whole.decoder.bareLf, whole.decoder.nul], [single.text, single.rest, single.ended, single.decoder.bareCr, single.decoder.bareLf, single.decoder.nul], JSON.stringify(wire))
  }
})
