/** What log lines say of messages, however large their fields are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageWords } from '../../../src/dkimproxy/message-words.ts'
import { HeaderSectionReader, type HeaderSection } from '../../../src/message/header-section.ts'

function section(text: string): HeaderSection {
  const reader = new HeaderSectionReader()
  reader.feed(Buffer.from(`${text}\r\n`, 'latin1'))
  return reader.finish()
}

test('message-id, signer, from or sender', () => {
  assert.equal(messageWords(section('Message-ID:\r\n <1@a.example>\r\nFrom: A <a@a.example>\r\n'), '@a.example'), 'message-id=<1@a.example>, signer=<@a.example>, from=<a@a.example>')
  assert.equal(messageWords(section('From: a@a.example\r\nSender: s@a.example\r\n'), ''), 'sender=<s@a.example>')
  assert.equal(messageWords(undefined, ''), '')
})

test('one line of printable ASCII without brackets, cut', () => {
  assert.equal(messageWords(section('Message-ID: <a\x01<b>\xff>\r\n'), 'x>\n'), 'message-id=<a??b??>, signer=<x?>')
  assert.equal(messageWords(section(`Message-ID: <${'x'.repeat(400)}>\r\n`), ''), `message-id=<${'x'.repeat(317)}...>`)
})

test('of a megabyte little is looked at', (context) => {
  const large = section(`Message-ID: ${'<'.repeat(1_000_000)}\r\nFrom: a@a.example\r\n`)
  const [replace, trim] = [context.mock.method(String.prototype, 'replace'), context.mock.method(String.prototype, 'trim')]
  const words = messageWords(large, '@'.repeat(1_000_000))
  const lengths = [...replace.mock.calls, ...trim.mock.calls].map((call) => String(call.this).length)
  context.mock.restoreAll()
  assert.ok(lengths.length > 0 && lengths.every((length) => length <= 4096), `${Math.max(...lengths)} characters`)
  assert.equal(words, `message-id=<${'?'.repeat(317)}...>, signer=<${'@'.repeat(317)}...>, from=<a@a.example>`)
})
