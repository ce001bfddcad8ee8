/** The body by RFC 6376 §3.4.3 to §3.4.5, at every split point; the fuzz targets hold it against a second writing of the RFC. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { BodyHashes } from '../../../../src/auth/dkim/body-hash.ts'
import { bodyCanonicalizer } from '../../../../src/auth/dkim/canonical-body.ts'
import type { Canonicalization } from '../../../../src/auth/dkim/signing-order.ts'

function canonical(canonicalization: Canonicalization, pieces: readonly Uint8Array[]): string {
  const out: Buffer[] = []
  const body = bodyCanonicalizer(canonicalization, { write: (bytes) => { out.push(Buffer.from(bytes)) } })
  for (const piece of pieces) body.write(piece)
  body.end()
  return Buffer.concat(out).toString('latin1')
}

const CASES: readonly (readonly [body: string, simple: string, relaxed: string])[] = [
  // §3.4.5
  [' C \r\nD \t E\r\n\r\n\r\n', ' C \r\nD \t E\r\n', ' C\r\nD E\r\n'],
  ['', '\r\n', ''],
  ['\r\n', '\r\n', ''],
  ['\r\n\r\n\r\n', '\r\n', ''],
  [' \t', ' \t\r\n', ''],
  [' \r\n\t\r\n', ' \r\n\t\r\n', ''],
  ['a', 'a\r\n', 'a\r\n'],
  ['a ', 'a \r\n', 'a\r\n'],
  ['a\r\n \r\n\r\nb', 'a\r\n \r\n\r\nb\r\n', 'a\r\n\r\n\r\nb\r\n'],
  ['\r\n\r\na\r\n', '\r\n\r\na\r\n', '\r\n\r\na\r\n'],
  // What stands alone is a byte like any other.
  ['a\r', 'a\r\r\n', 'a\r\r\n'],
  ['a \r', 'a \r\r\n', 'a \r\r\n'],
  ['a\n', 'a\n\r\n', 'a\n\r\n'],
  ['a \n \r b\r\r\n\n\r\n', 'a \n \r b\r\r\n\n\r\n', 'a \n \r b\r\r\n\n\r\n'],
  ['a \r \r\n', 'a \r \r\n', 'a \r\r\n'],
  ['\r\n\r', '\r\n\r\r\n', '\r\n\r\r\n'],
  ['\r\n \r', '\r\n \r\r\n', '\r\n \r\r\n'],
  ['\xa0 \0\xff \r\n', '\xa0 \0\xff \r\n', '\xa0 \0\xff\r\n'],
]

test('bodies, whole and cut in three at every place', () => {
  for (const [body, simple, relaxed] of CASES) {
    const bytes = Buffer.from(body, 'latin1')
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const pieces = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
        assert.equal(canonical('simple', pieces), simple, JSON.stringify([body, first, second]))
        assert.equal(canonical('relaxed', pieces), relaxed, JSON.stringify([body, first, second]))
      }
    }
  }
})

test('wherever in a block and at whatever offset a blank has to go, it goes', () => {
  const line = 'word of seven, and some more. '
  for (const blank of ['  ', '\t', ' \r\n', ' \t ', '\r\n ', '\r\n\r\n x', 'x\r\n \r\n']) {
    for (let before = 0; before < 12; before++) {
      for (const offset of [0, 1, 2, 3]) {
        const text = `${line.slice(0, before)}${blank}${line.repeat(3)}`
        const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]).subarray(offset)
        const lines = text.split('\r\n').map((one) => one.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
        assert.equal(canonical('relaxed', [bytes]), `${lines.join('\r\n')}\r\n`, JSON.stringify([text, offset]))
      }
    }
  }
})

test('blanks and line ends across the places where blocks end', () => {
  for (const at of [8189, 8190, 8191, 8192, 8193, 16_384]) {
    for (const middle of [' ', '  ', ' \r\n', '\t\t', '\r\n\r\n', ' \r', '\r\n ']) {
      const text = `${'x'.repeat(at)}${middle}${'y'.repeat(9000)}`
      const lines = text.split('\r\n').map((one) => one.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
      assert.equal(canonical('relaxed', [Buffer.from(text)]), `${lines.join('\r\n')}\r\n`, `${at} ${JSON.stringify(middle)}`)
    }
  }
})

test('megabytes of blanks and line ends are held as a number', () => {
  const blanks = Buffer.alloc(1 << 20, 0x20)
  const ends = Buffer.from('\r\n'.repeat(1 << 19))
  const before = process.memoryUsage().arrayBuffers
  const written: number[] = []
  for (const piece of [blanks, ends]) {
    const body = bodyCanonicalizer('relaxed', { write: (bytes) => { written.push(bytes.length) } })
    for (let i = 0; i < 32; i++) body.write(piece)
    assert.deepEqual(written, [])
    body.end()
    assert.deepEqual(written, [])
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 20)
  // Where something follows, they come out in pieces that are small.
  const body = bodyCanonicalizer('simple', { write: (bytes) => { written.push(bytes.length) } })
  body.write(ends)
  body.write(Buffer.from('x'))
  assert.equal(written.reduce((sum, length) => sum + length, 0), (1 << 20) + 1)
  assert.ok(written.every((length) => length <= 4096))
})

test('one pass for all canonicalisations and lengths, and each is what it would be alone', () => {
  const body = Buffer.from(`one  two \r\n${'three four\r\n'.repeat(300)}\r\n\r\n`)
  const hash = (text: string) => createHash('sha256').update(text).digest('base64')
  const relaxed = canonical('relaxed', [body])
  const simple = canonical('simple', [body])
  for (const size of [1, 7, 500, 10_000]) {
    const hashes = new BodyHashes()
    assert.equal(hashes.wanted, false)
    const wanted = [hashes.want('relaxed'), hashes.want('relaxed', 0), hashes.want('relaxed', 5), hashes.want('simple', 5000), hashes.want('simple', 1_000_000), hashes.want('simple'), hashes.want('relaxed')]
    assert.equal(hashes.wanted, true)
    for (let at = 0; at < body.length; at += size) hashes.write(body.subarray(at, at + size))
    hashes.end()
    assert.deepEqual(wanted.map((result) => result()), [
      { digest: hash(relaxed), hashed: relaxed.length, total: relaxed.length }, { digest: hash(''), hashed: 0, total: relaxed.length }, { digest: hash('one t'), hashed: 5, total: relaxed.length },
      { digest: hash(simple.slice(0, 5000)), hashed: Math.min(5000, simple.length), total: simple.length }, { digest: hash(simple), hashed: simple.length, total: simple.length },
      { digest: hash(simple), hashed: simple.length, total: simple.length }, { digest: hash(relaxed), hashed: relaxed.length, total: relaxed.length },
    ])
  }
})
