import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OpenBoundaries } from '../../../src/mime/delimiter.ts'
import { HeaderScan, type HeaderEnd } from '../../../src/mime/header-scan.ts'
import { Window } from '../../../src/mime/window.ts'

interface Scanned {
  readonly header: string
  readonly by: HeaderEnd['by']
  readonly cut: boolean
  readonly rest: string
}

function scan(text: string, maxBytes = 1000, size = Infinity): Scanned {
  const window = new Window()
  const boundaries = new OpenBoundaries()
  boundaries.push(['a'])
  const header = new HeaderScan(window, boundaries, maxBytes)
  const bytes = Buffer.from(text, 'latin1')
  let end: HeaderEnd | null = null
  let at = 0
  for (; at < bytes.length && end === null; at += size) {
    window.push(bytes.subarray(at, at + size))
    end = header.scan(false)
  }
  end ??= header.scan(true)
  assert.ok(end !== null)
  return { header: end.bytes.toString('latin1'), by: end.by, cut: end.cut, rest: window.bytes.toString('latin1', window.at) + text.slice(at) }
}

/** The same however it comes. */
function everyWay(text: string, maxBytes?: number): Scanned {
  const whole = scan(text, maxBytes)
  for (const size of [1, 2, 3, 5, 17]) assert.deepEqual(scan(text, maxBytes, size), whole, `${size}`)
  return whole
}

describe('the end of a header', () => {
  test('is the first empty line, whatever its line ends are', () => {
    for (const end of ['\r\n', '\n', '\r']) {
      assert.deepEqual(everyWay(`A: b${end}C: d${end}${end}text`), { header: `A: b${end}C: d${end}`, by: 'empty-line', cut: false, rest: 'text' })
      assert.deepEqual(everyWay(`${end}text`), { header: '', by: 'empty-line', cut: false, rest: 'text' })
    }
    assert.deepEqual(everyWay('A: b\n\r\ntext').rest, 'text')
    assert.deepEqual(everyWay('A: b\r\n \r\nC: d\r\n\r\ntext').rest, 'text')
  })

  test('is a delimiter of a multipart that is open', () => {
    assert.deepEqual(everyWay('A: b\r\n--a\r\nC: d'), { header: 'A: b\r\n', by: 'delimiter', cut: false, rest: '--a\r\nC: d' })
    assert.deepEqual(everyWay('--a--\r\n'), { header: '', by: 'delimiter', cut: false, rest: '--a--\r\n' })
    assert.deepEqual(everyWay('--ab\r\n\r\n').by, 'empty-line')
  })

  test('is the end of the message', () => {
    assert.deepEqual(everyWay('A: b'), { header: 'A: b', by: 'input', cut: false, rest: '' })
    assert.deepEqual(everyWay('A: b\r'), { header: 'A: b\r', by: 'input', cut: false, rest: '' })
    assert.deepEqual(everyWay(''), { header: '', by: 'input', cut: false, rest: '' })
  })

  test('may be the last byte that there is room for', () => {
    assert.deepEqual(everyWay('A: b\r\n\r\ntext', 6), { header: 'A: b\r\n', by: 'empty-line', cut: false, rest: 'text' })
    assert.deepEqual(everyWay('A: b\r\n\r\ntext', 5), { header: 'A: b\r\r\n', by: 'empty-line', cut: true, rest: 'text' })
  })

  test('is found behind what there is no room for', () => {
    assert.deepEqual(everyWay('A: b\r\nC: d\r\nE: f\r\n\r\ntext', 9), { header: 'A: b\r\nC: \r\n', by: 'empty-line', cut: true, rest: 'text' })
    assert.deepEqual(everyWay('A: b\r\nC: d\r\nE: f\r\n--a\r\n', 9), { header: 'A: b\r\nC: \r\n', by: 'delimiter', cut: true, rest: '--a\r\n' })
    assert.deepEqual(everyWay('A: b\r\nC: d\r\nE: f\r\n', 9), { header: 'A: b\r\nC: \r\n', by: 'input', cut: true, rest: '' })
    assert.deepEqual(everyWay(`A: ${'b'.repeat(20_000)}\r\n\r\ntext`, 4), { header: 'A: b\r\n', by: 'empty-line', cut: true, rest: 'text' })
  })

  test('fields of MIME are kept behind it', () => {
    const { header } = everyWay('A: b\r\nC: d\r\nContent-Type: text/html;\r\n charset=utf-8\r\nE: f\r\n g\r\ncontent-x: y\r\n\r\ntext', 6)
    assert.equal(header, 'A: b\r\n\r\nContent-Type: text/html;\r\n charset=utf-8\r\ncontent-x: y\r\n')
    const much = everyWay(`A: b\r\n${'Content-Type: text/html\r\n'.repeat(1000)}\r\ntext`, 6)
    assert.ok(much.header.length <= 6 + 2 + 8192)
  })
})
