/** The rendering for people. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { escapeControls, formatSize, painter, renderRecord, type Facts } from '../../../src/observe/readable.ts'

const plain = painter(false)
const time = new Date(2026, 10, 21, 3, 4, 5, 6)
const render = (text: string, facts: Facts): string => renderRecord({ level: 'info', time, text, facts }, plain)

const TRANSACTION: Facts = {
  id: 'TF7MGK5KJ5', listener: 'inbound', client: '192.0.2.1', helo: 'mx.example.com', from: 'ann@a.example',
  rcpts: ['bob@b.example'], size: 4100, verdict: 'accept', hop: 'local', reply: '250 2.0.0 Delivered', ms: 12.34,
}

describe('a transaction', () => {
  test('is one line with reply, path, size, hop and time', () => {
    assert.equal(
      render('message', TRANSACTION),
      '03:04:05.006  info 250 2.0.0 Delivered  ann@a.example → bob@b.example  4.1 kB  from 192.0.2.1  via local  12 ms  inbound TF7MGK5KJ5\n',
    )
  })

  test('tells the verdict where it is not plain acceptance, and what was mended or refused', () => {
    const line = render('message', { ...TRANSACTION, verdict: 'tempfail', reply: '451 4.3.0 Later', mended: { bareLf: 3 }, refused: ['<x@b.example> 550 No'] })
    assert.match(line, /451 4\.3\.0 Later {2}tempfail/)
    assert.match(line, /mended=\{"bareLf":3\}/)
    assert.match(line, /refused=\["<x@b\.example> 550 No"\]/)
  })

  test('a null reverse-path, no recipient, many recipients, no reply', () => {
    assert.match(render('message', { ...TRANSACTION, from: '' }), /<> → bob/)
    assert.match(render('message', { ...TRANSACTION, rcpts: [] }), /→ \(nobody\)/)
    assert.match(render('message', { ...TRANSACTION, rcpts: ['a@x', 'b@x', 'c@x', 'd@x', 'e@x'] }), /→ a@x, b@x, c@x and 2 more/)
    assert.match(render('message', { ...TRANSACTION, reply: undefined, verdict: 'refused', size: undefined, hop: undefined, ms: undefined }), /info refused {2}ann@a\.example → bob/)
    assert.match(render('message', { ...TRANSACTION, reply: undefined, verdict: undefined }), /info - {2}ann@a\.example → bob/)
  })

  test('is coloured by the class of its reply', () => {
    const coloured = (reply: string): string => renderRecord({ level: 'info', time, text: 'message', facts: { ...TRANSACTION, reply } }, painter(true))
    assert.match(coloured('250 ok'), /\x1b\[32m250 ok\x1b\[0m/)
    assert.match(coloured('450 no'), /\x1b\[33m450 no\x1b\[0m/)
    assert.match(coloured('550 no'), /\x1b\[31m550 no\x1b\[0m/)
  })
})

describe('any other record', () => {
  test('is its text and its facts; what has spaces stands in quotation marks', () => {
    assert.equal(render('started', { a: 1, b: 'x', c: 'two words', d: undefined, e: '', f: [1, 'z'] }), '03:04:05.006  info started a=1 b=x c="two words" e="" f=[1,"z"]\n')
  })

  test('shows a stack on lines of its own', () => {
    const text = render('a bug', { err: { message: 'boom', stack: 'Error: boom\x1b[2J\n    at f (x.ts:1)' } })
    assert.equal(text, '03:04:05.006  info a bug\n    Error: boom\\x1b[2J\n    at f (x.ts:1)\n')
  })
})

test('nothing from the network can move the cursor, forge a line or turn the text', () => {
  const evil = '\x1b[2J\r\n03:00 info 250 ok\x9b31m\x7f\0\u202e\u2066\u2028'
  for (const facts of [{ ...TRANSACTION, from: evil, rcpts: [evil], client: evil, reply: evil, hop: evil, id: evil, listener: evil, verdict: evil, tls: evil }, { helo: evil, [evil]: 1 }]) {
    for (const text of ['message', 'x', evil]) {
      const line = render(text, facts)
      assert.equal(line.indexOf('\n'), line.length - 1)
      assert.doesNotMatch(line.slice(0, -1), /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
    }
  }
  assert.equal(escapeControls('a\tb\x1bc\u202ed ü → 日'), 'a\\tb\\x1bc\\u202ed ü → 日')
})

test('sizes', () => {
  assert.deepEqual([0, 999, 1000, 4100, 1_500_000].map(formatSize), ['0 B', '999 B', '1.0 kB', '4.1 kB', '1.5 MB'])
})
