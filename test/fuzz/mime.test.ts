/** The MIME reader, fed with what nobody would send: never throws, keeps its bounds, and finds the same wherever the pieces end. */
import assert from 'node:assert/strict'
import type { MimeLimits } from '../../src/mime/message-parts.ts'
import { fuzz, type Random } from '../support/fuzzing.ts'
import { assertSound, everything, inPieces, readPieces } from '../support/mime.ts'

const TYPES = ['multipart/mixed; boundary=a', 'multipart/mixed; boundary="ab"', 'multipart/alternative; boundary=a--', 'multipart/digest; boundary=""', 'multipart/related', 'message/rfc822', 'message/delivery-status', 'message/partial', 'text/plain', 'text/plain; charset=utf-8', 'text/html; charset=utf-7', 'text/html', 'text/plain; charset=utf-16', 'image/png; name="a.png"', 'application/octet-stream; name*0*=utf-8\'\'%e4; name*1=b', 'multipart/mixed; boundary="a" ; charset=x', 'garbage', 'text', '']
const WORDS = [
  ...TYPES.map((type) => `Content-Type: ${type}\r\n`), ...TYPES.slice(0, 6).map((type) => `Content-Type: ${type}\n`), 'Content-Type: multipart/mixed;\r\n boundary=ab\r\n',
  'Content-Transfer-Encoding: base64\r\n', 'Content-Transfer-Encoding: quoted-printable\r\n', 'Content-Transfer-Encoding: x-uuencode\r\n', 'Content-Transfer-Encoding: 8bit\r\n', 'Content-Transfer-Encoding: what\r\n',
  'Content-Disposition: attachment; filename="../a\\b.exe"\r\n', 'Subject: =?utf-8?B?w6Q=?= =?utf-8?Q?=C3?= =?utf-8?Q?=A4?=\r\n', 'X: y\r\n', 'no field\r\n', 'From me Mon Jan\r\n',
  '\r\n', '\r\n', '\r\n', '\r\n\r\n', '\n', '\n\n', '\r', '\r\r', '\n\r', ' ', '\t', '-', '--',
  '--a\r\n', '\r\n--a\r\n', '\r\n--ab\r\n', '\n--a\n', '\r--a\r', '--a--\r\n', '--ab--\r\n', '\r\n--a  \t\r\n', '--a----\r\n', '----\r\n', '--ax\r\n', '\r\n-', '\r\n--', `--a${' '.repeat(300)}\r\n`,
  'SGVsbG8=\r\n', 'SGVsbG8gV29ybGQh\r\n', 'Q29udGVudC1UeXBlOiBtdWx0aXBhcnQvbWl4ZWQ7IGJvdW5kYXJ5PWENCg0KLS1hDQoNCng=\r\n', '=C3=A4=\r\n', '=', '=zz', 'begin 644 a.txt\r\n#86)C\r\n`\r\nend\r\n', 'begin 644 b\n', 'end\r\n', '\0', '\xc3\xa4', '\xff\xfe', '\xe4', '+AGE-', 'text ', 'x'.repeat(70), '-'.repeat(20), '<meta charset=koi8-r>',
]
const TIGHT: readonly Partial<MimeLimits>[] = [
  {}, {},
  { maxDepth: 2, maxParts: 4 },
  { maxMessageHeaderBytes: 40, maxHeaderBytes: 30, maxFields: 3 },
  { maxTextBytes: 20, maxOtherBytes: 10, maxHeldBytes: 60 },
  { maxDepth: 0 }, { maxParts: 1 }, { maxHeldBytes: 0 },
]

function message(random: Random): Buffer {
  const text = random.soup(WORDS, 60, 0.03)
  return Buffer.from(random.chance(0.5) ? `Content-Type: ${random.pick(TYPES)}\r\n\r\n${text}` : text, 'latin1')
}

fuzz('MIME: the same wherever the pieces end, within the bounds', 2500, (random) => {
  const bytes = message(random)
  const limits = random.pick(TIGHT)
  const whole = readPieces([bytes], limits)
  assertSound(whole, limits)
  const expected = everything(whole)
  assert.deepEqual(everything(readPieces(random.pieces(bytes), limits)), expected)
  assert.deepEqual(everything(readPieces(inPieces(bytes, 1), limits)), expected)
})

/** Lines that are longer than what is looked at of one, in headers that are longer than what is kept of one. */
const LONG_WORDS = [`X: ${'y'.repeat(4080)}\r\n`, `X: ${'y'.repeat(4096)}`, ' '.repeat(5000), '-'.repeat(4100), '\r', '\n', '\r\n', '\r\n\r\n', '--a', '--a\r\n', '\r\n--a\r\n', 'Content-Type: multipart/mixed; boundary=a\r\n', 'Content-Type: text/html\r\n', ` boundary=${'b'.repeat(1100)}`, `--${'b'.repeat(1100)}\r\n`, `--${'b'.repeat(1024)}--\r\n`, 'x: y\r\n']

fuzz('MIME: the same for long lines and cut headers', 500, (random) => {
  const bytes = Buffer.from(`Content-Type: multipart/mixed; boundary=${random.pick(['a', 'b'.repeat(1100)])}\r\n\r\n${random.pick(['--a\r\n', ''])}${random.soup(LONG_WORDS, 12, 0)}`, 'latin1')
  const limits = { maxMessageHeaderBytes: random.pick([50, 4100, 100_000]), maxHeaderBytes: random.pick([1, 20, 4090, 4100, 4110, 8000]) }
  const whole = readPieces([bytes], limits)
  assertSound(whole, limits)
  const expected = everything(whole)
  assert.deepEqual(everything(readPieces(random.pieces(bytes), limits)), expected)
  assert.deepEqual(everything(readPieces(inPieces(bytes, 997), limits)), expected)
})

fuzz('MIME: cut anywhere, it is read as far as it goes', 300, (random) => {
  const bytes = message(random)
  for (let end = 0; end < bytes.length; end += 1 + random.below(20)) {
    const whole = readPieces([bytes.subarray(0, end)])
    assertSound(whole)
    assert.equal(whole.size, end)
  }
})

fuzz('MIME: split at every place in two', 60, (random) => {
  const bytes = message(random).subarray(0, 400)
  const limits = random.pick(TIGHT)
  const expected = everything(readPieces([bytes], limits))
  for (let at = 0; at <= bytes.length; at++) assert.deepEqual(everything(readPieces([bytes.subarray(0, at), bytes.subarray(at)], limits)), expected, `split at ${at}`)
})
