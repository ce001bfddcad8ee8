import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import type { Attachment } from '../../../../../src/spam/content.ts'
import { MAX_ARCHIVE_ENTRIES, MAX_STORED_BYTES } from '../../../../../src/spam/content/bounds.ts'
import { gzipOf, oleOf, overlappingZip, programOf, rar4Of, rar5Of, tarOf, zipOf } from '../../../../support/archive-bytes.ts'
import { contentOf, file } from '../../../../support/content-messages.ts'

const found = (name: string, bytes: string | Buffer, type?: string): readonly Attachment[] => contentOf({ type: 'text/plain', content: 'x' }, file(name, bytes, type)).attachments
const row = ({ name, detectedType, inside }: Attachment) => [inside.join('>'), name, detectedType]

function only(name: string, bytes: string | Buffer, type?: string): Attachment {
  const [first, ...more] = found(name, bytes, type)
  assert.ok(first !== undefined)
  assert.deepEqual(more, [])
  return first
}

test('a file by its name, its declared type and its bytes', () => {
  assert.deepEqual(only('Invoice.PDF', '%PDF-1.4', 'application/pdf'), { part: 2, name: 'Invoice.PDF', extension: 'pdf', declaredType: 'application/pdf', detectedType: 'application/pdf', mismatch: false, bytes: 8, executable: false, macros: false, inside: [], encrypted: false, bomb: false })
})

test('what does not agree', () => {
  for (const [name, bytes, type] of [
    ['photo.jpg', programOf(), 'image/jpeg'], ['invoice.pdf', '<html><body>', 'application/pdf'], ['a.doc', programOf(), 'application/msword'], ['invoice.pdf.exe', programOf(), 'application/octet-stream'], ['x', programOf(), 'image/png'], ['x.txt', zipOf([{ name: 'a' }]), 'text/plain'], ['x.mp3', '%PDF-1.4', 'audio/mpeg'],
  ] as const) assert.equal(found(name, bytes, type)[0]?.mismatch, true, name)
  for (const [name, bytes, type] of [
    ['photo.jpg', '\x89PNG\r\n\x1a\n', 'image/jpeg'], ['a.xls', '<html><table>', 'application/vnd.ms-excel'], ['a.exe', programOf(), 'application/octet-stream'], ['a.docx', zipOf([{ name: '[Content_Types].xml' }, { name: 'word/document.xml' }]), 'application/octet-stream'],
    ['a.bin', programOf(), 'application/octet-stream'], ['a.txt', 'text', 'text/plain'], ['a.doc', oleOf('WordDocument'), 'application/msword'], ['x.svg', '<svg>', 'image/svg+xml'], ['a.zip', zipOf([{ name: 'b.txt', content: 'b' }]), 'application/zip'], ['a.jar', zipOf([{ name: 'META-INF/MANIFEST.MF' }, { name: 'A.class' }]), 'application/java-archive'],
  ] as const) assert.equal(found(name, typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, type)[0]?.mismatch, false, name)
})

test('programs, by name or by bytes', () => {
  assert.equal(only('a.txt', programOf()).executable, true)
  assert.equal(only('a.js', 'var x').executable, true)
  assert.equal(only('a.txt', 'var x').executable, false)
  assert.equal(only('a.msi', oleOf()).executable, true)
})

test('office documents with macros', () => {
  const ooxml = (...names: string[]) => zipOf(['[Content_Types].xml', ...names].map((name) => ({ name, content: 'x' })))
  for (const [name, bytes, type, macros] of [
    ['a.docx', ooxml('word/document.xml'), 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', false],
    ['a.docm', ooxml('word/document.xml', 'word/vbaProject.bin'), 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', true],
    ['a.xlsm', ooxml('xl/workbook.xml', 'xl/macrosheets/sheet1.xml'), 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', true],
    ['a.doc', oleOf('WordDocument'), 'application/msword', false],
    ['a.doc', oleOf('WordDocument', 'Macros', 'VBA', '_VBA_PROJECT'), 'application/msword', true],
    ['a.xls', oleOf('Workbook', '_VBA_PROJECT_CUR'), 'application/vnd.ms-excel', true],
    ['a.odt', zipOf([{ name: 'mimetype', content: 'application/vnd.oasis.opendocument.text', stored: true }, { name: 'Basic/script-lc.xml' }]), 'application/vnd.oasis.opendocument.text', true],
  ] as const) {
    const one = only(name, bytes)
    assert.deepEqual([one.detectedType, one.macros, one.mismatch], [type, macros, false], name)
  }
  assert.equal(only('a.docx', oleOf('EncryptionInfo', 'EncryptedPackage')).encrypted, true)
})

test('a zip file: what lies in it', () => {
  const bytes = zipOf([{ name: 'docs/read.txt', content: 'text '.repeat(100) }, { name: 'docs/' }, { name: 'run\\it.exe', content: programOf() }, { name: 'p.jpg', content: programOf(), stored: true }])
  for (const [way, archive] of [['whole', bytes], ['without its directory', zipOf([{ name: 'docs/read.txt', content: 'text '.repeat(100) }, { name: 'docs/' }, { name: 'run\\it.exe', content: programOf() }, { name: 'p.jpg', content: programOf(), stored: true }], { directory: false })], ['behind something', Buffer.concat([Buffer.from('PK\x03\x04 no'), bytes])]] as const) {
    assert.deepEqual(found('a.zip', archive).slice(1).map((one) => [...row(one), one.executable, one.mismatch]), [
      ['a.zip', 'read.txt', undefined, false, false],
      ['a.zip', 'it.exe', 'application/vnd.microsoft.portable-executable', true, false],
      ['a.zip', 'p.jpg', 'application/vnd.microsoft.portable-executable', true, true],
    ], way)
  }
})

test('entries whose length stands behind them, and names that differ', () => {
  const streamed = zipOf([{ name: 'a.txt', content: 'a'.repeat(500), streamed: true }, { name: 'b.exe', content: programOf(), streamed: true }], { directory: false })
  assert.deepEqual(found('s.zip', streamed).slice(1).map(({ name, executable }) => [name, executable]), [['a.txt', false], ['b.exe', true]])
  assert.deepEqual(found('t.zip', zipOf([{ name: 'a.txt', localName: 'a.exe', content: 'x' }])).slice(1).map(({ name }) => name), ['a.txt', 'a.exe'])
})

test('a zip file that is cut off anywhere gives what is there', () => {
  const bytes = zipOf([{ name: 'a.txt', content: randomBytes(300) }, { name: 'b.exe', content: randomBytes(300) }])
  for (let length = 4; length < bytes.length; length++) {
    const names = found('a.zip', bytes.subarray(0, length)).slice(1).map(({ name }) => name)
    assert.ok(names.length <= 2 && ['a.txt', 'b.exe'].slice(0, names.length).every((name, index) => name.startsWith(names[index] ?? '')), `${length}: ${names.join()}`)
  }
})

test('encrypted entries are said to be, and not looked into', () => {
  const [archive, entry] = found('a.zip', zipOf([{ name: 'secret.exe', content: 'x', encrypted: true }]))
  assert.deepEqual([archive?.encrypted, entry?.encrypted, entry?.executable, entry?.detectedType], [true, true, true, undefined])
  assert.equal(found('a.zip', zipOf([{ name: 'a', encrypted: true }, { name: 'b' }]))[0]?.encrypted, false)
})

test('gzip, tar, and both', () => {
  assert.deepEqual(found('notes.txt.gz', gzipOf('text')).map(row), [['', 'notes.txt.gz', 'application/gzip'], ['notes.txt.gz', 'notes.txt', undefined]])
  assert.deepEqual(found('x.gz', gzipOf(programOf(), 'real.exe')).map(row)[1], ['x.gz', 'real.exe', 'application/vnd.microsoft.portable-executable'])
  const tar = tarOf([{ name: `${'long/'.repeat(30)}name.exe\0`, content: `${'long/'.repeat(30)}name.exe\0`, flag: 'L' }, { name: 'cut', content: programOf() }, { name: 'dir/', content: '', flag: '5' }, { name: 'PaxHeader', content: '21 path=long/name.js\n', flag: 'x' }, { name: 'b.txt', content: 'b' }])
  assert.deepEqual(found('a.tgz', gzipOf(tar)).map(row), [
    ['', 'a.tgz', 'application/gzip'], ['a.tgz', 'a.tar', 'application/x-tar'],
    ['a.tgz>a.tar', 'name.exe', 'application/vnd.microsoft.portable-executable'], ['a.tgz>a.tar', 'name.js', undefined],
  ])
})

test('RAR: names, and whether they need a password', () => {
  for (const make of [rar4Of, rar5Of]) {
    assert.deepEqual(found('a.rar', make(['doc.txt', 'dir/run.exe'])).map(({ name, executable, bytes, inside }) => [name, executable, inside.length === 0 ? 0 : bytes]), [['a.rar', false, 0], ['doc.txt', false, 99], ['run.exe', true, 99]])
    assert.equal(found('a.rar', make(['a'], { encrypted: true }))[0]?.encrypted, true)
  }
})

test('archives in archives, to a depth; what is deeper is a bomb', () => {
  const inner = zipOf([{ name: 'run.exe', content: programOf() }])
  const two = zipOf([{ name: 'two.zip', content: inner }])
  const three = zipOf([{ name: 'three.zip', content: two, stored: true }])
  assert.deepEqual(found('a.zip', three).map((one) => [...row(one), one.bomb]), [
    ['', 'a.zip', 'application/zip', false], ['a.zip', 'three.zip', 'application/zip', false], ['a.zip>three.zip', 'two.zip', 'application/zip', false],
    ['a.zip>three.zip>two.zip', 'run.exe', 'application/vnd.microsoft.portable-executable', false],
  ])
  const deep = found('a.zip', zipOf([{ name: 'four.zip', content: three }]))
  assert.deepEqual(deep.map(({ name, bomb }) => [name, bomb]), [['a.zip', false], ['four.zip', false], ['three.zip', false], ['two.zip', true]])
})

test('bombs are said to be, and not unpacked', () => {
  const zeros = Buffer.alloc(20_000_000)
  const [archive, entry] = found('bomb.zip', zipOf([{ name: 'zeros', content: zeros }]))
  assert.deepEqual([archive?.bomb, entry?.bomb, entry?.bytes], [true, true, 20_000_000])
  assert.deepEqual(found('bomb.gz', gzipOf(zeros)).map(({ bomb }) => bomb), [false, true])
  const liar = found('liar.zip', zipOf([{ name: 'inner.zip', content: zipOf([{ name: 'x', content: zeros.subarray(0, 5_000_000), size: 10 }]) }]))
  assert.ok(liar.length >= 2)
})

test('no more entries than the bound, and no more work', () => {
  const names = Array.from({ length: 5000 }, (_, i) => ({ name: `f${i}.txt`, content: 'some text to look at' }))
  assert.equal(found('many.zip', zipOf(names)).length, MAX_ARCHIVE_ENTRIES + 1)
  const nested = zipOf(Array.from({ length: 50 }, (_, i) => ({ name: `n${i}.zip`, content: zipOf(names.slice(0, 100)) })))
  assert.ok(found('nested.zip', nested).length <= MAX_ARCHIVE_ENTRIES + 1)
})

test('which parts are attachments', () => {
  const content = contentOf({ type: 'text/plain', content: 'shown' }, { type: 'text/plain', content: 'named', name: 'a.txt', disposition: 'inline' }, { type: 'image/png', content: 'x' }, { type: 'text/html', content: '<b>', name: 'b.html' })
  assert.deepEqual(content.attachments.map(({ part, name, extension }) => [part, name, extension]), [[2, 'a.txt', 'txt'], [3, '', ''], [4, 'b.html', 'html']])
  assert.equal(content.text, 'shown\nnamed')
})

/** Bytes that searches were given to look through. */
function searched(t: TestContext, work: () => void): number {
  let bytes = 0
  const prototype = Buffer.prototype as Buffer
  for (const name of ['includes', 'indexOf', 'lastIndexOf'] as const) {
    const real = Object.getOwnPropertyDescriptor(prototype, name)?.value as (...given: never[]) => unknown
    t.mock.method(prototype, name, function (this: Buffer, ...given: never[]) {
      bytes += this.length
      return Reflect.apply(real, this, given) as unknown
    })
  }
  work()
  t.mock.restoreAll()
  return bytes
}

test('files of a zip that lie over each other are looked through as often as files of a whole message could be', (t) => {
  const inner = Buffer.concat([oleOf('WordDocument'), Buffer.alloc(200_000, 'W')])
  const bytes = overlappingZip(inner, 200)
  let all: readonly Attachment[] = []
  const looked = searched(t, () => {
    all = found('a.zip', bytes)
  })
  // Each is a document; of those beyond the bound the head says no more than that.
  assert.equal(all.length, MAX_ARCHIVE_ENTRIES + 1)
  assert.deepEqual([...new Set(all.slice(1).map(({ executable, bytes: size }) => `${executable} ${size}`))], [`false ${inner.length}`])
  assert.ok(looked < MAX_STORED_BYTES * 20, `${looked} bytes`)
})

test('a directory whose files do not say where they end is no reason to look for their ends', (t) => {
  const one = zipOf([{ name: 'a', content: Buffer.alloc(200_000, 'P'), stored: true, streamed: true }])
  const bytes = overlappingZip(Buffer.alloc(200_000, 'P'), 200)
  bytes.writeUInt16LE(one.readUInt16LE(6), 6)
  bytes.writeUInt32LE(0, 18)
  const looked = searched(t, () => {
    assert.equal(found('a.zip', bytes).length, MAX_ARCHIVE_ENTRIES + 1)
  })
  assert.ok(looked < bytes.length * 60, `${looked} bytes`)
})

test('a name that is as long as the format allows is kept by its end', () => {
  const [, entry] = found('a.zip', zipOf([{ name: `${'x'.repeat(60_000)}.exe`, content: 'x' }]))
  assert.deepEqual([entry?.name.length, entry?.extension, entry?.executable], [255, 'exe', true])
})

test('what is large and packs well is no bomb yet', () => {
  // Some ninety times its size: tables and logs come near to that.
  const log = Buffer.concat([randomBytes(120_000), Buffer.alloc(11_000_000)])
  const [archive, entry] = found('log.zip', zipOf([{ name: 'mail.log', content: log }]))
  assert.deepEqual([archive?.bomb, entry?.bomb, entry?.bytes], [false, false, log.length])
})
