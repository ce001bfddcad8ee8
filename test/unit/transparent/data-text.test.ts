/** Bare LFs as line ends, where there are many of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineView } from '../../../src/transparent/data-text.ts'

test('nothing but line ends, of each kind, cut anywhere', () => {
  for (const unit of ['\n', '\r\n', 'a\n', '\r', '\r\n\r', '\n\r\n', '\r\r\n\n']) {
    const text = unit.repeat(200)
    for (const size of [1, 2, 3, 64, text.length]) {
      const view = new LineView()
      let seen = ''
      for (let at = 0; at < text.length; at += size) seen += view.feed(Buffer.from(text.slice(at, at + size))).toString('latin1')
      assert.equal(seen, text.replace(/(?<!\r)\n/g, '\r\n'), `${JSON.stringify(unit)} by ${size}`)
    }
  }
})

test('a piece without bare LFs is not copied; an empty one forgets nothing', () => {
  const view = new LineView()
  const piece = Buffer.from('text\r\nmore\r')
  assert.equal(view.feed(piece), piece)
  assert.equal(view.feed(Buffer.alloc(0)).length, 0)
  assert.equal(view.feed(Buffer.from('\n')).toString(), '\n')
})

test('of many bare LFs no more is made than one buffer', (context) => {
  const concat = context.mock.method(Buffer, 'concat')
  assert.equal(new LineView().feed(Buffer.alloc(10_000, '\n')).length, 20_000)
  assert.equal(concat.mock.callCount(), 0)
})
