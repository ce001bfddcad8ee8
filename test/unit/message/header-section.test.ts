import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldsNamed, HeaderSectionReader, MAX_HEADER_BYTES, MAX_HEADER_FIELDS, readHeaderSection, type AnomalyKind, type HeaderSection } from '../../../src/message/header-section.ts'
import { Random } from '../../support/fuzzing.ts'
import { bytes, fileMessage, heldMessage, sectionOf, streamedMessage } from '../../support/stored-message.ts'

const WHOLE = 'From: a@b.example\r\nDate: now\r\n'

function readIn(pieces: readonly Buffer[]): HeaderSection {
  const reader = new HeaderSectionReader()
  for (const piece of pieces) if (reader.feed(piece)) break
  return reader.finish()
}

const names = (section: HeaderSection) => section.fields.map(({ name }) => name)
const anomalies = (text: string) => Object.fromEntries([...sectionOf(text).anomalies].map(([kind, { count, offset }]) => [kind, [count, offset]]))

test('fields in order, with their bytes and places', () => {
  const text = `Received: one\r\n\ttwo\r\n${WHOLE}Subject:x\r\n\r\nBody: no field\r\n\r\n`
  const section = sectionOf(text)
  assert.deepEqual(section.fields.map(({ index, key, name, value, start, end }) => ({ index, key, name, value: value.toString('latin1'), start, end })), [
    { index: 0, key: 'received', name: 'Received', value: ' one\r\n\ttwo', start: 0, end: 21 },
    { index: 1, key: 'from', name: 'From', value: ' a@b.example', start: 21, end: 40 },
    { index: 2, key: 'date', name: 'Date', value: ' now', start: 40, end: 51 },
    { index: 3, key: 'subject', name: 'Subject', value: 'x', start: 51, end: 62 },
  ])
  for (const { raw, start, end } of section.fields) assert.equal(raw.toString('latin1'), text.slice(start, end))
  assert.deepEqual([section.end, section.bodyStart, section.truncated, section.leadingContinuationEnd, section.anomalies.size], [62, 64, null, 0, 0])
})

test('a section in one piece is not copied', () => {
  const whole = bytes(`${WHOLE}\r\nbody`)
  const section = readIn([whole])
  assert.equal(section.fields[0]!.raw.buffer, whole.buffer)
  assert.equal(section.fields[0]!.raw.byteOffset, whole.byteOffset)
})

test('where the section ends', () => {
  for (const [text, end, bodyStart] of [
    ['\r\nA: b\r\n', 0, 2], ['A: b\r\n\r\n', 6, 8], ['A: b\r\n\r\n\r\n', 6, 8], ['A: b\r\n', 6, 6], ['A: b', 4, 4], ['', 0, 0],
    // A line of blanks continues the field.
    ['A: b\r\n \r\n\r\nC', 9, 11],
    // Only true CR LF twice ends it.
    ['A: b\r\n\n\r\n\r\nC', 9, 11], ['A: b\n\nC: d\r\n\r\n', 12, 14], ['A: b\r\n\r\r\nC: d\r\n\r\n', 15, 17],
  ] as const) {
    const section = sectionOf(text)
    assert.deepEqual([section.end, section.bodyStart], [end, bodyStart], JSON.stringify(text))
  }
})

test('a name may have blanks or a fold before its colon; it is matched however cased', () => {
  const section = sectionOf('A: 1\r\nsUbJeCt \t: 2\r\nSubject\r\n : 3\r\n\r\n')
  assert.deepEqual(names(section), ['A', 'sUbJeCt', 'Subject'])
  assert.deepEqual(fieldsNamed(section, 'subject').map(({ value }) => value.toString('latin1')), [' 2', ' 3'])
  assert.deepEqual(anomalies(`${WHOLE}A : b\r\n\r\n`), { 'space-before-colon': [1, WHOLE.length] })
})

test('fields behind a line that is none count, and so do those behind a CR or LF that stands alone', () => {
  assert.deepEqual(names(sectionOf('A: 1\r\nno field\r\nB: 2\r\n: 3\r\nC d: 4\r\nE\x01: 5\r\nF: 6\r\n\r\n')), ['A', 'B', 'F'])
  assert.deepEqual(names(sectionOf('A: 1\rB: 2\nC: 3\r\n\r\n')), ['A', 'B', 'C'])
  assert.deepEqual(names(sectionOf('A: 1\n\nB: 2\r\r\nC: 3\r\n\r\n')), ['A', 'B', 'C'])
})

test('each anomaly is counted, with the place of the first', () => {
  const at = WHOLE.length
  for (const [text, expected] of [
    [`${WHOLE}\r\n`, {}],
    [WHOLE, { 'no-empty-line': [1, at] }],
    [`${WHOLE}junk\r\nA B: c\r\n\r\n`, { 'not-a-field': [2, at] }],
    [` x\r\n y\r\n${WHOLE}\r\n`, { 'leading-continuation': [1, 0] }],
    [`${WHOLE}A:\r\n \r\n\t\r\n\r\n`, { 'blank-continuation': [2, at + 4] }],
    [`${WHOLE}A: b\nC: d\rE: f\r\n\r\n`, { 'bare-line-end': [2, at + 4] }],
    [`${WHOLE}A: \0\0\r\nB\0\r\n\r\n`, { nul: [2, at + 3], 'not-a-field': [1, at + 7] }],
    [`${WHOLE}A: \xe4\r\n\r\n`, { 'eight-bit': [1, at + 3] }],
    [`${WHOLE}A: ${'x'.repeat(995)}\r\n\r\n`, {}],
    [`${WHOLE}A: ${'x'.repeat(996)}\r\n\r\n`, { 'long-line': [1, at] }],
    [`${WHOLE}A: b\r\n ${'x'.repeat(998)}\r\n\r\n`, { 'long-line': [1, at + 6] }],
    [`${WHOLE}from: c\r\nFROM: d\r\n\r\n`, { 'duplicate-from': [2, at] }],
    [`${WHOLE}To: c\r\nX: y\r\nx: y\r\nto: d\r\n\r\n`, { 'duplicate-field': [1, at + 19] }],
    ['Date: x\r\n\r\n', { 'missing-from': [1, 9] }],
    ['From: x\r\n\r\n', { 'missing-date': [1, 9] }],
    ['', { 'missing-from': [1, 0], 'missing-date': [1, 0], 'no-empty-line': [1, 0] }],
  ] as readonly (readonly [string, Partial<Record<AnomalyKind, number[]>>])[]) assert.deepEqual(anomalies(text), expected, JSON.stringify(text.slice(0, 100)))
  assert.equal(sectionOf(` x\r\n y\r\n${WHOLE}\r\n`).leadingContinuationEnd, 8)
})

test('limits: what was not looked at is said', () => {
  const text = `${WHOLE}A: b\r\n\r\nbody`
  for (let maxBytes = 0; maxBytes <= text.length; maxBytes++) {
    const section = sectionOf(text, { maxBytes, maxFields: 10 })
    // Whole with its empty line, or cut behind the last whole field.
    if (maxBytes >= text.length - 4) assert.deepEqual([section.truncated, section.fields.length], [null, 3])
    else assert.equal(section.truncated, 'bytes')
    assert.ok(section.end <= maxBytes && section.bodyStart >= section.end)
  }
  for (let maxFields = 0; maxFields < 5; maxFields++) {
    const section = sectionOf(text, { maxBytes: 1000, maxFields })
    assert.deepEqual([section.truncated, section.fields.length], [maxFields < 3 ? 'fields' : null, Math.min(maxFields, 3)])
  }
})

test('the limits hold by themselves, however the message comes', async (t) => {
  const many = bytes(`${'A: b\r\n'.repeat(MAX_HEADER_FIELDS + 1)}\r\n`)
  const large = bytes(`${WHOLE}A: ${'x'.repeat(MAX_HEADER_BYTES)}\r\n\r\nbody`)
  for (const body of [heldMessage([many]), await fileMessage(t, many)]) {
    const section = await readHeaderSection(body)
    assert.deepEqual([section.truncated, section.fields.length], ['fields', MAX_HEADER_FIELDS])
  }
  for (const body of [heldMessage([large]), await fileMessage(t, large)]) {
    const section = await readHeaderSection(body)
    assert.deepEqual([section.truncated, section.fields.length, section.end], ['bytes', 2, WHOLE.length])
  }
})

test('time is linear in the section: ten thousand lines without a colon, and one at the end', () => {
  const text = `${`${'x'.repeat(100)}\r\n`.repeat(9_900)}A: b\r\n\r\n`
  const section = sectionOf(text)
  assert.deepEqual(names(section), ['A'])
  assert.equal(section.anomalies.get('not-a-field')?.count, 9_900)
})

test('no more is read than the section', async () => {
  let read = 0
  const pieces = [bytes('From: a\r\nDa'), bytes('te: b\r\n\r'), bytes('\nbody'), bytes('more'), bytes('more')]
  const body = streamedMessage(pieces)
  const counted = { ...body, async *chunks() { for await (const piece of body.chunks()) { read++; yield piece } } }
  const section = await readHeaderSection(counted)
  assert.deepEqual([read, names(section), section.bodyStart], [3, ['From', 'Date'], 20])
})

test('every split point, and every byte by itself, gives the same', () => {
  const text = ` lead\r\n${WHOLE}Sub\r\n : a\r\n b\r\nno field\r\nX: \xe4\0\nY: z\rA:\r\n \r\nAuthentication-Results: a;\r\n\tnone\r\n\r\n: body\r\n\r\n`
  const whole = bytes(text)
  const expected = readIn([whole])
  assert.equal(expected.fields.length, 7)
  for (let at = 0; at <= whole.length; at++) assert.deepEqual(readIn([whole.subarray(0, at), whole.subarray(at)]), expected, `at ${at}`)
  assert.deepEqual(readIn([...whole].map((byte) => Buffer.of(byte))), expected)
})

test('whatever the bytes: the entries lie one behind the other, and pieces do not matter', () => {
  const words = ['\r\n', '\r\n', '\r', '\n', ' ', '\t', ':', 'A: b\r\n', 'From: x\r\n', 'Subject \r\n :', '\r\n\r\n', '\0', '\xff', 'x']
  for (let seed = 0; seed < 3000; seed++) {
    const random = new Random(seed)
    const whole = bytes(random.soup(words, 20))
    const section = readIn([whole])
    const end = whole.toString('latin1').startsWith('\r\n') ? 0 : whole.indexOf('\r\n\r\n') + 2
    assert.equal(section.end, end === 1 ? whole.length : end, JSON.stringify(whole.toString('latin1')))
    let last = section.leadingContinuationEnd
    for (const [i, field] of section.fields.entries()) {
      assert.equal(field.index, i)
      assert.ok(field.start >= last && field.end > field.start && field.end <= section.end)
      assert.ok(field.raw.equals(whole.subarray(field.start, field.end)))
      assert.match(field.raw.toString('latin1'), /^[\x21-\x39\x3b-\x7e]+[ \t\r\n]*:/)
      last = field.end
    }
    assert.deepEqual(readIn(random.pieces(whole)), section)
  }
})
