import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CodeArray, isAscii } from '../../../../../src/spam/content/text/codes.ts'
import { TextSink } from '../../../../../src/spam/content/text/text-sink.ts'

const codes = new CodeArray()

function add(sink: TextSink, text: string): void {
  sink.add(codes.of(text, isAscii(text)), 0, text.length)
}

function plain(text: string, most = 1000): string {
  const sink = new TextSink(most, true)
  add(sink, text)
  return sink.toString()
}

test('white space is one blank, a paragraph is a line, and there is none at the ends', () => {
  assert.equal(plain('  one \t two\r\nthree\r\n\r\n\r\nfour  \r\n'), 'one two three\nfour')
  assert.equal(plain(' \r\n '), '')
  assert.equal(plain('a\u00a0\u2003b\u3000c'), 'a b c')
})

test('control characters show nothing', () => {
  assert.equal(plain('vi\0ag\x01ra'), 'viagra')
})

test('a text is the same in pieces, wherever they are cut and wherever it leaves Latin-1', () => {
  const text = 'Grüße  aus\r\n\r\nКиев \u{1f600}  und  naïve…'
  const whole = plain(text)
  assert.equal(whole, 'Grüße aus\nКиев \u{1f600} und naïve…')
  for (let cut = 0; cut <= text.length; cut++) {
    const sink = new TextSink(1000, true)
    add(sink, text.slice(0, cut))
    add(sink, text.slice(cut))
    assert.equal(sink.toString(), whole, `cut at ${cut}`)
    assert.equal(sink.ascii, false)
  }
})

test('what does not fit is left out, and said', () => {
  const sink = new TextSink(10, true)
  add(sink, 'abcdefghijklmnop')
  assert.equal(sink.full, true)
  assert.ok(sink.length <= 10)
  assert.ok('abcdefghijklmnop'.startsWith(sink.toString()))
  sink.reset()
  assert.equal(sink.full, false)
  add(sink, 'short')
  assert.equal(sink.toString(), 'short')
})

test('it grows, in bytes and in 16-bit units', () => {
  const sink = new TextSink(1_000_000)
  const word = 'x'.repeat(50_000)
  for (let i = 0; i < 5; i++) {
    add(sink, word)
    sink.blank()
  }
  sink.addCode(0x1f600)
  add(sink, `${word}é`)
  assert.equal(sink.toString(), `${`${word} `.repeat(5)}\u{1f600}${word}é`)
})

test('a line break is a blank, two are the end of a paragraph', () => {
  const sink = new TextSink(100)
  add(sink, 'a')
  sink.lineBreak()
  add(sink, 'b')
  sink.lineBreak()
  sink.lineBreak()
  add(sink, 'c')
  sink.paragraph()
  sink.blank()
  add(sink, 'd\n\ne')
  assert.equal(sink.toString(), 'a b\nc\nd e')
  assert.equal(sink.slice(2, 5), 'b\nc')
  assert.equal(sink.slice(50, 60), '')
})
