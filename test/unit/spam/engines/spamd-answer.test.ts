import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_ANSWER_BYTES, parseSpamdAnswer, reportedSymbols, SpamdAnswerReader } from '../../../../src/spam/engines/spamd-answer.ts'

const REPORT = [
  'Spam detection software, running on the system "mx.example",',
  'has identified this incoming email as possible spam.',
  '',
  'Content preview:  Buy now.  9.9 NOT_A_RULE',
  '   7.0 NEITHER_IS_THIS  Yes it is',
  '',
  'Content analysis details:   (12.4 points, 5.0 required)',
  '',
  ' pts rule name              description',
  '---- ---------------------- --------------------------------------------------',
  ' 0.6 MISSING_MID            Missing Message-Id: header',
  '-0.0 NO_RELAYS              Informational: message was not relayed via SMTP',
  '1000 GTUBE                  BODY: Generic Test for Unsolicited Bulk Email',
  ' 2.5 URIBL_BLACK            Contains an URL listed in the URIBL blacklist',
  '                            [URIs: spam.example]',
  ' 1.0 NAME_ONLY',
  '',
  'And what a site writes below it:',
  ' 3.0 NO_RULE_EITHER         Good bye',
].join('\n')

const SYMBOLS = [
  { name: 'MISSING_MID', score: 0.6, description: 'Missing Message-Id: header' },
  { name: 'NO_RELAYS', score: -0, description: 'Informational: message was not relayed via SMTP' },
  { name: 'GTUBE', score: 1000, description: 'BODY: Generic Test for Unsolicited Bulk Email' },
  { name: 'URIBL_BLACK', score: 2.5, description: 'Contains an URL listed in the URIBL blacklist [URIs: spam.example]' },
  { name: 'NAME_ONLY', score: 1 },
]

const answerOf = (report: string, spam = 'Spam: True ; 1004.1 / 5.0'): string => `SPAMD/1.1 0 EX_OK\r\nContent-length: ${report.length}\r\n${spam}\r\n\r\n${report}`

test('the table of a report, and nothing of the preview above it or the text below', () => {
  assert.deepEqual(reportedSymbols(REPORT), SYMBOLS)
  assert.deepEqual(reportedSymbols(REPORT.replaceAll('\n', '\r\n')), SYMBOLS)
  const [preview, table] = REPORT.split('Content analysis') as [string, string]
  const forged = `${preview}---- ---- ----\n 9.0 FORGED It is not\nContent analysis${table}`
  assert.deepEqual(reportedSymbols(forged), SYMBOLS)
  assert.deepEqual(reportedSymbols('A site without a table\n 1.0 NOTHING'), [])
})

test('an answer is read alike wherever it is cut, and needs no end of the connection', () => {
  const bytes = Buffer.from(answerOf(REPORT), 'latin1')
  for (let cut = 0; cut <= bytes.length; cut++) {
    const reader = new SpamdAnswerReader()
    const first = reader.push(bytes.subarray(0, cut))
    assert.equal(first, cut === bytes.length ? 'whole' : 'more')
    assert.equal(reader.push(bytes.subarray(cut)), 'whole')
    const answer = reader.answer()
    assert.ok(answer?.status === 'ok')
    assert.deepEqual(answer.verdict, { spam: true, score: 1004.1, threshold: 5 })
    assert.deepEqual(answer.symbols, SYMBOLS)
  }
  const slow = new SpamdAnswerReader()
  bytes.forEach((byte, i) => assert.equal(slow.push(Buffer.of(byte)), i === bytes.length - 1 ? 'whole' : 'more'))
})

test('without a length the end of the connection is the end', () => {
  const reader = new SpamdAnswerReader()
  assert.equal(reader.push(Buffer.from('SPAMD/1.1 0 EX_OK\r\nSpam: False ; -1.2 / 5.0\r\n\r\nhello')), 'more')
  assert.equal(reader.end(), 'whole')
  const answer = reader.answer()
  assert.ok(answer?.status === 'ok')
  assert.deepEqual(answer.verdict, { spam: false, score: -1.2, threshold: 5 })
})

test('an error is one line, with or without the empty one behind it', () => {
  for (const text of ['SPAMD/1.0 76 Bad header line: (header)\r\n', 'SPAMD/1.0 79 Timeout: (30 second timeout)\r\n\r\n']) {
    const reader = new SpamdAnswerReader()
    reader.push(Buffer.from(text))
    assert.equal(reader.end(), 'whole')
    const answer = reader.answer()
    assert.ok(answer?.status === 'error')
    assert.match(answer.text, /^7[69] /)
  }
})

test('what is no answer of spamd is none', () => {
  for (const text of ['', 'HTTP/1.1 200 OK\r\n\r\n', 'SPAMD/1.1 zero EX_OK\r\n\r\n', '\r\n\r\n', '{}']) assert.equal(parseSpamdAnswer(text), undefined, text)
  for (const field of ['Spam: maybe', 'Spam: True ; 5', 'Spam: True ; . / .', 'Spam: True ; 1.2.3 / 5', 'X-Spam: True ; 5 / 5']) {
    const answer = parseSpamdAnswer(answerOf('', field))
    assert.ok(answer?.status === 'ok')
    assert.equal(answer.verdict, undefined, field)
  }
  const brokenOff = new SpamdAnswerReader()
  brokenOff.push(Buffer.from(answerOf(REPORT).slice(0, -1)))
  assert.equal(brokenOff.end(), 'bad')
  const nothing = new SpamdAnswerReader()
  assert.equal(nothing.end(), 'bad')
})

test('neither head nor answer is longer than its bound', () => {
  const head = new SpamdAnswerReader()
  let state = head.push(Buffer.from('SPAMD/1.1 0 EX_OK\r\n'))
  for (let i = 0; i < 1000 && state === 'more'; i++) state = head.push(Buffer.from('X: y\r\n'.repeat(100)))
  assert.equal(state, 'bad')
  assert.equal(new SpamdAnswerReader().push(Buffer.from('SPAMD/1.1 0 EX_OK\r\nContent-length: 999999999\r\n\r\n')), 'bad')
  const endless = new SpamdAnswerReader()
  state = endless.push(Buffer.from('SPAMD/1.1 0 EX_OK\r\nSpam: True ; 5 / 5\r\n\r\n'))
  let bytes = 0
  while (state === 'more') {
    state = endless.push(Buffer.alloc(10_000, ' '))
    bytes += 10_000
  }
  assert.equal(state, 'bad')
  assert.ok(bytes <= MAX_ANSWER_BYTES + 10_000)
})

test('a report full of rows gives those that weigh most, soon', () => {
  const rows = Array.from({ length: 5000 }, (_, i) => ` ${i}.0 RULE_${i} ${'x '.repeat(10)}`)
  const symbols = reportedSymbols(`--- --- ---\n${rows.join('\n')}`)
  assert.equal(symbols.length, 100)
  assert.equal(symbols[0]?.name, 'RULE_999')
})
