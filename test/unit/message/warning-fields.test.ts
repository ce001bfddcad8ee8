import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spamFields, warningField } from '../../../src/message/warning-fields.ts'
import { unfold, valueText } from '../../../src/message/header-field.ts'
import { Random } from '../../support/fuzzing.ts'
import { sectionOf } from '../../support/stored-message.ts'

test('warnings in the words of the mail guides', () => {
  assert.equal(warningField('192.0.2.1 is in a black list at zen.spamhaus.org'), 'X-Warning: 192.0.2.1 is in a black list at zen.spamhaus.org\r\n')
  assert.equal(warningField('2001:db8::1 is not allowed to send mail from example.org'), 'X-Warning: 2001:db8::1 is not allowed to send mail from example.org\r\n')
})

test('a long warning is folded and unfolds to itself; one that says nothing is none', () => {
  const text = `192.0.2.1 is not allowed to send mail from ${'long.'.repeat(20)}example, as its owner says`
  const field = warningField(text)
  assert.equal(field.split('\r\n').length, 4)
  assert.equal(unfold(valueText(sectionOf(`${field}\r\n`).fields[0]!)), ` ${text}`)
  assert.equal(warningField(''), '')
  assert.equal(warningField(' \r\n\t'), '')
})

const spam = { spam: true, score: 7.3, required: 5, tests: ['A_1', 'DNSBL_ZEN', 'SPF_FAIL'] }

test('a scored message', () => {
  assert.equal(spamFields(spam), 'X-Spam-Flag: YES\r\nX-Spam-Score: 7.3\r\nX-Spam-Level: *******\r\nX-Spam-Status: Yes, score=7.3 required=5.0 tests=A_1,DNSBL_ZEN,SPF_FAIL\r\n')
  assert.equal(spamFields({ spam: false, score: 0.25, required: 5, tests: [] }), 'X-Spam-Score: 0.25\r\nX-Spam-Status: No, score=0.25 required=5.0 tests=none\r\n')
})

test('a score never reads as more than it is', () => {
  for (const [score, text] of [[4.999, '4.99'], [5, '5.0'], [0, '0.0'], [-0, '0.0'], [-1.5, '-1.5'], [-0.001, '-0.01'], [4.35, '4.35'], [0.1 + 0.2, '0.3'], [1.1 * 3, '3.3'], [12.34, '12.34'], [1e6, '1000000.0']] as const) {
    assert.match(spamFields({ ...spam, score }), new RegExp(`^X-Spam-Score: ${text.replace('.', '\\.')}\r$`, 'm'), String(score))
  }
  for (const score of [NaN, Infinity, -Infinity]) {
    assert.throws(() => spamFields({ ...spam, score }), RangeError)
    assert.throws(() => spamFields({ ...spam, required: score }), RangeError)
  }
})

test('a star for each whole point, fifty at most, none for less than one', () => {
  for (const [score, stars] of [[1, 1], [1.99, 1], [50, 50], [51, 50], [1e9, 50]] as const) assert.match(spamFields({ ...spam, score }), new RegExp(`^X-Spam-Level: \\*{${stars}}\r$`, 'm'))
  for (const score of [0, 0.99, -7]) assert.doesNotMatch(spamFields({ ...spam, score }), /X-Spam-Level/)
})

test('a long list of tests is folded behind its commas, and bounded', () => {
  const tests = Array.from({ length: 300 }, (_, i) => `TEST_NUMBER_${i}`)
  const field = spamFields({ ...spam, tests }).split('X-Spam-Status: ')[1]!
  const lines = field.split('\r\n').slice(0, -1)
  assert.ok(lines.every((line, i) => line.length <= 78 && (i === lines.length - 1 || i === 0 || line.endsWith(','))), field)
  assert.equal(field.replaceAll('\r\n ', '').replaceAll('\r\n', '').split('tests=')[1], `${tests.slice(0, 200).join(',')},...`)
})

test('whatever strangers say, the fields are ours and nobody else\'s', () => {
  const words = ['\r\nX-Spam-Flag: NO', '\n', '\r', '\0', ' ', ',', '\t', 'tests=', 'x'.repeat(1000), '\xe4', '€', 'word', '\r\n\r\n']
  for (let seed = 0; seed < 3000; seed++) {
    const random = new Random(seed)
    const say = () => random.soup(words, 12)
    const written = warningField(`w${say()}`) + spamFields({ ...spam, tests: [say(), say(), say()] })
    const section = sectionOf(`${written}From: a\r\nDate: b\r\n\r\n`)
    assert.deepEqual([section.anomalies.size, section.fields.map(({ name }) => name)], [0, ['X-Warning', 'X-Spam-Flag', 'X-Spam-Score', 'X-Spam-Level', 'X-Spam-Status', 'From', 'Date']], written)
    assert.match(written, /^[\x20-\x7e\r\n]*$/)
    assert.match(unfold(valueText(section.fields[4]!)), /^ Yes, score=7\.3 required=5\.0 tests=[\w.,\- ]+$/)
  }
})
