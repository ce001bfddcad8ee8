/** Rules: whatever a message is, it gets a score; whatever a file of rules is, it is read or its faults are told; nothing throws. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { MimeReader } from '../../src/mime/reader.ts'
import { readContent } from '../../src/spam/content/read-content.ts'
import { readAddresses } from '../../src/spam/rules/addresses.ts'
import { readRuleFiles } from '../../src/spam/rules/folders.ts'
import { loadRules } from '../../src/spam/rules/load.ts'
import { fuzz } from '../support/fuzzing.ts'
import { factsOf } from '../support/rules.ts'

const { files } = await readRuleFiles({ shipped: true, paths: [] })
const { rules } = loadRules({ files })
const page = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8')
const examples = Array.from(page.matchAll(/```yaml\n(when:[\s\S]*?)```/g), ([, text = '']) => text)

const FACTS = factsOf({ spf: ['fail'], dmarc: ['none'], sender: ['', 'x'], dkim_domain: ['.', '..'], helo_name: ['[1]', ''], recipient: ['<>', '@'] }, { domain_age: 0, recipients: -1 })
const HEADER = [
  'From: ', 'To: ', 'Reply-To: ', 'Subject: ', 'Date: ', 'Received: ', 'Message-ID: ', 'List-Unsubscribe: ', 'Content-Type: ', 'text/html\r\n', 'multipart/mixed; boundary=b\r\n', '\r\n', '\r\n\r\n', ' ', '"', '<', '>', '@', ',', ':', ';', '(', ')', '\\',
  'a@b.example', 'bank.example', '=?utf-8?q?=C3=A4?=', '=?x?b?/?=', 'Mon, 05 Jan 2026 10:00:00 +0000', 'prize', 'account', '\xff', '\xc3\xa4', '\0', '.', '..', '[', ']', '[1.2.3.4]', 'xn--', 'Ä'.repeat(10),
]
const BODY = [
  '--b\r\n', '--b--\r\n', '<a href="', '">', '</a>', 'http://', 'https://user@', '1.2.3.4', 'xn--pypal-4ve.com', '/', '?', '#', '<form>', '<div style="display:none">', '<', '>', '<base href=x>', 'Content-Disposition: attachment; filename="a.pdf.exe"\r\n', 'Content-Type: text/html\r\n', 'UEsDBA==', '\r\n', '\r\n\r\n',
  'million dollars ', 'next of kin ', 'your account is suspended ', 'UNSUBSCRIBE ', 'x'.repeat(100), ' '.repeat(50), '\xf0\x9f\x94\xa5', '\xd0\xb0', '\xe2\x80\x8b', '!!!',
]

fuzz('rules: any message has a finite score, twice the same', 1500, (random) => {
  const reader = new MimeReader()
  reader.write(Buffer.from(`${random.soup(HEADER, 60)}\r\n\r\n${random.soup(BODY, 60)}`, 'latin1'))
  const content = readContent(reader.end())
  const outcome = rules.evaluate(content, FACTS)
  assert.ok(Number.isFinite(outcome.score))
  for (const { excerpt } of outcome.hits) assert.ok(excerpt === undefined || excerpt.length <= 80)
  assert.deepEqual(rules.evaluate(content, FACTS), outcome)
})

fuzz('rules: a spoiled file is read, or its faults are told', 1500, (random) => {
  const rule = `rules:\n  - id: __SPOILED\n    why: What is left of an example\n${random.pick(examples).replace(/^(?=.)/gm, '    ')}`
  const words = ['when:', '{', '}', '[', ']', ': ', ', ', "'", '"', '/', '/i', 'not', 'any', 'all', 'count', 'true', '3', '- ', '\n', '    ', '&a ', '*a', '|', '\\', '(?:', '{0,9}', '\0']
  const { rules: read, problems } = loadRules({ files: [{ source: 'spoiled.yaml', text: random.spoil(rule, words), site: true }] })
  assert.ok(read.rules.length <= 2)
  for (const { source, problem } of problems) assert.ok(source === 'spoiled.yaml' && problem !== '')
})

fuzz('rules: addresses out of anything, within the bounds', 5000, (random) => {
  for (const { name, domain, organization, claims, impostor } of readAddresses(random.soup(HEADER, 80, 0.1))) {
    assert.ok(name.length <= 2000 && domain !== '' && organization !== '')
    assert.ok(!impostor || claims.length > 0)
  }
})
