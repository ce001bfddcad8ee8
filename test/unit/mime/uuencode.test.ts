import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { uuContent, uuFiles } from '../../../src/mime/uuencode.ts'

function encode(bytes: Buffer, blank = '`'): string {
  const character = (value: number) => (value & 0x3f) === 0 ? blank : String.fromCharCode(0x20 + (value & 0x3f))
  let text = ''
  for (let at = 0; at < bytes.length; at += 45) {
    const line = bytes.subarray(at, at + 45)
    text += character(line.length)
    for (let i = 0; i < line.length; i += 3) {
      const group = (line[i] ?? 0) << 16 | (line[i + 1] ?? 0) << 8 | (line[i + 2] ?? 0)
      text += character(group >> 18) + character(group >> 12) + character(group >> 6) + character(group)
    }
    text += '\r\n'
  }
  return text
}

const LIMITS = { files: 10, bytes: 100_000 }
const files = (text: string, limits = LIMITS) => uuFiles(Buffer.from(text, 'latin1'), limits)
const every = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 7) & 0xff))

describe('uuencoded files', () => {
  test('of every length are found in a text and decoded', () => {
    for (const length of [1, 2, 3, 44, 45, 46, 90, 999]) {
      const bytes = every.subarray(0, length)
      const text = `Hello,\r\n\r\nbegin 644 some file.bin\r\n${encode(bytes)}\`\r\nend\r\nBye\r\n`
      const all = files(text)
      assert.deepEqual(all, [{ name: 'some file.bin', bytes, start: 10, end: text.length - 5, broken: false, truncated: false }])
    }
  })

  test('with blanks for zeros, which may be lost at the ends of lines', () => {
    const text = encode(Buffer.alloc(60), ' ')
    assert.deepEqual(files(`begin 644 a\n${text}end\n`)[0]?.bytes, Buffer.alloc(60))
    assert.deepEqual(files('begin 644 a\n#  \nend\n')[0]?.bytes, Buffer.alloc(3))
  })

  test('one after the other', () => {
    const found = files(`begin 644 a\n#86)C\n\`\nend\nbegin 644 b\n#86)C\n\`\nend\n`)
    assert.deepEqual(found.map(({ name, bytes }) => [name, bytes.toString()]), [['a', 'abc'], ['b', 'abc']])
    assert.equal(files('begin 644 a\n#86)C\nend\n'.repeat(50)).length, LIMITS.files)
  })

  test('that do not end, or are too long', () => {
    assert.deepEqual(files('begin 644 a\n#86)C\nand now text that is none of it\n').map(({ bytes, broken }) => [bytes.toString(), broken]), [['abc', true]])
    assert.deepEqual(files('begin 644 a\n#86)C').map(({ bytes, broken }) => [bytes.toString(), broken]), [['abc', true]])
    const [long] = files(`begin 644 a\n${encode(every)}end\n`, { files: 1, bytes: 100 })
    assert.deepEqual([long?.bytes.length, long?.truncated, long?.broken], [100, true, false])
  })

  test('prose that begins like one is none', () => {
    for (const text of ['begin 644\n#86)C\n', 'begin 644 a\nand so on, with much more text than that\n', 'begin with 644 a\n#86)C\n', 'xbegin 644 a\n#86)C\n', 'begin 644 a\n`\nend\n', 'begin 644 a\n', 'begin 999 a\n#86)C\n']) assert.deepEqual(files(text), [], text)
  })

  test('as the content of a part', () => {
    assert.deepEqual(uuContent(Buffer.from('\r\nbegin 644 a\n#86)C\n`\nend\n')), { bytes: Buffer.from('abc'), broken: false })
    assert.deepEqual(uuContent(Buffer.from('none')), { bytes: Buffer.from('none'), broken: true })
    assert.deepEqual(uuContent(Buffer.from('')), { bytes: Buffer.from(''), broken: false })
  })

  test('names: blanks at the end, however many, and at most 255 characters', () => {
    const names = (name: string) => files(`begin 644 ${name}\n#86)C\nend\n`).map((file) => file.name)
    for (const [written, name] of [['a b  ', 'a b'], [`a${' \t'.repeat(250)}`, 'a'], ['x'.repeat(255), 'x'.repeat(255)], ['  a', 'a']] as const) assert.deepEqual(names(written), [name], written)
    for (const written of ['x'.repeat(256), `a${' '.repeat(255)}b`, `a${' '.repeat(700)}`]) assert.deepEqual(names(written), [], written)
  })

  test('many files in a long text take the memory of what is in them, not of the text', () => {
    const found = files('begin 644 a\n#86)C\nend\n'.repeat(10) + 'x\n'.repeat(100_000), { files: 500, bytes: 100_000 })
    assert.deepEqual(found.map(({ bytes }) => bytes.toString()), Array.from({ length: 10 }, () => 'abc'))
    for (const { bytes } of found) assert.ok(bytes.buffer.byteLength < 100)
  })
})
