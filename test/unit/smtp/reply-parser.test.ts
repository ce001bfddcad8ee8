import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ReplyParser, isMalformed, type ParsedReply } from '../../../src/smtp/reply-parser.ts'

/** Feeds `wire` cut at the given points; returns what was parsed, up to the first that is malformed. */
function parse(wire: string, cuts: readonly number[] = []) {
  const parser = new ReplyParser()
  const bytes = Buffer.from(wire, 'latin1')
  const points = [0, ...cuts, bytes.length]
  const found: ParsedReply[] = []
  for (let i = 1; i < points.length; i++) {
    parser.feed(bytes.subarray(points[i - 1], points[i]))
    for (let one = parser.next(); one; one = parser.next()) {
      found.push(one)
      if (isMalformed(one)) return { found, empty: parser.empty, parser }
    }
  }
  return { found, empty: parser.empty, parser }
}

const everyByte = (wire: string): number[] => Array.from(wire, (_, i) => i)

const GOOD: readonly { name: string, wire: string, replies: readonly object[], empty?: false }[] = [
  { name: 'one line', wire: '250 2.1.0 Ok\r\n', replies: [{ status: 250, text: '2.1.0 Ok' }] },
  { name: 'three digits alone', wire: '250\r\n', replies: [{ status: 250, text: '' }] },
  { name: 'digits and a space', wire: '354 \r\n', replies: [{ status: 354, text: '' }] },
  { name: 'several lines', wire: '250-mx\r\n250-SIZE 10\r\n250 DSN\r\n', replies: [{ status: 250, text: ['mx', 'SIZE 10', 'DSN'] }] },
  { name: 'empty lines in it', wire: '550-\r\n550-a\r\n550\r\n', replies: [{ status: 550, text: ['', 'a', ''] }] },
  { name: 'several replies at once', wire: '250 a\r\n550-b\r\n550 c\r\n354 d\r\n', replies: [{ status: 250, text: 'a' }, { status: 550, text: ['b', 'c'] }, { status: 354, text: 'd' }] },
  { name: 'bytes beyond ASCII stay bytes', wire: '550 5.1.1 <\xc3\xa9@x>\xff\t\r\n', replies: [{ status: 550, text: '5.1.1 <\xc3\xa9@x>\xff\t' }] },
  { name: 'a second digit beyond the grammar', wire: '571 no\r\n', replies: [{ status: 571, text: 'no' }] },
  { name: 'half a reply', wire: '250 a\r\n250-b\r\n', replies: [{ status: 250, text: 'a' }], empty: false },
  { name: 'half a line', wire: '250 a\r\n25', replies: [{ status: 250, text: 'a' }], empty: false },
  { name: 'white space kept', wire: '250   a  \r\n', replies: [{ status: 250, text: '  a  ' }] },
]

for (const c of GOOD) {
  test(`reply: ${c.name}, at every split point and byte by byte`, () => {
    const ways: number[][] = [[], everyByte(c.wire)]
    for (let i = 0; i <= c.wire.length; i++) for (let j = i; j <= c.wire.length; j++) ways.push([i, j])
    for (const cuts of ways) {
      const got = parse(c.wire, cuts)
      assert.deepEqual(got.found, c.replies, `cut at ${cuts.join()}`)
      assert.equal(got.empty, c.empty ?? true)
    }
  })
}

const BAD: readonly { name: string, wire: string, malformed: string }[] = [
  { name: 'bare LF', wire: '250 a\n250 b\r\n', malformed: 'line-end' },
  { name: 'bare CR', wire: '250 a\r250 b\r\n', malformed: 'line-end' },
  { name: 'CR CR LF', wire: '250 a\r\r\n', malformed: 'line-end' },
  { name: 'NUL', wire: '250 a\0b\r\n', malformed: 'line-end' },
  { name: 'an empty line', wire: '\r\n', malformed: 'status' },
  { name: 'a lone LF', wire: '\n', malformed: 'status' },
  { name: 'no number', wire: 'hello\r\n', malformed: 'status' },
  { name: 'two digits', wire: '25\r\n', malformed: 'status' },
  { name: 'status 1xx', wire: '150 a\r\n', malformed: 'status' },
  { name: 'status 6xx', wire: '650 a\r\n', malformed: 'status' },
  { name: 'letters in the status', wire: '2x0 a\r\n', malformed: 'status' },
  { name: 'another separator', wire: '250.a\r\n', malformed: 'separator' },
  { name: 'four digits', wire: '2500 a\r\n', malformed: 'separator' },
  { name: 'another status on the last line', wire: '250-a\r\n550 b\r\n', malformed: 'differing-status' },
  { name: 'another status in the middle', wire: '250-a\r\n251-b\r\n250 c\r\n', malformed: 'differing-status' },
]

for (const c of BAD) {
  test(`reply refused: ${c.name}, at every split point`, () => {
    for (let i = 0; i <= c.wire.length; i++) {
      const last = parse(c.wire, [i]).found.at(-1)
      assert.ok(last && isMalformed(last), `cut at ${i}`)
      assert.equal(last.malformed, c.malformed)
    }
  })
}

test('reply: what is malformed stays so', () => {
  const { parser } = parse('hello\r\n')
  parser.feed(Buffer.from('250 ok\r\n'))
  const again = parser.next()
  assert.ok(again && isMalformed(again))
})

test('reply: bounds of a line, with and without an end', () => {
  const longest = '250 ' + 'x'.repeat(4096 - 6) + '\r\n'
  assert.equal(parse(longest).found.length, 1)
  assert.deepEqual(parse(longest, everyByte(longest)).found.length, 1)
  for (const wire of ['250 ' + 'x'.repeat(4096) + '\r\n', '250 ' + 'x'.repeat(5000)]) {
    for (const cuts of [[], everyByte(wire)]) {
      const last = parse(wire, cuts).found.at(-1)
      assert.ok(last && isMalformed(last))
      assert.equal(last.malformed, 'line-length')
      assert.ok(last.detail.length < 300)
    }
  }
})

test('reply: bounds of lines and of bytes', () => {
  assert.equal(parse('250-a\r\n'.repeat(499) + '250 a\r\n').found.length, 1)
  const lines = parse('250-a\r\n'.repeat(500) + '250 a\r\n').found[0]
  assert.ok(lines && isMalformed(lines) && lines.malformed === 'lines')
  const bytes = parse(('250-' + 'x'.repeat(4000) + '\r\n').repeat(40)).found[0]
  assert.ok(bytes && isMalformed(bytes) && bytes.malformed === 'reply-length')
})

test('reply: control characters are not printed as they are in the detail', () => {
  const bad = parse('abc\x1b[31m\x07\r\n').found[0]
  assert.ok(bad && isMalformed(bad))
  assert.equal(bad.detail, 'abc\\x1b[31m\\x07')
})

test('reply: random bytes end as replies or as malformed, never in an exception', () => {
  const alphabet = '0123456789 -\r\n\0ab\xff'
  let seed = 12345
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return seed % below
  }
  for (let round = 0; round < 2000; round++) {
    let wire = ''
    for (let i = random(60); i >= 0; i--) wire += random(3) === 0 ? ['250 a\r\n', '250-b\r\n', '550'][random(3)] ?? '' : alphabet[random(alphabet.length)] ?? ''
    const whole = parse(wire)
    const bytewise = parse(wire, everyByte(wire))
    assert.deepEqual(bytewise.found.map((one) => isMalformed(one) ? one.malformed : one), whole.found.map((one) => isMalformed(one) ? one.malformed : one), JSON.stringify(wire))
  }
})
