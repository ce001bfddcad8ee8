import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MimePart } from '../../../src/mime/message-parts.ts'
import { MAX_SOURCE_BYTES, MIME_LIMITS, MimeReader, readMimeMessage } from '../../../src/mime/reader.ts'
import { everything, lines, outline, readPieces, readText } from '../../support/mime.ts'
import { bytes, fileMessage, heldMessage, streamedMessage } from '../../support/stored-message.ts'

const MIXED = lines(
  'From: =?utf-8?q?J=C3=B6rg?= <j@a.example>', 'Subject: Rechnung', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary="outer"', '',
  'This is a message in MIME format.', '--outer', 'Content-Type: multipart/alternative; boundary=inner', '',
  '--inner', 'Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: quoted-printable', '', 'Gr=FC=DFe', '',
  '--inner', 'Content-Type: text/html; charset=utf-8', '', '<p>Gr\xc3\xbc\xc3\x9fe', '--inner--', '',
  '--outer', 'Content-Type: application/pdf; name="x.pdf"', 'Content-Disposition: attachment; filename="Rechnung.pdf"', 'Content-Transfer-Encoding: base64', '', 'JVBERi0xLjQK', '--outer--', 'epilogue', '',
)

describe('a message', () => {
  test('with parts', () => {
    const message = readText(MIXED)
    assert.deepEqual(outline(message), ['0 multipart/mixed', '1 multipart/alternative', '2 text/plain "Grüße\\r\\n"', '2 text/html "<p>Grüße"', '1 application/pdf 9'])
    assert.deepEqual(message.parts.map(({ parent }) => parent), [-1, 0, 1, 1, 0])
    assert.deepEqual([...message.defects], [])
    assert.equal(message.size, MIXED.length)
    const [root, , plain, , pdf] = message.parts as [MimePart, MimePart, MimePart, MimePart, MimePart]
    assert.equal(root.fields[0]?.text, 'Jörg <j@a.example>')
    assert.deepEqual([plain.encoding, plain.charset, plain.encodedBytes], ['quoted-printable', 'iso-8859-1', 11])
    assert.deepEqual([pdf.fileName, pdf.disposition, pdf.parameters.get('name'), pdf.content.toString()], ['Rechnung.pdf', 'attachment', 'x.pdf', '%PDF-1.4\n'])
    assert.equal(root.encodedBytes, MIXED.length - MIXED.indexOf('This is'))
  })

  test('is the same in pieces of every size, and with other line ends but for the text', () => {
    const whole = everything(readText(MIXED))
    for (let size = 1; size < 100; size++) assert.deepEqual(everything(readPieces(Array.from({ length: Math.ceil(MIXED.length / size) }, (_, i) => bytes(MIXED.slice(i * size, (i + 1) * size))))), whole)
    for (const end of ['\n', '\r']) assert.deepEqual(outline(readText(MIXED.replaceAll('\r\n', end))), outline(readText(MIXED)).map((line) => line.replace('\\r\\n', JSON.stringify(end).slice(1, -1))))
  })

  test('as it is stored: in memory, streamed, in a file', async (t) => {
    const whole = everything(readText(MIXED))
    const pieces = [bytes(MIXED.slice(0, 100)), bytes(MIXED.slice(100))]
    for (const stored of [heldMessage(pieces), streamedMessage(pieces), await fileMessage(t, bytes(MIXED))]) assert.deepEqual(everything(await readMimeMessage(stored)), whole)
  })

  test('that is empty, or has no header, or nothing else', () => {
    assert.deepEqual(outline(new MimeReader().end()), ['0 text/plain ""'])
    assert.deepEqual(outline(readText('\r\n')), ['0 text/plain ""'])
    assert.deepEqual(outline(readText('\r\nText')), ['0 text/plain "Text"'])
    assert.deepEqual(outline(readText('Just some text.\r\n\r\nAnd more.')), ['0 text/plain "Just some text.\\r\\n\\r\\nAnd more."'])
    assert.deepEqual(outline(readText('Subject: x')), ['0 text/plain ""'])
  })

  test('whose text stands between its fields: programs pass it over, and hops begin the content there', () => {
    const between = readText(lines('Subject: x', 'Buy this', 'and: that', 'X: y', '', 'Hello'))
    assert.deepEqual(outline(between), ['0 text/plain "Hello"', '1 text/plain "Buy this\\r\\nand: that\\r\\nX: y\\r\\n"'])
    assert.deepEqual([...between.defects], ['text-between-fields'])
    assert.deepEqual(outline(readText(lines('Content-Type: multipart/mixed; boundary=a', 'Buy this', 'X: y', '', '--a', '', 'Hello', '--a--'))), ['0 multipart/mixed', '1 text/plain "Buy this\\r\\nX: y\\r\\n"', '1 text/plain "Hello"'])
    // not that of an mbox file, on top
    assert.deepEqual(outline(readText(lines('Subject: x', 'From here on: text', 'X: y', '', 'Hello'))), ['0 text/plain "Hello"', '1 text/plain "From here on: text\\r\\nX: y\\r\\n"'])
    const mbox = readText(lines('>From ann@example.org Mon Jan  5 10:00:00 2026', 'X: y', '', 'Hello'))
    assert.deepEqual([outline(mbox), [...mbox.defects]], [['0 text/plain "Hello"'], []])
  })
})

describe('what mail programs read though it is wrong', () => {
  const CASES: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
    ['no last delimiter', lines('Content-Type: multipart/mixed; boundary=a', '', '--a', '', 'one', '--a', '', 'two'), ['1 text/plain "one"', '1 text/plain "two"'], ['not-closed']],
    ['no last delimiter of an inner multipart', lines('Content-Type: multipart/mixed; boundary=a', '', '--a', 'Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'one', '--a', '', 'two', '--a--'), ['1 multipart/mixed', '2 text/plain "one"', '1 text/plain "two"'], ['not-closed']],
    ['parts behind the last delimiter', lines('Content-Type: multipart/mixed; boundary=a', '', '--a', '', 'one', '--a--', '', '--a', '', 'two', '--a--'), ['1 text/plain "one"', '1 text/plain "two"'], []],
    ['a part without a header and without an empty line', lines('Content-Type: multipart/mixed; boundary=a', '', '--a', 'one, and nothing else', 'two', '--a--'), ['1 text/plain "one, and nothing else\\r\\ntwo"'], []],
    ['text right behind the header', lines('Content-Type: multipart/mixed; boundary=a', '', '--a', 'Content-Type: text/html', '<p>text', '', 'more', '--a--'), ['1 text/html "<p>text\\r\\n\\r\\nmore"'], []],
    ['noise within the header', lines('Content-Type: multipart/mixed; boundary=a', '', '--a', 'noise', 'Content-Type: text/html', '', '<p>text', '--a--'), ['1 text/html "<p>text"'], []],
    ['a delimiter right behind the header', lines('Content-Type: multipart/mixed; boundary=a', '--a', 'Content-Type: text/html', '', '<p>text', '--a--'), ['1 text/html "<p>text"'], []],
    ['empty parts', lines('Content-Type: multipart/mixed; boundary=a', '', '--a', '--a', '', '--a', 'X: y', '--a--'), ['1 text/plain ""', '1 text/plain ""', '1 text/plain ""'], []],
    ['no boundary', lines('Content-Type: multipart/mixed', '', 'text'), ['1 text/plain "text"'], ['no-boundary']],
    ['no boundary, but delimiters', lines('Content-Type: multipart/mixed', '', 'preamble', '--guess', 'Content-Type: text/html', '', '<p>text', '--guess--'), ['1 text/html "<p>text"'], ['no-boundary']],
    ['another boundary', lines('Content-Type: multipart/mixed; boundary=a', '', '--guess', 'Content-Type: text/html', '', '<p>text', '--guess--'), ['1 text/html "<p>text"'], ['boundary-not-found']],
    ['a boundary that never comes', lines('Content-Type: multipart/mixed; boundary=a', '', 'text'), ['1 text/plain "text"'], ['boundary-not-found']],
    ['nothing in a multipart', lines('Content-Type: multipart/mixed; boundary=a', '', ''), [], ['boundary-not-found']],
    ['quotes that are of the boundary or not', lines("Content-Type: multipart/mixed; boundary='a'", '', '--a', '', 'text', '--a--'), ['1 text/plain "text"'], []],
    ['an empty boundary', lines('Content-Type: multipart/mixed; boundary=""', '', '--', '', 'text', '----'), ['1 text/plain "text"'], []],
    ['two types', lines('Content-Type: multipart/mixed; boundary=a', '', '--a', 'Content-Type: multipart/mixed; boundary=b', 'Content-Type: text/plain', '', 'text', '--b', '', 'part', '--b--', '--a--'), ['1 multipart/mixed', '2 text/plain "text"', '2 text/plain "part"'], ['duplicate-field', 'conflicting-fields']],
    ['a message in base64 that is said not to be', lines('Content-Type: message/rfc822', 'Content-Transfer-Encoding: 7bit', 'Content-Transfer-Encoding: base64', '', Buffer.from('Content-Type: text/html\r\n\r\n<p>text').toString('base64')), ['1 text/html "<p>text"'], ['duplicate-field', 'conflicting-fields', 'encoded-multipart']],
    ['a digest', lines('Content-Type: multipart/digest; boundary=a', '', '--a', '', 'Subject: x', '', 'one', '--a', 'Content-Type: text/plain', '', 'two', '--a--'), ['1 message/rfc822', '2 text/plain "one"', '1 text/plain "two"'], []],
    ['a message', lines('Content-Type: message/rfc822', '', 'Subject: inner', 'Content-Type: multipart/mixed; boundary=a', '', '--a', '', 'text', '--a--'), ['1 multipart/mixed', '2 text/plain "text"'], []],
    ['a message in base64', lines('Content-Type: message/rfc822', 'Content-Transfer-Encoding: base64', '', Buffer.from('Content-Type: text/html\r\n\r\n<p>text').toString('base64')), ['1 text/html "<p>text"'], ['encoded-multipart']],
    ['a message that is said to be in base64', lines('Content-Type: message/rfc822', 'Content-Transfer-Encoding: quoted-printable', '', 'Content-Type: text/html', '', '<p>a=3Db'), ['1 text/html "<p>a=b"'], ['encoded-multipart']],
    ['a multipart in base64', lines('Content-Type: multipart/mixed; boundary=a', 'Content-Transfer-Encoding: base64', '', Buffer.from('--a\r\n\r\ntext\r\n--a--').toString('base64')), ['1 text/plain "text"'], ['encoded-multipart']],
    ['a multipart that is said to be in base64', lines('Content-Type: multipart/mixed; boundary=a', 'Content-Transfer-Encoding: base64', '', '--a', '', 'text', '--a--'), ['1 text/plain "text"'], ['encoded-multipart']],
    ['a multipart in base64 without delimiters', lines('Content-Type: multipart/mixed; boundary=a', 'Content-Transfer-Encoding: base64', '', 'dGV4dA=='), ['1 text/plain "text"'], ['encoded-multipart', 'boundary-not-found']],
    ['a report', lines('Content-Type: multipart/report; boundary=a', '', '--a', 'Content-Type: message/delivery-status', '', 'Reporting-MTA: dns; a.example', '--a', 'Content-Type: text/rfc822-headers', '', 'Subject: x', '--a--'), ['1 message/delivery-status "Reporting-MTA: dns; a.example"', '1 text/rfc822-headers "Subject: x"'], []],
    ['a partial message', lines('Content-Type: message/partial; id=x; number=1', '', 'Content-Type: text/html', '', '<p>text'), ['1 text/html "<p>text"'], []],
    ['uuencoded files in a text', lines('Subject: x', '', 'text', 'begin 644 a.bin', '#86)C', '`', 'end', ''), ['1 application/octet-stream 3'], []],
    ['an mbox line on top', lines('From a@b.example Mon Jan  1 00:00:00 2024', 'Content-Type: text/html', '', '<p>'), [], []],
  ]
  for (const [name, text, parts, defects] of CASES) {
    test(name, () => {
      const message = readText(text)
      assert.deepEqual(outline(message).slice(1), parts)
      assert.deepEqual([...message.defects], defects)
    })
  }
})

test('of two encodings the one in which the content is', () => {
  const of = (type: string, encodings: readonly string[], text: string) => readText(lines(`Content-Type: ${type}`, ...encodings.map((one) => `Content-Transfer-Encoding: ${one}`), '', text)).parts[0]
  const twice = (one: string, other: string, text: string) => of('text/plain; charset=utf-8', [one, other], text)
  const base64 = Buffer.from('Two readings.').toString('base64')
  for (const part of [twice('7bit', 'base64', base64), twice('base64', '7bit', base64), twice('quoted-printable', 'base64', base64), twice('x-unheard-of', 'base64', base64)]) {
    assert.deepEqual([part?.text, part?.encoding], ['Two readings.', 'base64'])
  }
  for (const part of [twice('7bit', 'base64', 'Words without any punctuation in them'), twice('base64', '8bit', 'Words without any punctuation in them')]) assert.equal(part?.text, 'Words without any punctuation in them')
  assert.equal(twice('base64', 'quoted-printable', 'Gr=C3=BC=C3=9Fe!')?.text, 'Grüße!')
  assert.equal(of('application/octet-stream', ['7bit', 'base64'], 'AAEC')?.content.toString('hex'), '000102')
})

describe('defects', () => {
  const only = (text: string, limits = {}) => [...readText(text, limits).defects]
  test('of content', () => {
    assert.deepEqual(only('Content-Transfer-Encoding: base64\r\n\r\n!!!!'), ['broken-encoding'])
    assert.deepEqual(only('Content-Transfer-Encoding: x-unheard-of\r\n\r\ntext'), ['unknown-encoding'])
    assert.deepEqual(only('Content-Type: text/plain; charset=unheard-of\r\n\r\ntext'), ['unknown-charset'])
    assert.deepEqual(only('Content-Type: text/plain; charset=us-ascii\r\n\r\n\xe4'), ['broken-charset'])
    assert.deepEqual(only('Content-Type: what\r\n\r\ntext'), ['broken-field'])
  })

  test('of bounds', () => {
    assert.deepEqual(only('A: b\r\nC: d\r\n\r\ntext', { maxMessageHeaderBytes: 8 }), ['header-too-long'])
    assert.deepEqual(only('A: b\r\nC: d\r\n\r\ntext', { maxFields: 1 }), ['too-many-fields'])
    assert.deepEqual(only('\r\ntext', { maxTextBytes: 3 }), ['too-long'])
    assert.deepEqual(only('Content-Type: image/png\r\n\r\ntext', { maxOtherBytes: 3 }), [])
    assert.deepEqual(only(MIXED, { maxParts: 3 }), ['too-many-parts'])
    assert.deepEqual(only(MIXED, { maxDepth: 1 }), ['too-deep'])
  })

  test('what is cut says so, and keeps its size', () => {
    const [part] = readText('Content-Type: image/png\r\n\r\nabcdef', { maxOtherBytes: 3 }).parts
    assert.deepEqual([part?.content.toString(), part?.truncated, part?.encodedBytes], ['abc', true, 6])
    const [text] = readText('Content-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa4\xc3\xa4\xc3\xa4', { maxTextBytes: 3 }).parts
    assert.deepEqual([text?.text, text?.truncated, text?.defects], ['ä', true, ['too-long']])
    const [encoded] = readText('Content-Transfer-Encoding: base64\r\n\r\nYWJjZGVm', { maxTextBytes: 3 }).parts
    assert.deepEqual([encoded?.text, encoded?.truncated], ['abc', true])
  })

  test('others leave room for text', () => {
    const message = readText(lines('Content-Type: multipart/mixed; boundary=a', '', '--a', 'Content-Type: image/png', '', 'x'.repeat(100), '--a', '', 'text', '--a--'), { maxHeldBytes: 20, maxTextBytes: 10 })
    assert.deepEqual(outline(message).slice(1), ['1 image/png 9', '1 text/plain "text"'])
  })

  test('what is too deep is there, and of what is in it the texts', () => {
    const message = readText(MIXED, { maxDepth: 1 })
    assert.deepEqual(outline(message), ['0 multipart/mixed', '1 multipart/alternative', '1 text/plain "Grüße\\r\\n"', '1 text/html "<p>Grüße"', '1 application/pdf 9'])
    assert.deepEqual([...message.defects], ['too-deep'])
    const open = (count: number) => Array.from({ length: count }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`).join('')
    for (const count of [21, 30, 40]) assert.equal(readText(`${open(count)}Content-Type: text/html\r\n\r\n<p>text`).parts.at(-1)?.text, '<p>text', `${count}`)
    const deeper = readText(`${open(300)}\r\ntext`)
    assert.deepEqual([deeper.parts.length, [...deeper.defects]], [MIME_LIMITS.maxDepth + 1, ['not-closed', 'too-deep']])
  })

  test('of too many parts the texts are kept, as far as there is room for them', () => {
    const mixed = (...parts: string[]) => readText(`Content-Type: multipart/mixed; boundary=a\r\n\r\n${parts.map((part) => `--a\r\n${part}\r\n`).join('')}--a--\r\n`)
    const text = 'Content-Type: text/html\r\n\r\n<p>text'
    const image = 'Content-Type: image/png\r\n\r\nx'
    const nested = `Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n${image}\r\n--i\r\n${text}\r\n--i--`
    for (const other of ['\r\n', '\r\n \t\r\n', image]) {
      for (const last of [text, nested]) {
        const message = mixed(...Array.from({ length: 2000 }, () => other), last)
        assert.deepEqual([message.parts.length, message.parts.at(-1)?.text, message.defects.has('too-many-parts')], [501, '<p>text', true])
      }
    }
    assert.ok(mixed(...Array.from({ length: 20_000 }, () => image), text).parts.every(({ type }) => type !== 'text/html'))
    assert.deepEqual([...mixed(...Array.from({ length: 499 }, () => image)).defects], [])
  })

  test('of a text that is too long its end is read, too', () => {
    const padding = `${'<!-- nothing at all -->'.repeat(3)}\r\n`.repeat(20_000)
    for (const encode of [(text: string) => text, (text: string) => Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\r\n'), (text: string) => text.replaceAll('-', '=2D')]) {
      const encoding = encode('-').length === 1 ? '8bit' : encode('-') === '=2D' ? 'quoted-printable' : 'base64'
      const [part] = readText(`Content-Type: text/html\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${encode(`<p>Begin${padding}${padding}<p>The end, at last`)}`).parts
      assert.ok(part?.text !== undefined)
      assert.ok(part.text.startsWith('<p>Begin<!--'), encoding)
      assert.ok(part.text.endsWith('<!-- nothing at all -->\r\n<p>The end, at last'), encoding)
      assert.deepEqual([part.defects, part.truncated], [['too-long'], true], encoding)
      assert.ok(part.content.length <= MIME_LIMITS.maxTextBytes && part.content.length > MIME_LIMITS.maxTextBytes * 0.9, encoding)
    }
    // nothing is missing: it is a whole
    const exact = 'x'.repeat(MIME_LIMITS.maxTextBytes)
    assert.deepEqual([readText(`\r\n${exact}`).parts[0]?.text === exact, readText(`\r\n${exact}`).defects.size, [...readText(`\r\n${exact}y`).defects]], [true, 0, ['too-long']])
  })

  test('other parts do not use up the room for the first texts', () => {
    const mixed = (...parts: string[]) => readText(`Content-Type: multipart/mixed; boundary=a\r\n\r\n${parts.map((part) => `--a\r\n${part}\r\n`).join('')}--a--\r\n`)
    const large = (type: string, encoding: string) => `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(15_000)}`
    for (const encoding of ['7bit', 'quoted-printable']) {
      for (const type of ['text/css', 'image/png', 'text/plain']) assert.equal(mixed(...Array.from({ length: 5 }, () => large(type, encoding)), 'Content-Type: text/html\r\n\r\n<p>text').parts.at(-1)?.text, '<p>text', type)
      for (const type of ['text/css', 'image/png', 'text/html']) assert.equal(mixed(...Array.from({ length: 5 }, () => large(type, encoding)), 'Content-Type: text/plain\r\n\r\ntext').parts.at(-1)?.text, 'text', type)
    }
    const comment = mixed(...Array.from({ length: 5 }, () => large('text/css', '7bit')), `Content-Type: text/html\r\n\r\n<!--${'x'.repeat(2_000_000)}--><p>text`).parts.at(-1)
    assert.ok(comment?.text?.endsWith('--><p>text'))
  })

  test('uuencoded files in a text leave room for parts behind it', () => {
    const message = readText(lines('Content-Type: multipart/mixed; boundary=a', '', '--a', '', 'begin 644 a\r\n!    \r\n'.repeat(600), '--a', 'Content-Type: text/html', '', '<p>text', '--a--'))
    assert.deepEqual([message.parts.length, message.parts.at(-1)?.text], [108, '<p>text'])
    assert.ok(message.parts[1]?.defects.includes('too-many-parts'))
  })
})

test('HTML says what it is written in, where the field does not', () => {
  const html = (type: string, meta: string) => readText(`Content-Type: ${type}\r\n\r\n<html>${meta}<p>\xcf`).parts[0]?.text?.slice(-1)
  assert.equal(html('text/html', '<meta charset=windows-1251>'), 'П')
  assert.equal(html('text/html', '<META http-equiv="Content-Type" content="text/html; charset=koi8-r">'), 'о')
  assert.equal(html('text/html; charset=iso-8859-1', '<meta charset=windows-1251>'), 'Ï')
  assert.equal(html('text/plain', '<meta charset=windows-1251>'), 'Ï')
})

test('a small part does not keep the piece that it came in', () => {
  const padding = 'y'.repeat(200_000)
  const message = readText(`Content-Type: multipart/mixed; boundary=a\r\n\r\n${padding}\r\n--a\r\nContent-Type: image/gif\r\n\r\nGIF89a\r\n--a--\r\n`)
  assert.ok((message.parts[1]?.content.buffer.byteLength ?? 0) < padding.length)
})

test('the bounds that hold where none are given', () => {
  assert.deepEqual(MIME_LIMITS, { maxDepth: 20, maxParts: 525, maxMessageHeaderBytes: 262_144, maxHeaderBytes: 65_536, maxFields: 2000, maxTextBytes: 1_048_576, maxOtherBytes: 262_144, maxHeldBytes: 3_670_016 })
})

test('of the message as it stands so much is held and no more, whatever its pieces', () => {
  for (const size of [1000, MAX_SOURCE_BYTES - 1, MAX_SOURCE_BYTES, MAX_SOURCE_BYTES + 1, 3 * MAX_SOURCE_BYTES]) {
    const whole = Buffer.from(`Subject: x\r\n\r\n${'0123456789'.repeat(100_000)}`).subarray(0, size)
    for (const piece of [7919, size]) {
      const pieces = Array.from({ length: Math.ceil(size / piece) }, (_, i) => whole.subarray(i * piece, (i + 1) * piece))
      const { source, size: told } = readPieces(pieces)
      assert.equal(told, whole.length)
      assert.ok(Buffer.concat(source).equals(whole.subarray(0, MAX_SOURCE_BYTES)), `${size} in pieces of ${piece}`)
    }
  }
})

test('HTML cannot say of itself that it is written in what it could not be read in so far', () => {
  for (const charset of ['utf-7', 'utf-16', 'UTF-16LE', 'utf-32', 'unicode', 'csunicode', 'unicodefeff', 'ISO-10646-UCS-2', 'cp1200', 'ucs2', 'unicode11', 'unicodebig', '12000', 'x-ucs-4', 'csutf7', '65000']) assert.equal(readText(`Content-Type: text/html\r\n\r\n<meta charset=${charset}>+ADw-\xc3\xa4`).parts[0]?.text?.slice(-6), '+ADw-ä', charset)
})
