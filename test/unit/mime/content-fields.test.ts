import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cleanFileName, readContentFields } from '../../../src/mime/content-fields.ts'
import { readFields } from '../../../src/mime/fields.ts'

const read = (text: string, defaultType = 'text/plain') => readContentFields(readFields(Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1'), 100).content, defaultType)

describe('what the Content fields say', () => {
  test('all of it', () => {
    const found = read('Content-Type: TEXT/HTML; charset="UTF-8"; name=a.html\nContent-Transfer-Encoding: Base64\nContent-Disposition: Attachment; filename="b.html"\n')
    assert.deepEqual({ ...found, parameters: [...found.parameters] }, {
      type: 'text/html', parameters: [['charset', 'UTF-8'], ['name', 'a.html']], disposition: 'attachment', fileName: 'b.html', encoding: 'base64', otherEncodings: [], charset: 'utf-8', boundaries: [], defects: [],
    })
  })

  test('nothing', () => {
    const found = read('', 'message/rfc822')
    assert.deepEqual({ ...found, parameters: [...found.parameters] }, { type: 'message/rfc822', parameters: [], disposition: undefined, fileName: undefined, encoding: '7bit', otherEncodings: [], charset: undefined, boundaries: [], defects: [] })
  })

  test('types that cannot be read', () => {
    for (const [value, type] of [['text', 'text/plain'], ['html', 'text/html'], ['', 'text/plain'], ['what', 'text/plain'], ['/', 'text/plain'], ['multipart; boundary=a', 'multipart/mixed'], ['; boundary=a', 'multipart/mixed']] as const) {
      const found = read(`Content-Type: ${value}\n`)
      assert.equal(found.type, type, value)
      assert.deepEqual(found.defects, ['broken-field'])
    }
  })

  test('fields that stand twice: the first that says something, and a multipart before anything else', () => {
    const twice = (one: string, other: string) => read(`Content-Type: ${one}\nContent-Type: ${other}\n`)
    assert.equal(twice('text/html', 'text/plain').type, 'text/html')
    assert.equal(twice('', 'text/html').type, 'text/html')
    assert.equal(twice('text/plain', 'multipart/mixed; boundary=a').type, 'multipart/mixed')
    assert.equal(twice('multipart/mixed; boundary=a', 'text/plain').type, 'multipart/mixed')
    assert.equal(twice('text/plain', 'multipart/mixed').type, 'text/plain')
    assert.equal(twice('application/octet-stream', 'text/html').type, 'text/html')
    assert.equal(twice('text/css', 'text/plain').type, 'text/plain')
    assert.deepEqual(twice('text/html', 'text/plain').defects, ['duplicate-field', 'conflicting-fields'])
    assert.deepEqual(twice('text/html; charset=utf-8', 'TEXT/HTML; charset="UTF-8"').defects, ['duplicate-field'])
    assert.deepEqual(twice('text/html; charset=utf-8', 'text/html; charset=utf-16').defects, ['duplicate-field', 'conflicting-fields'])
  })

  test('two encodings: the first, and what others there are', () => {
    const twice = (one: string, other: string) => {
      const { encoding, otherEncodings, defects } = read(`Content-Transfer-Encoding: ${one}\nContent-Transfer-Encoding: ${other}\n`)
      return [encoding, otherEncodings, defects]
    }
    assert.deepEqual(twice('7bit', 'Base64'), ['7bit', ['base64'], ['duplicate-field', 'conflicting-fields']])
    assert.deepEqual(twice('8bit', '8BIT'), ['8bit', [], ['duplicate-field']])
    assert.deepEqual(twice('', 'base64'), ['base64', [], ['duplicate-field']])
  })

  test('boundaries, as they may be meant', () => {
    const boundaries = (parameter: string) => [...read(`Content-Type: multipart/mixed; boundary=${parameter}\n`).boundaries].sort()
    assert.deepEqual(boundaries('a'), ['a'])
    assert.deepEqual(boundaries('"a b"'), ['a b'])
    assert.deepEqual(boundaries('"a "'), ['a', 'a '])
    assert.deepEqual(boundaries("'a'"), ["'a'", 'a'])
    assert.deepEqual(boundaries('"a\\"b"'), ['a"b', 'a\\"b'])
    assert.deepEqual(boundaries('a b'), ['a', 'a b'])
    assert.deepEqual(boundaries('"a'), ['a'])
    assert.deepEqual(boundaries('a"'), ['a', 'a"'])
    assert.deepEqual(boundaries('""'), [''])
    assert.deepEqual(read('Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\n').boundaries, ['ab'])
    assert.deepEqual(read('Content-Type: multipart/mixed\n').boundaries, [])
  })

  test('file names', () => {
    const name = (text: string) => read(text).fileName
    assert.equal(name('Content-Disposition: attachment; filename*=utf-8\'\'%c3%a4.txt; filename=x\n'), 'ä.txt')
    assert.equal(name('Content-Type: a/b; name="=?utf-8?q?=C3=A4?=.txt"\n'), 'ä.txt')
    assert.equal(name('Content-Type: a/b; name=a\nContent-Disposition: attachment; filename=""\n'), 'a')
    assert.equal(name('Content-Disposition: filename=a.exe\n'), 'a.exe')
    assert.equal(name('Content-Disposition: attachment\n'), undefined)
    assert.equal(name('Content-Disposition: attachment; filename="/etc/"\n'), undefined)
  })

  test('a name has no path, no controls and an end to its length', () => {
    assert.equal(cleanFileName('/a/b/c.txt'), 'c.txt')
    assert.equal(cleanFileName('C:\\Temp\\c.txt'), 'c.txt')
    assert.equal(cleanFileName(' c\0\r\n.t\x7fxt '), 'c.txt')
    assert.equal(cleanFileName(`${'x'.repeat(10_000)}.exe`), `${'x'.repeat(251)}.exe`)
    assert.ok(cleanFileName('😀'.repeat(200) + 'x').isWellFormed())
  })

  test('encodings', () => {
    const encoding = (value: string) => read(`Content-Transfer-Encoding: ${value}\n`).encoding
    assert.deepEqual(['QUOTED-PRINTABLE', ' base64 ', '"base64"', 'base64; x', '', '8bit (really)', 'x-what'].map(encoding), ['quoted-printable', 'base64', 'base64', 'base64', '7bit', '8bit', 'x-what'])
  })

  test('of very many fields of a name those at both ends are read', () => {
    const nothing = 'Content-Type: ;\n'.repeat(500)
    assert.equal(read(`${nothing}Content-Type: text/html\n`).type, 'text/html')
    assert.equal(read(`Content-Type: text/html\n${nothing}Content-Type: multipart/mixed; boundary=a\n`).type, 'multipart/mixed')
    let reads = 0
    const counted = Array.from({ length: 2000 }, () => ({ name: 'content-type', spelling: 'Content-Type', text: '', get raw() { reads++; return 'text/html; a=b' } }))
    assert.deepEqual([...readContentFields(counted, 'text/plain').defects], ['duplicate-field'])
    assert.ok(reads <= 50, `${reads} were read`)
  })
})
