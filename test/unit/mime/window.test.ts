import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeldBytes, ownBytes } from '../../../src/mime/held-bytes.ts'
import { MimeReader } from '../../../src/mime/reader.ts'
import { Window } from '../../../src/mime/window.ts'

test('a piece that comes when everything is taken is not copied', () => {
  const window = new Window()
  const [one, two] = [Buffer.from('one'), Buffer.from('two')]
  window.push(one)
  assert.equal(window.bytes, one)
  window.at = 3
  window.push(two)
  assert.equal(window.bytes, two)
  assert.equal(window.offset, 3)
  assert.equal(window.at, 0)
})

test('what is left stands in front of what comes, and offsets go on', () => {
  const window = new Window()
  let taken = ''
  let pushed = 0
  for (let i = 0; i < 3000; i++) {
    window.push(Buffer.from(String(i % 10)))
    pushed++
    if (i % 7 !== 0) continue
    const end = window.at + Math.floor((window.bytes.length - window.at) / 2)
    taken += window.bytes.toString('latin1', window.at, end)
    window.at = end
    assert.equal(window.offset + window.at, taken.length)
    assert.equal(window.offset + window.bytes.length, pushed)
  }
  taken += window.bytes.toString('latin1', window.at)
  assert.equal(taken, Array.from({ length: 3000 }, (_, i) => i % 10).join(''))
})

test('bytes that were handed out stay what they are', () => {
  const window = new Window()
  window.push(Buffer.from('abcdef'))
  window.at = 3
  window.push(Buffer.from('ghi'))
  const given = window.bytes.subarray(window.at, window.bytes.length)
  assert.equal(given.toString(), 'defghi')
  for (let i = 0; i < 100; i++) {
    window.at = window.bytes.length - 1
    window.push(Buffer.alloc(100, i))
  }
  assert.equal(given.toString(), 'defghi')
})

test('pieces of one byte are copied a few times at most', () => {
  const window = new Window()
  let copied = 0
  for (let i = 0; i < 100_000; i++) {
    const before = window.bytes.buffer
    const left = window.bytes.length - window.at
    window.push(Buffer.from('x'))
    if (window.bytes.buffer !== before) copied += left
  }
  assert.ok(copied < 300_000, `${copied}`)
})

test('held bytes: one piece is not copied, many are put together', () => {
  const held = new HeldBytes()
  const piece = Buffer.allocUnsafeSlow(1000).fill('a')
  held.append(piece)
  assert.equal(held.take().buffer, piece.buffer)
  for (let i = 0; i < 1000; i++) held.append(Buffer.from('b'))
  assert.equal(held.length, 2000)
  assert.equal(held.take().toString(), 'a'.repeat(1000) + 'b'.repeat(1000))
  assert.equal(piece.toString(), 'a'.repeat(1000))
  held.clear()
  assert.equal(held.take().length, 0)
})

test('held bytes: a small share of a large piece does not keep the piece', () => {
  const held = new HeldBytes()
  const large = Buffer.alloc(65_536, 'x')
  held.append(large.subarray(0, 100))
  const taken = held.take()
  assert.notEqual(ownBytes(taken, taken).buffer, large.buffer)
  assert.equal(ownBytes(taken, taken).toString(), 'x'.repeat(100))
})

test('held bytes: what was decoded into memory of its own, and what is most of its piece, is not copied', () => {
  const whole = Buffer.alloc(1000, 'x')
  assert.equal(ownBytes(whole, whole), whole)
  const decoded = Buffer.alloc(100).subarray(0, 10)
  assert.equal(ownBytes(decoded, whole), decoded)
})

test('content that stands in the message as it is does not keep the piece that it came in', () => {
  for (const encoding of ['7bit', 'quoted-printable']) {
    const piece = Buffer.alloc(65_536, 'x')
    piece.write(`Content-Transfer-Encoding: ${encoding}\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\nshort\r\n--a\r\n\r\n`)
    const reader = new MimeReader()
    reader.write(piece)
    const [, part] = reader.end().parts
    assert.equal(part?.text, 'short')
    assert.notEqual(part.content.buffer, piece.buffer)
  }
})
