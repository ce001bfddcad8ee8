/**
 * Messages made to hurt a MIME reader: endless and nested multiparts, headers without end, boundaries that begin with each other. They are read within the
 * bounds, the same in pieces, and no byte is looked at more often than it has to be: what is searched and copied is counted, not timed.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MimeLimits, MimeMessage } from '../../src/mime/message-parts.ts'
import { MIME_LIMITS } from '../../src/mime/reader.ts'
import { assertSound, everything, inPieces, lines, outline, readPieces } from '../support/mime.ts'

/** The bytes that the reader searches, copies and makes text of. */
class Work {
  searched = 0
  copied = 0

  watch(bytes: Buffer): Buffer {
    const watched = Buffer.from(bytes)
    watched.indexOf = (value: string | number | Uint8Array, from?: number | BufferEncoding): number => {
      const start = typeof from === 'number' ? from : 0
      const found = bytes.indexOf(value, start)
      this.searched += (found < 0 ? bytes.length : found) - start
      return found
    }
    watched.copy = (target: Uint8Array, ...places: number[]): number => {
      const copied = bytes.copy(target, ...places)
      this.copied += copied
      return copied
    }
    return watched
  }
}

/** Reads it whole and in pieces, with the work counted. */
function torture(text: string, limits?: Partial<MimeLimits>): MimeMessage {
  const bytes = Buffer.from(text, 'latin1')
  const work = new Work()
  const whole = readPieces([work.watch(bytes)], limits)
  assertSound(whole, limits)
  assert.equal(whole.size, bytes.length)
  assert.ok(work.searched <= bytes.length, `${work.searched} bytes searched of ${bytes.length}`)
  const expected = everything(whole)
  for (const size of [4093, 65_536]) {
    const pieces = inPieces(bytes, size).map((piece) => work.watch(piece))
    work.copied = 0
    const found = readPieces(pieces, limits)
    assert.ok(work.copied <= 2 * bytes.length + 4096, `${work.copied} bytes copied of ${bytes.length}`)
    assert.deepEqual(everything(found), expected)
  }
  return whole
}

const multipart = (boundary: string): string => `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n`

describe('MIME: torture', () => {
  test('multiparts in multiparts, 5,000 deep', () => {
    const deep = torture(Array.from({ length: 5000 }, (_, i) => `${multipart(`b${i}`)}--b${i}\r\n`).join(''))
    assert.equal(deep.parts.length, MIME_LIMITS.maxDepth + 1)
    assert.ok(deep.defects.has('too-deep'))
  })

  test('multiparts with one boundary in each other, and all closed', () => {
    const deep = torture(`${`${multipart('a')}--a\r\n`.repeat(200)}\r\ntext\r\n${'--a--\r\n'.repeat(200)}`)
    assert.ok(deep.defects.has('too-deep'))
    assertSound(deep)
  })

  test('messages in messages, as they are and in base64', () => {
    const plain = torture('Content-Type: message/rfc822\r\n\r\n'.repeat(10_000))
    assert.equal(plain.parts.length, MIME_LIMITS.maxDepth + 1)
    let encoded = 'Subject: innermost\r\n\r\ntext'
    for (let i = 0; i < 30; i++) encoded = `Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(encoded).toString('base64')}`
    const inside = torture(encoded)
    assert.equal(inside.parts.length, MIME_LIMITS.maxDepth + 1)
    assert.ok(inside.defects.has('too-deep'))
  })

  test('a multipart of 200,000 parts', () => {
    const many = torture(`${multipart('a')}${'--a\r\n\r\nx\r\n'.repeat(200_000)}--a--\r\n`)
    assert.equal(many.parts.length, MIME_LIMITS.maxParts)
    assert.deepEqual([...many.defects], ['too-many-parts'])
    assert.equal(many.parts.at(-1)?.text, 'x')
  })

  test('delimiters and nothing else', () => {
    for (const delimiter of ['--a\r\n', '--a\n', '--a\r', '--a--\r\n', '--ab\r\n', '--a ', '--', '-', '\r\n--', '\r--\n', '\n-']) {
      const { parts } = torture(multipart('a') + delimiter.repeat(60_000))
      assert.ok(parts.length <= MIME_LIMITS.maxParts)
    }
  })

  test('100,000 fields', () => {
    const many = torture(`${'A: b\r\n'.repeat(100_000)}Content-Type: text/html\r\n\r\ntext`)
    assert.equal(many.parts[0]?.fields.length, MIME_LIMITS.maxFields)
    assert.deepEqual([...many.defects].sort(), ['header-too-long', 'too-many-fields'])
    // What is behind the bounds still says how the text is shown.
    assert.deepEqual(outline(many), ['0 text/html "text"'])
  })

  test('fields of many parts', () => {
    const many = torture(`${multipart('a')}${`--a\r\n${'X: y\r\n'.repeat(100)}\r\n`.repeat(400)}`)
    assert.equal(many.parts.reduce((all, { fields }) => all + fields.length, 0), MIME_LIMITS.maxFields)
    assert.ok(many.defects.has('too-many-fields'))
  })

  test('a header line of 10 MB', () => {
    const long = torture(`From: a@b.example\r\nSubject: ${'x'.repeat(10_000_000)}\r\nContent-Type: text/html\r\n\r\n<p>text`)
    assert.ok(long.defects.has('header-too-long'))
    assert.equal(long.parts[0]?.fields[1]?.raw.length, MIME_LIMITS.maxMessageHeaderBytes - 'From: a@b.example\r\nSubject: '.length)
    assert.deepEqual(outline(long), ['0 text/html "<p>text"'])
  })

  test('a header that never ends, folds, bare line ends, NUL', () => {
    for (const line of ['x: y\n', 'x: y\r', ' \r\n', '\tx\r\n', 'no field\r\n', '\0', 'x', ':\r\n', 'Content-Type: multipart/mixed; boundary=a;\r\n', 'Content-Type: text/plain; a*0=b; a*1=c;\r\n']) {
      const { parts } = torture(`X: y\r\n${line.repeat(300_000 / line.length)}`)
      assert.ok(parts.length >= 1)
    }
  })

  test('boundaries of all lengths', () => {
    for (const length of [0, 1, 2, 6, 7, 8, 69, 70, 71, 255, 998, 1022, 1023, 1024, 1025, 2000, 60_000]) {
      const boundary = 'b'.repeat(length)
      const { parts } = torture(`${multipart(boundary)}--${boundary}\r\n\r\none\r\n--${boundary}\r\n\r\ntwo\r\n--${boundary}--\r\n`)
      // Of longer ones the beginning is compared, and what follows is text.
      if (length < 1024) assert.deepEqual(parts.map(({ text }) => text), [undefined, 'one', 'two'], `${length}`)
      else assert.ok(parts.some(({ text }) => text?.endsWith('one') === true), `${length}`)
    }
  })

  test('boundaries that begin with each other', () => {
    const nested = (outer: string, inner: string): string[] =>
      outline(torture(lines(`${multipart(outer)}--${outer}`, `${multipart(inner)}--${inner}`, '', 'one', `--${inner}--`, `--${outer}`, '', 'two', `--${outer}--`)))
    for (const [outer, inner] of [['a', 'ab'], ['ab', 'a'], ['a', 'a--'], ['a--', 'a'], ['', 'a'], ['-', '--']] as const) {
      assert.deepEqual(nested(outer, inner).filter((one) => one.includes('text/plain')), ['2 text/plain "one"', '1 text/plain "two"'], `${outer} ${inner}`)
    }
  })

  test('20 open boundaries that differ at their ends, and text that nearly has them', () => {
    const names = Array.from({ length: 20 }, (_, i) => 'b'.repeat(900) + String(i))
    const open = names.map((name) => `${multipart(name)}--${name}\r\n`).join('')
    const near = torture(`${open}\r\n${`--${'b'.repeat(900)}x\r\n`.repeat(300)}--${names[0]!}--\r\n`)
    assert.equal(near.parts.length, 21)
  })

  test('attachments larger than what is kept', () => {
    const line = `${'QUJD'.repeat(19)}\r\n`
    const big = torture(lines(`${multipart('a')}--a`, 'Content-Type: application/zip', 'Content-Transfer-Encoding: base64', '', `${line.repeat(100_000)}--a`, '', 'behind it', '--a--'))
    const zip = big.parts[1]!
    assert.equal(zip.content.length, MIME_LIMITS.maxOtherBytes)
    assert.equal(zip.truncated, true)
    assert.equal(zip.encodedBytes, line.length * 100_000 - 2)
    assert.equal(big.parts[2]?.text, 'behind it')
    assert.deepEqual([...big.defects], [])
  })

  test('texts larger than what is kept of all, behind attachments that are', () => {
    const attachment = `--a\r\nContent-Type: image/png\r\n\r\n${'y'.repeat(MIME_LIMITS.maxOtherBytes)}\r\n`
    const text = `--a\r\n\r\n${'x'.repeat(MIME_LIMITS.maxTextBytes)}\r\n`
    const big = torture(multipart('a') + attachment.repeat(20) + text.repeat(2))
    const held = big.parts.reduce((all, { content }) => all + content.length, 0)
    // A part of it is for HTML alone; a line end stands where text is left out.
    assert.equal(held, MIME_LIMITS.maxHeldBytes * 13 / 14 + 1)
    assert.equal(big.parts[21]?.content.length, MIME_LIMITS.maxTextBytes)
    assert.ok(big.defects.has('too-long'))
  })

  test('broken encodings without end', () => {
    for (const [encoding, unit] of [['base64', '=A'], ['base64', '====='], ['base64', '!!!!A'], ['quoted-printable', '='], ['quoted-printable', '=4'], ['quoted-printable', '= '], ['quoted-printable', ' '], ['x-uuencode', 'begin 644 a\n'], ['x-uuencode', 'begin 644 a\n#86)C\n'], ['7bit', 'begin 644 a\n#86)C\n'], ['7bit', 'begin 644 a\n!\n']] as const) {
      const { parts } = torture(`Content-Transfer-Encoding: ${encoding}\r\n\r\n${unit.repeat(200_000 / unit.length)}`)
      assert.ok(parts.length <= MIME_LIMITS.maxParts)
    }
  })

  test('field values without end', () => {
    for (const unit of ['(', ')', '"', '\\', ';', '=', '=?', '=?a?q?', '=?utf-8?q?x?= ', '=?utf-8?b?', 'a=', 'a=b ', 'a="b', 'a*0=b;', "a*=''%", ' ', '\t(', '/']) {
      for (const start of ['Subject: ', 'Content-Type: text/plain; ', 'Content-Type: ', 'Content-Disposition: attachment; filename=', 'Content-Type: text/plain; charset=']) {
        const { parts } = torture(`${start}${unit.repeat(100_000 / unit.length)}\r\n\r\ntext`)
        assert.equal(parts[0]?.text, 'text')
      }
    }
  })

  test('characters without end', () => {
    for (const charset of ['utf-7', 'hz-gb-2312', 'iso-2022-kr', 'iso-2022-jp', 'utf-16', 'utf-32', 'utf-8', 'gb18030', 'nobody-knows']) {
      for (const unit of ['+', '~', '~{', '\x1b$)C', '\x0e', '\0', '\xff', '\xc3', '\xed\xa0\x80', '+2AA-', '\x1b']) {
        const { parts } = torture(`Content-Type: text/plain; charset=${charset}\r\n\r\n${unit.repeat(50_000)}`)
        assert.ok((parts[0]?.text ?? '').isWellFormed(), `${charset} ${unit}`)
      }
    }
  })
})
