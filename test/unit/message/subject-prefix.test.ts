import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editMessage } from '../../../src/message/edit.ts'
import { decodeWords } from '../../../src/message/encoded-words.ts'
import { unfold, valueText } from '../../../src/message/header-field.ts'
import { fieldsNamed } from '../../../src/message/header-section.ts'
import { prefixSubject } from '../../../src/message/subject-prefix.ts'
import { bytes, chunksOf, heldMessage, sectionOf } from '../../support/stored-message.ts'

const REST = '\r\nSubject: no field\r\n'

/** The header section afterwards. */
async function prefixed(section: string, prefix: string): Promise<string> {
  const before = sectionOf(section + REST)
  const { replace, added } = prefixSubject(before, prefix)
  const edited = editMessage(heldMessage([bytes(section + REST)]), before, { prefix: bytes(added), replace })
  const whole = Buffer.concat([edited.prefix, ...(await chunksOf(edited.body))]).toString('latin1')
  assert.ok(whole.endsWith(REST))
  return whole.slice(0, -REST.length)
}

const seen = (section: string) => fieldsNamed(sectionOf(`${section}\r\n`), 'subject').map((field) => decodeWords(unfold(valueText(field))).trim())

test('the text stands in front, and nothing else changes', async () => {
  for (const [before, after] of [
    ['Subject: Hello\r\n', 'Subject: [SPAM] Hello\r\n'],
    ['Subject:Hello\r\n', 'Subject: [SPAM] Hello\r\n'],
    ['Subject:  Hello  \r\n', 'Subject: [SPAM]  Hello  \r\n'],
    ['SUBJECT : Hello\r\n\tWorld\r\n', 'SUBJECT : [SPAM] Hello\r\n\tWorld\r\n'],
    ['Subject:\r\n Hello\r\n', 'Subject: [SPAM]\r\n Hello\r\n'],
    ['Subject:\r\n', 'Subject: [SPAM]\r\n'],
    ['Subject: \r\n', 'Subject: [SPAM] \r\n'],
    ['Subject: Re: [SPAM] x\r\n', 'Subject: [SPAM] Re: [SPAM] x\r\n'],
    ['Subject: =?utf-8?q?=C3=A4?=\r\n', 'Subject: [SPAM] =?utf-8?q?=C3=A4?=\r\n'],
    ['Subject: \xe4\xff\0\r\n', 'Subject: [SPAM] \xe4\xff\0\r\n'],
    ['A: b\r\nSubject: x\r\nC: d\r\n', 'A: b\r\nSubject: [SPAM] x\r\nC: d\r\n'],
    ['A: b\r\n', 'Subject: [SPAM]\r\nA: b\r\n'],
    ['', 'Subject: [SPAM]\r\n'],
    ['Subject: a\r\nsubject: b\r\n', 'Subject: [SPAM] a\r\nsubject: [SPAM] b\r\n'],
  ] as const) {
    assert.equal(await prefixed(before, '[SPAM]'), after)
    assert.equal(await prefixed(after, '[SPAM]'), after, 'a second time')
  }
})

test('a long line is folded behind the text (RFC 2047 §2: 76 characters)', async () => {
  const [fits, long] = ['x'.repeat(76 - 'Subject: [SPAM] '.length), 'x'.repeat(977)]
  assert.equal(await prefixed(`Subject: ${fits}\r\n`, '[SPAM]'), `Subject: [SPAM] ${fits}\r\n`)
  for (const text of [`${fits}x`, long]) {
    assert.equal(await prefixed(`Subject: ${text}\r\n`, '[SPAM]'), `Subject: [SPAM]\r\n ${text}\r\n`)
    assert.equal(await prefixed(`Subject:${text}\r\n`, '[SPAM]'), `Subject: [SPAM]\r\n ${text}\r\n`)
  }
  // No line with nothing but blanks comes to be.
  const blanks = ' '.repeat(80)
  assert.equal(await prefixed(`Subject:${blanks}\r\n x\r\n`, '[SPAM]'), `Subject: [SPAM]${blanks}\r\n x\r\n`)
})

test('a subject that begins with it stays, however it is encoded or folded', async () => {
  for (const value of [' [SPAM] Hello', '[SPAM]', ' =?utf-8?q?=5BSPAM=5D_Hello?=', ' =?utf-8?b?W1NQQU1dIEhlbGxv?=', ' =?us-ascii?q?=5BSP?=\r\n =?utf-8?q?AM=5D?= Hello', '\r\n [SPAM]\r\n Hello']) {
    assert.equal(await prefixed(`Subject:${value}\r\n`, '[SPAM]'), `Subject:${value}\r\n`)
  }
})

test('a text outside ASCII, or one that looks encoded, is encoded; what is read is text, blank, subject', async () => {
  for (const text of ['[Späm]', '★', 'Почта спам', '=?x', `${'ä'.repeat(60)} x`]) {
    for (const [value, reads] of [[' Hello', 'Hello'], [' =?utf-8?q?Hell=C3=B6?= x', 'Hellö x'], ['=?utf-8?q?H?=', 'H'], ['\r\n =?utf-8?q?H?=', 'H']] as const) {
      const after = await prefixed(`Subject:${value}\r\n`, text)
      assert.deepEqual(seen(after), [`${text} ${reads}`])
      assert.match(after, /^[\x20-\x7e\r\n]*$/)
      assert.ok(after.split('\r\n').every((line) => line.length <= 76), after)
      assert.equal(await prefixed(after, text), after, 'a second time')
    }
    assert.deepEqual(seen(await prefixed('A: b\r\n', text)), [text])
  }
})

test('a text of the configuration cannot make a field of its own, nor be endless', async () => {
  assert.equal(await prefixed('Subject: x\r\n', ' [a]\r\nX: y\0\t '), 'Subject: [a] X: y x\r\n')
  assert.equal(await prefixed('Subject: x\r\n', '\r\n'), 'Subject: x\r\n')
  assert.equal(await prefixed('Subject: x\r\n', 'y'.repeat(1000)), `Subject: ${'y'.repeat(100)}\r\n x\r\n`)
})

test('where the section was cut, no second Subject is put on top of one that was not seen', () => {
  const section = sectionOf('A: b\r\nSubject: x\r\n\r\n', { maxBytes: 8, maxFields: 10 })
  assert.deepEqual(prefixSubject(section, '[SPAM]'), { replace: [], added: '' })
})
