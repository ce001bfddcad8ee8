import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeBase64 } from '../../../src/mime/base64.ts'
import { decodeQuotedPrintable } from '../../../src/mime/quoted-printable.ts'
import { decodeTransfer, encodedRoom, isKnownEncoding } from '../../../src/mime/transfer-encoding.ts'

type Decoder = (encoded: Buffer) => { bytes: Buffer, broken: boolean }
const check = (decoder: Decoder, cases: readonly (readonly [string, string, boolean])[]): void => {
  for (const [encoded, decoded, broken] of cases) {
    const found = decoder(Buffer.from(encoded, 'latin1'))
    assert.deepEqual([found.bytes.toString('latin1'), found.broken], [decoded, broken], JSON.stringify(encoded))
  }
}

describe('base64', () => {
  test('well made', () => {
    check(decodeBase64, [['', '', false], ['SGVsbG8=', 'Hello', false], ['SGVs\r\nbG8h\r\n', 'Hello!', false], [' S G\tV s\n', 'Hel', false], ['SGVsbA==\r\n\r\n', 'Hell', false], ['//79', '\xff\xfe\xfd', false], ['+/8=', '\xfb\xff', false]])
  })

  test('with the words of a mailing list behind it', () => {
    check(decodeBase64, [['SGVsbA==\r\n-- \r\nTo leave the list, write to leave@a.example.\r\n', 'Hell', true]])
    // Noise here and there hides nothing.
    const [one = '', other = ''] = ['Hell', 'o, this is a long text that goes on and on'].map((text) => Buffer.from(text).toString('base64'))
    check(decodeBase64, [[`${one}\r\n!${other}`, 'Hello, this is a long text that goes on and on', true]])
  })

  test('every length, in lines of every length', () => {
    for (let length = 0; length < 100; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 37) & 0xff))
      const line = 1 + length % 20
      const encoded = bytes.toString('base64').replace(new RegExp(`.{${line}}`, 'g'), '$&\r\n')
      assert.deepEqual(decodeBase64(Buffer.from(encoded)), { bytes, broken: false })
    }
  })

  test('made otherwise', () => {
    check(decodeBase64, [
      // several one after the other, without padding, a character too few
      ['SGVsbA==SGVsbG8=', 'HellHello', false], ['SGVsbG8', 'Hello', false], ['SGVsbA', 'Hell', false], ['SGVsb', 'Hel', false], ['S', '', false], ['====', '', false], ['SG=VsbG8=', 'HVle', false],
      // what is passed over
      ['SGVs!bG8=', 'Hello', true], ['SG-V_s', 'Hel', true], ['\0SGVs', 'Hel', true], ['\xffSGVs', 'Hel', true],
    ].map(([encoded, decoded, broken]) => [String(encoded), encoded === 'SG=VsbG8=' ? Buffer.concat([Buffer.from('SG', 'base64'), Buffer.from('VsbG8', 'base64')]).toString('latin1') : String(decoded), broken === true]))
  })
})

describe('quoted-printable', () => {
  test('well made', () => {
    check(decodeQuotedPrintable, [['', '', false], ['a=3Db=20=\r\nc', 'a=b c', false], ['=C3=A4=c3=a4', '\xc3\xa4\xc3\xa4', false], ['a=\nb=\rc', 'abc', false], ['a= \t\r\nb', 'ab', false], ['a=', 'a', false]])
  })

  test('blanks at the ends of lines are taken out, unless they are encoded', () => {
    check(decodeQuotedPrintable, [['a \t\r\nb \nc \rd ', 'a\r\nb\nc\rd ', false], ['a=20 \r\nb', 'a \r\nb', false], [' \r\n \r\n', '\r\n\r\n', false], ['a =\r\n \r\nb', 'a \r\nb', false]])
  })

  test('made otherwise', () => {
    check(decodeQuotedPrintable, [['a=b', 'a=b', true], ['a=4', 'a=4', true], ['a=4g', 'a=4g', true], ['==3D', '==', true], ['a= b', 'a= b', true], ['a=\0b', 'a=\0b', true], ['\xe4', '\xe4', false]])
  })
})

describe('content transfer encodings', () => {
  test('are known by the names that mail uses', () => {
    for (const name of ['7bit', '8bit', 'binary', 'base64', 'quoted-printable', 'x-uuencode', 'uuencode']) assert.equal(isKnownEncoding(name), true, name)
    for (const name of ['', 'base65', 'constructor']) assert.equal(isKnownEncoding(name), false, name)
  })

  test('are undone; what is not known stays', () => {
    const decoded = (text: string, encoding: string) => decodeTransfer(Buffer.from(text), encoding).bytes.toString()
    assert.equal(decoded('SGVsbG8=', 'base64'), 'Hello')
    assert.equal(decoded('a=3D', 'quoted-printable'), 'a=')
    assert.equal(decoded('plain', 'quoted-printable'), 'plain')
    assert.equal(decoded('plain \n', 'quoted-printable'), 'plain\n')
    assert.equal(decoded('a=3D', '7bit'), 'a=3D')
    assert.equal(decoded('a=3D', 'unheard-of'), 'a=3D')
    assert.equal(decoded('begin 644 a\n#86)C\n`\nend\n', 'x-uuencode'), 'abc')
  })

  test('need so much more room', () => {
    assert.equal(encodedRoom('7bit', 1000), 1000)
    const base64 = Buffer.alloc(1000).toString('base64').replace(/.{64}/g, '$&\r\n')
    assert.ok(encodedRoom('base64', 1000) >= base64.length)
    assert.equal(encodedRoom('quoted-printable', 1000), 3000)
  })
})
