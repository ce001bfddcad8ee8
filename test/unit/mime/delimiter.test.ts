import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OpenBoundaries } from '../../../src/mime/delimiter.ts'

interface Found {
  readonly level: number
  readonly before: string
  readonly after?: string
  readonly closing?: boolean
}

function open(...levels: readonly string[]): OpenBoundaries {
  const boundaries = new OpenBoundaries()
  for (const level of levels) boundaries.push([level])
  return boundaries
}

function search(boundaries: OpenBoundaries, text: string, start: { final?: boolean, lineStart?: boolean } = {}): Found {
  const bytes = Buffer.from(text, 'latin1')
  const found = boundaries.search(bytes, { from: 0, lineStart: start.lineStart ?? true, final: start.final ?? true })
  const before = text.slice(0, found.contentEnd)
  return found.level < 0 || !('end' in found) ? { level: -1, before } : { level: found.level, before, after: text.slice(found.end), closing: found.closing }
}

describe('delimiters', () => {
  test('stand behind any line end, which belongs to them', () => {
    for (const end of ['\r\n', '\n', '\r']) {
      assert.deepEqual(search(open('a'), `text${end}--a${end}more`), { level: 0, before: 'text', after: 'more', closing: false })
      assert.deepEqual(search(open('a'), `text${end}--a--${end}more`), { level: 0, before: 'text', after: 'more', closing: true })
      assert.deepEqual(search(open('a'), `text${end}${end}--a${end}`), { level: 0, before: `text${end}`, after: '', closing: false })
    }
    assert.deepEqual(search(open('a'), 'text\n\r\n--a\r\n').before, 'text\n')
    assert.deepEqual(search(open('a'), 'text\n\r--a\r\n').before, 'text\n')
  })

  test('may stand first where a line begins', () => {
    assert.deepEqual(search(open('a'), '--a\r\nx'), { level: 0, before: '', after: 'x', closing: false })
    assert.deepEqual(search(open('a'), '--a\r\nx', { lineStart: false }), { level: -1, before: '--a\r\nx' })
    assert.deepEqual(search(open('a'), '\r\n--a\r\nx'), { level: 0, before: '', after: 'x', closing: false })
  })

  test('may have blanks behind them, and nothing else', () => {
    for (const [line, closing] of [['--a ', false], ['--a \t ', false], [`--a${' '.repeat(255)}`, false], ['--a-- ', true], ['--a--\t', true]] as const) {
      assert.deepEqual(search(open('a'), `x\r\n${line}\r\ny`), { level: 0, before: 'x', after: 'y', closing })
    }
    for (const line of ['--ab', '--a-', '--a-x', '--a--x', '--a---', '--a x', '--a-- x', '-- a', ' --a', '-a', '--', '--A', '---a', '--a\0']) {
      assert.deepEqual(search(open('a'), `x\r\n${line}\r\ny`), { level: -1, before: `x\r\n${line}\r\ny` }, line)
    }
  })

  test('end with the message as well', () => {
    assert.deepEqual(search(open('a'), 'x\n--a'), { level: 0, before: 'x', after: '', closing: false })
    assert.deepEqual(search(open('a'), 'x\n--a--'), { level: 0, before: 'x', after: '', closing: true })
    assert.deepEqual(search(open('a'), 'x\n--a- '), { level: -1, before: 'x\n--a- ' })
    assert.deepEqual(search(open('a'), 'x\n--a-'), { level: -1, before: 'x\n--a-' })
    assert.deepEqual(search(open('ab'), 'x\n--a'), { level: -1, before: 'x\n--a' })
  })

  test('of outer multiparts are found, the inner one first', () => {
    assert.equal(search(open('a', 'ab'), 'x\n--ab\n').level, 1)
    assert.equal(search(open('a', 'ab'), 'x\n--a\n').level, 0)
    assert.equal(search(open('ab', 'a'), 'x\n--ab\n').level, 0)
    assert.equal(search(open('a', 'b', 'a'), 'x\n--a\n').level, 2)
    assert.deepEqual(search(open('a--', 'a'), 'x\n--a--\n'), { level: 1, before: 'x', after: '', closing: true })
  })

  test('that end an inner multipart twice are an outer one’s, if they can be', () => {
    const boundaries = open('a--', 'a')
    boundaries.innermostClosed = true
    assert.deepEqual(search(boundaries, 'x\n--a--\n'), { level: 0, before: 'x', after: '', closing: false })
    assert.equal(search(boundaries, 'x\n--a\n').level, 1)
    boundaries.cut(1)
    boundaries.push(['b'])
    assert.equal(search(boundaries, 'x\n--b--\n').closing, true)
  })

  test('may be spelled in several ways', () => {
    const boundaries = new OpenBoundaries()
    boundaries.push(['"a"', 'a'])
    assert.equal(search(boundaries, 'x\n--a\n').level, 0)
    assert.equal(search(boundaries, 'x\n--"a"\n').level, 0)
  })

  test('none are looked for where no multipart is open', () => {
    assert.deepEqual(search(open(), 'x\r\n--a\r\n', { final: false }), { level: -1, before: 'x\r\n--a\r\n' })
  })

  test('what may become one with the next bytes is left for them', () => {
    const text = 'one\r\ntwo\r\n--abc  \r\n'
    for (let end = 0; end <= text.length; end++) {
      const { level, before } = search(open('abc'), text.slice(0, end), { final: false })
      assert.equal(level, end === text.length ? 0 : -1)
      // At most the delimiter itself is held back, and always what belongs to it.
      assert.ok('one\r\ntwo'.startsWith(before) && before.length >= Math.min(end, 8) - 2, `${end}: ${before}`)
    }
    assert.equal(search(open('abc'), 'text -', { final: false }).before, 'text -')
    assert.equal(search(open('abc'), 'text--a', { final: false }).before, 'text--a')
    assert.equal(search(open('abc'), 'text\n-', { final: false }).before, 'text')
    assert.equal(search(open('abc'), '-', { final: false }).before, '')
    assert.equal(search(open('abc'), '-', { final: false, lineStart: false }).before, '-')
  })

  test('an inner one that may still come is waited for, though an outer one stands there', () => {
    assert.equal(search(open('a', 'a  b'), 'x\n--a  ', { final: false }).level, -1)
    assert.equal(search(open('a', 'a  b'), 'x\n--a  ', { final: true }).level, 0)
  })

  test('are what a comparison with each boundary says, whatever blanks and dashes there are', () => {
    const WORDS = ['', 'a', 'b', '-', '--', ' ', 'a ', 'a-', 'ab--', 'a  b', ' a', 'a--  ', 'x'.repeat(199), 'x'.repeat(200), 'x'.repeat(500)]
    const ENDS = ['', '--', ' ', '--\t ', '-', '-- x', '---', ' '.repeat(199), `--${' '.repeat(250)}`]
    const isOf = (line: string, boundary: string): boolean => line.startsWith(`--${boundary}`) && /^(?:--)?[ \t]*$/.test(line.slice(boundary.length + 2))
    for (const outer of WORDS) {
      for (const inner of WORDS) {
        for (const end of ENDS) {
          for (const word of [inner, outer, 'ba', 'ab']) {
            const line = `--${word}${end}`
            const level = isOf(line, inner) ? 1 : isOf(line, outer) ? 0 : -1
            assert.equal(search(open(outer, inner), `text\r\n${line}\r\nmore\r\n`).level, level, JSON.stringify([outer, inner, line]))
          }
        }
      }
    }
  })

  test('a boundary with a line end in it is in no line', () => {
    assert.equal(search(open('a\nb', 'c\r'), '--a\nb\r\n--c\r\n').level, -1)
  })

  test('of lines that nearly are some, none is searched for anew', () => {
    const bytes = Buffer.from('--b\r\n'.repeat(1000), 'latin1')
    let searches = 0
    const plain = Buffer.from(bytes)
    bytes.indexOf = (value: string | number | Uint8Array, from?: number | BufferEncoding): number => {
      searches++
      return plain.indexOf(value, typeof from === 'number' ? from : 0)
    }
    assert.equal(open(...Array.from({ length: 20 }, (_, at) => `b${at}`)).search(bytes, { from: 0, lineStart: true, final: true }).level, -1)
    assert.equal(searches, 1)
  })

  test('isDelimiter looks at one line', () => {
    const bytes = Buffer.from('--a\r\n--b\r\nx')
    assert.equal(open('a').isDelimiter(bytes, 0), true)
    assert.equal(open('a').isDelimiter(bytes, 5), false)
    assert.equal(open('a').isDelimiter(bytes, 10), false)
    assert.equal(open().isDelimiter(bytes, 0), false)
  })
})
