import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeaderName, HeaderPart, PartRange } from '../../../../../src/spam/spamassassin/texts/spam-text.ts'
import { factsOf } from '../../../../support/rules.ts'
import { spamMessage } from '../../../../support/spamassassin.ts'

const MESSAGE = `Received: from a.example (a.example [192.0.2.1])
\tby mx.example with ESMTP;
  Mon, 1 Jan 2024 00:00:00 +0000
Received: from b.example by c.example
From: =?utf-8?Q?J=C3=B6rg?=  "The  Boss"
\t <Joe@Example.ORG>
To: ann@example.com
Cc: "Bob B" <bob@example.com>
subject:   =?iso-8859-1?Q?H=E4llo?=
 =?utf-8?B?w6RiYw==?=
  folded  text${'  '}
X-Message-Id: <c@d>
Message-ID: <a@b>
X-Bytes: caf\xe9
Content-Type: multipart/mixed; boundary=xx

before
--xx
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

First   line h=E4llo
second line

Second paragraph
--xx
Content-Type: text/html;
 charset=utf-8

<title>The title</title><p>Shown <span style="display:none">hidden</span> <a href="http://%77ww.ex%61mple.com:80/A%2eb?q=1&amp;x">link</a></p>
--xx--
`

function header(name: HeaderName, { raw = false, take, which = 'each', unset = '', message = MESSAGE, facts = {} }: { readonly raw?: boolean; readonly take?: HeaderPart; readonly which?: 'each' | 'first' | 'last'; readonly unset?: string; readonly message?: string; readonly facts?: Readonly<Record<string, readonly string[]>> } = {}) {
  const pieces = spamMessage(message, factsOf(facts)).pieces({ of: 'header', name, raw, take, which, unset })
  assert.ok(pieces === undefined || pieces.length === 1)
  return pieces?.[0]
}

test('fields: unfolded, decoded to UTF-8, all of a name, each with a line feed', () => {
  assert.equal(header('received'), 'from a.example (a.example [192.0.2.1]) by mx.example with ESMTP; Mon, 1 Jan 2024 00:00:00 +0000\nfrom b.example by c.example\n')
  assert.equal(header('received', { which: 'last' }), 'from b.example by c.example\n')
  assert.equal(header('subject'), 'H\xc3\xa4llo\xc3\xa4bc folded  text\n')
  assert.equal(header('x-bytes'), 'caf\xc3\xa9\n')
  assert.equal(header('x-bytes', { raw: true }), ' caf\xe9\n')
  assert.equal(header('x-none'), '')
  assert.equal(header('x-none', { unset: 'NONE' }), 'NONE')
})

test('a byte of a letter at the end of a field is no blank', () => {
  assert.equal(header('subject', { message: 'Subject: \xc3\xa0 voil\xc3\xa0\n\n' }), '\xc3\xa0 voil\xc3\xa0\n')
  assert.equal(header('from', { take: 'name', message: 'From: \xc3\xa0 \xe3\x82\xa0 b <a@b.test>\n\n' }), '\xc3\xa0 \xe3\x82\xa0 b')
})

test('fields that programs make have no encoded words', () => {
  assert.equal(header('list-id', { message: 'List-Id: =?utf-8?Q?x?=\n\n' }), '=?utf-8?Q?x?=\n')
  assert.equal(header('message-id', { message: 'Message-ID: <=?utf-8?Q?x?=@y>\n\n' }), '<=?utf-8?Q?x?=@y>\n')
  assert.equal(header('x-list', { message: 'X-List: =?utf-8?Q?x?=\n\n' }), 'x\n')
})

test('raw fields are as they stand', () => {
  assert.equal(header('subject', { raw: true }), '   =?iso-8859-1?Q?H=E4llo?=\n =?utf-8?B?w6RiYw==?=\n  folded  text  \n')
  assert.equal(header('ALL', { raw: true })?.startsWith('Received: from a.example (a.example [192.0.2.1])\n\tby mx'), true)
  assert.match(header('ALL') ?? '', /^Received: from b\.example by c\.example\nFrom: J\xc3\xb6rg {2}"The {2}Boss" <Joe@Example\.ORG>\nTo: ann/m)
})

test('addresses, names, hosts of fields', () => {
  assert.equal(header('from', { take: 'addr' }), 'Joe@Example.ORG')
  assert.equal(header('from', { take: 'name' }), 'J\xc3\xb6rg The Boss')
  assert.equal(header('from', { take: 'host' }), 'Example.ORG')
  assert.equal(header('from', { take: 'domain' }), 'example.org')
  assert.equal(header('to', { take: 'addr', message: 'To: a@x.test, B <b@y.test>\n\n' }), 'a@x.test\nb@y.test')
})

test('what stands for several fields, or for the envelope', () => {
  assert.equal(header('ToCc'), 'ann@example.com\n"Bob B" <bob@example.com>\n')
  assert.equal(header('ToCc', { take: 'addr' }), 'ann@example.com\nbob@example.com')
  assert.equal(header('ToCc', { take: 'name' }), 'Bob B')
  assert.equal(header('MESSAGEID'), '<c@d>\n<a@b>\n')
  assert.equal(header('EnvelopeFrom'), undefined)
  assert.equal(header('EnvelopeFrom', { facts: { sender: ['x@y.test'] } }), 'x@y.test')
  assert.equal(header('return-path', { facts: { sender: ['x@y.test'] } }), '<x@y.test>\n')
  assert.equal(header('return-path', { facts: { sender: ['x@y.test'] }, take: 'addr' }), 'x@y.test')
  assert.equal(header('return-path', { facts: { sender: ['x@y.test'] }, message: 'Return-Path: <z@y.test>\n\n' }), '<z@y.test>\n')
})

test('the client, as the first relay', () => {
  const facts = { client: ['192.0.2.1'], client_name: ['dsl.example.net'], helo_name: ['[odd] name'], sender: ['x@y.test'] }
  assert.equal(header('X-Spam-Relays-External', { facts }), '[ ip=192.0.2.1 rdns=dsl.example.net helo=!odd!name by= ident= envfrom=x@y.test intl=0 id= auth= msa=0 ]')
  assert.equal(header('X-Spam-Relays-External', { facts: { ...facts, client_name: [] } }), '[ ip=192.0.2.1 rdns= helo=!odd!name by= ident= envfrom=x@y.test intl=0 id= auth= msa=0 ]')
  assert.equal(header('X-Spam-Relays-External', { facts: { client: ['192.0.2.1'] } }), undefined)
})

test('bodies: rendered in UTF-8, raw as it is encoded, whole as it stands', () => {
  const message = spamMessage(MESSAGE)
  assert.deepEqual(message.pieces({ of: 'body', subject: true }), ['H\xc3\xa4llo\xc3\xa4bc folded  text\n', 'First line h\xc3\xa4llo second line\n', 'Second paragraph\n', 'The title\n', 'Shown link\n', 'hidden\n'])
  assert.deepEqual(message.pieces({ of: 'body', subject: false })?.[0], 'First line h\xc3\xa4llo second line\n')
  assert.match(message.pieces({ of: 'rawbody' })?.[0] ?? '', /^First {3}line h\xe4llo\nsecond line\n\nSecond/)
  assert.equal(message.pieces({ of: 'full' })?.[0], MESSAGE)
  assert.deepEqual(message.pieces({ of: 'uri' }), ['http://%77ww.ex%61mple.com:80/A%2eb?q=1&x', 'http://www.example.com/A.b?q=1&x'])
})

test('text that is attached is part of the bodies, and a calendar is not', () => {
  const part = (type: string, text: string, more = '') => `--b\nContent-Type: ${type}\nContent-Disposition: attachment\n${more}\n${text}\n`
  const message = spamMessage(`Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n${part('text/plain', 'plain')}${part('text/csv', 'csv')}${part('text/html', '<p>html')}${part('text/calendar', 'calendar')}${part('text/x-vcard', 'card')}${part('application/octet-stream; name=x.htm', '<p>named')}${part('image/svg+xml', '<p>drawn')}--b--\n`)
  assert.deepEqual(message.pieces({ of: 'body', subject: false }), ['hello\n', 'plain\n', 'csv\n', 'html\n', 'named\n'])
  assert.deepEqual(message.pieces({ of: 'rawbody' }), ['hello', 'plain', 'csv', '<p>html', 'card', '<p>named'])
})

test('links of the subject, of attached and of hidden text are URIs', () => {
  const message = spamMessage('Subject: see http://subject.example.com/\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhttp://text.example.com/\n--b\nContent-Type: text/csv\n\nhttp://csv.example.com/\n--b\nContent-Type: text/html\n\n<p>x<span style="display:none"> http://hidden.example.com/ </span>\n--b--\n')
  assert.deepEqual(message.pieces({ of: 'uri' }), ['text', 'subject', 'csv', 'hidden'].map((name) => `http://${name}.example.com/`))
})

test('mail addresses of plain text with a subject are URIs as they stand', () => {
  const message = spamMessage('Subject: s\n\nWrite to mailto:leave@list.test?subject=unsubscribe%20me, or <MAILTO:x@list.test?body=a&cc=b>. Not mailto:y@list.test? or mailto:?subject=x\n')
  const uris = message.pieces({ of: 'uri' }) ?? []
  assert.deepEqual(uris.filter((uri) => uri.includes('?')), ['mailto:leave@list.test?subject=unsubscribe%20me', 'MAILTO:x@list.test?body=a&cc=b'])
})

test('fields of parts, one by one', () => {
  const message = spamMessage(MESSAGE)
  assert.deepEqual(message.pieces({ of: 'part-header', name: 'content-type', raw: false }), ['multipart/mixed; boundary=xx\n', 'text/plain; charset=iso-8859-1\n', 'text/html; charset=utf-8\n'])
  assert.deepEqual(message.pieces({ of: 'part-header', name: 'content-id', raw: false }), [''])
  assert.deepEqual(message.pieces({ of: 'part-header', name: 'content-transfer-encoding', raw: true }), ['', 'quoted-printable\n'])
})

test('what counts for parts without a field; all fields of a part; a fold at a tab is a blank', () => {
  const fields = (message: string, name: string, more: { readonly unset?: string; readonly parts?: PartRange } = {}) => spamMessage(message).pieces({ of: 'part-header', name, raw: false, ...more })
  assert.deepEqual(fields(MESSAGE, 'content-transfer-encoding', { unset: 'NONE' }), ['NONE', 'quoted-printable\n'])
  assert.deepEqual(fields(MESSAGE, 'content-transfer-encoding', { unset: 'NONE', parts: { from: 1, to: 9, joined: true } }), ['NONE\nquoted-printable\nNONE\n'])
  assert.deepEqual(fields('SUBJECT: =?utf-8?Q?=C3=A4?=\nContent-Type: text/plain;\n\tcharset=x\n\nx', 'ALL'), ['SUBJECT: \xc3\xa4\nContent-Type: text/plain; charset=x\n'])
})

test('fields of some parts, and of all as one text', () => {
  const fields = (name: string, [from, to]: readonly [number, number], joined = false) => spamMessage(MESSAGE).pieces({ of: 'part-header', name, raw: false, parts: { from, to, joined } })
  assert.deepEqual(fields('content-type', [2, 2]), ['text/plain; charset=iso-8859-1\n'])
  assert.deepEqual(fields('content-type', [0, 2]), ['multipart/mixed; boundary=xx\n', 'text/plain; charset=iso-8859-1\n'])
  assert.deepEqual(fields('content-type', [4, 9]), [])
  assert.deepEqual(fields('content-type', [0, 0]), [])
  assert.deepEqual(fields('content-transfer-encoding', [1, 1000], true), ['\nquoted-printable\n\n'])
})

test('long paragraphs and raw bodies come in pieces, none of it lost', () => {
  const long = spamMessage(`Subject: x\n\n${'word '.repeat(2000)}\n${'y'.repeat(9000)}`)
  const body = long.pieces({ of: 'body', subject: false }) ?? []
  assert.ok(body.every((piece) => piece.length <= 2049) && body.length > 8)
  assert.equal(body.join('').replace(/\s+/g, ' ').trim().length, 'word '.length * 2000 + 9000)
  const raw = long.pieces({ of: 'rawbody' }) ?? []
  assert.ok(raw.every((piece) => piece.length <= 4096) && raw.length >= 4)
  assert.equal(raw.join(''), `${'word '.repeat(2000)}\n${'y'.repeat(9000)}`)
})

test('a raw body is cut behind the first line end of its second half, or the first tag, or the first blank', () => {
  const piecesOf = (text: string) => spamMessage(`Subject: x\n\n${text}`).pieces({ of: 'rawbody' })?.map(({ length }) => length)
  assert.deepEqual(piecesOf(`${'x'.repeat(2100)}\n${'x'.repeat(500)}\n${'x'.repeat(3000)}`), [2101, 3501])
  assert.deepEqual(piecesOf(`${'x'.repeat(2100)}>${'x'.repeat(500)} ${'x'.repeat(3000)}`), [2101, 3501])
  assert.deepEqual(piecesOf(`${'x'.repeat(2600)} ${'x'.repeat(3000)}`), [2601, 3000])
  assert.deepEqual(piecesOf('x'.repeat(5000)), [2049, 2951])
})

test('of many attached texts no more is looked at than of a long one', () => {
  const message = spamMessage(`Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n${`--b\nContent-Disposition: attachment\n\n${'word '.repeat(12_000)}\n`.repeat(50)}--b--\n`)
  const lengthOf = (of: 'body' | 'rawbody') => message.pieces(of === 'body' ? { of, subject: false } : { of })?.join('').length ?? 0
  assert.ok(lengthOf('body') > 400_000 && lengthOf('body') < 600_000, `${lengthOf('body')}`)
  assert.ok(lengthOf('rawbody') > 1_900_000 && lengthOf('rawbody') <= 2_000_000, `${lengthOf('rawbody')}`)
})

test('what is hostile takes as long as it is', () => {
  for (const text of ['mailto:', 'mailto:aaa?', 'mailto:a@b?c', '?']) spamMessage(`Subject: x\n\n${text.repeat(50_000)}`).pieces({ of: 'uri' })
  for (const value of [' '.repeat(250_000), '\n '.repeat(100_000), '=?'.repeat(100_000), '('.repeat(200_000), '"\\'.repeat(100_000)]) {
    const message = spamMessage(`From: ${value}\nSubject: x\n\n<title`.concat('<title'.repeat(10_000)))
    for (const raw of [true, false]) for (const take of [undefined, 'addr', 'name'] as const) message.pieces({ of: 'header', name: 'from', raw, take, which: 'each', unset: '' })
    message.pieces({ of: 'header', name: 'ALL', raw: false, take: undefined, which: 'each', unset: '' })
    message.pieces({ of: 'body', subject: true })
    message.answer({ ask: 'html-tag', name: 'title' })
  }
})

test('a long paragraph is cut behind a blank where there is one', () => {
  const words = 'seven12 '.repeat(300).trim()
  const pieces = spamMessage(`Subject: x\n\n${words} ${'x'.repeat(3000)}\n`).pieces({ of: 'body', subject: false }) ?? []
  assert.deepEqual(pieces.map(({ length }) => length), [2048, 352, 2048, 953])
  assert.ok(pieces[0]?.endsWith('seven12 ') === true && pieces[1]?.endsWith('seven12 ') === true && pieces[2]?.endsWith('x') === true)
  assert.equal(pieces.join(''), `${words} ${'x'.repeat(3000)}\n`)
})

test('a word that ends where the cut would be goes into the next piece', () => {
  const pieces = spamMessage(`Subject: x\n\n${'sixteen-letters '.repeat(127)}${'y'.repeat(40)} end\n`).pieces({ of: 'body', subject: false }) ?? []
  assert.deepEqual(pieces, ['sixteen-letters '.repeat(127), `${'y'.repeat(40)} end\n`])
})
