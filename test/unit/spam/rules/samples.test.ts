/** Samples: what becomes of a few words is an ordinary message, but for these words. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSource } from '../../../../src/config/source.ts'
import { ValueReader } from '../../../../src/spam/rules/read-values.ts'
import { contentOf, readSample } from '../../../../src/spam/rules/samples.ts'
import type { Sample } from '../../../../src/spam/rules/samples.ts'

function sample(yaml: string): Sample {
  const { root } = parseSource(`sample: ${yaml}\n`)
  const node = root?.entries.get('sample')?.value
  assert.ok(node !== undefined)
  const values = new ValueReader('test.yaml')
  const read = readSample(values, node, ['sample'])
  assert.deepEqual(values.problems, [])
  assert.ok(read !== null)
  return read
}

test('what is not said is ordinary', () => {
  const content = contentOf(sample('{ subject: Grüße }'))
  assert.equal(content.subject, 'Grüße')
  assert.match(content.text, /minutes of our last meeting/)
  assert.deepEqual([...content.mime.defects], [])
  const names = content.mime.parts[0]?.fields.map(({ spelling }) => spelling) ?? []
  assert.deepEqual(names.toSorted(), ['Content-Transfer-Encoding', 'Content-Type', 'Date', 'From', 'MIME-Version', 'Message-ID', 'Received', 'Subject', 'To'])
})

test('lines of the header replace the ordinary ones of their names, and stand as often as they are given', () => {
  const { mime } = contentOf(sample('{ header: ["DATE: never", "X-A: 1", "X-A: 2"], from: "Bob <bob@example.net>" }'))
  const fields = mime.parts[0]?.fields ?? []
  const values = (name: string) => fields.filter((field) => field.name === name).map(({ raw }) => raw)
  assert.deepEqual(values('date'), ['never'])
  assert.deepEqual(values('x-a'), ['1', '2'])
  assert.deepEqual(values('from'), ['Bob <bob@example.net>'])
  assert.equal(fields.find(({ name }) => name === 'date')?.spelling, 'DATE')
})

test('text, HTML, or both', () => {
  const types = (yaml: string) => contentOf(sample(yaml)).mime.parts.map(({ type }) => type)
  assert.deepEqual(types('{ text: Hello }'), ['text/plain'])
  assert.deepEqual(types('{ html: "<p>Hello</p>" }'), ['text/html'])
  assert.deepEqual(types('{ text: Hello, html: "<p>Hello</p>" }'), ['multipart/alternative', 'text/plain', 'text/html'])
  assert.equal(contentOf(sample('{ html: "<p>Ünï</p>" }')).text.trim(), 'Ünï')
})

test('a whole message is taken as it is, with CRLF', () => {
  const { message, facts } = sample('"Subject: x\\n\\nbody\\r\\nmore\\n"')
  assert.equal(message.toString(), 'Subject: x\r\n\r\nbody\r\nmore\r\n')
  assert.equal(facts.words('spf'), undefined)
})

test('facts: those that are given, as words and numbers; an empty list is known to be empty', () => {
  const { facts } = sample('{ subject: x, facts: { spf: fail, dkim_domain: [a.example, b.example], uri_list: [], domain_age: 0 } }')
  assert.deepEqual(facts.words('spf'), ['fail'])
  assert.deepEqual(facts.words('dkim_domain'), ['a.example', 'b.example'])
  assert.deepEqual(facts.words('uri_list'), [])
  assert.equal(facts.words('dmarc'), undefined)
  assert.equal(facts.number('domain_age'), 0)
  assert.equal(facts.number('recipients'), undefined)
})
