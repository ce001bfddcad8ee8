import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSpamAssassin } from '../../../../src/spam/spamassassin/read-files.ts'
import { cfTold } from '../../../support/spamassassin.ts'

function folder(t: { after(action: () => void): void }, files: Readonly<Record<string, string | Buffer>>): string {
  const path = mkdtempSync(join(tmpdir(), 'postern-cf-'))
  t.after(() => rmSync(path, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return path
}

test('of folders all .cf in the order of their names, folders in theirs; a site has the last word', async (t) => {
  const shipped = folder(t, { '20_b.cf': 'body RULE /b/', '10_a.cf': 'body RULE /a/', '50_scores.cf': 'score RULE 1 2 3 4', 'init.pre': 'body NEVER /x/', '.hidden.cf': 'body NEVER /x/' })
  const site = folder(t, { 'local.cf': 'score RULE 7', 'other.cf': 'score RULE (1)' })
  const scoreOf = async (...given: Parameters<typeof readSpamAssassin>) => (await readSpamAssassin(...given)).rules.map(({ rule, source }) => [rule.id, rule.score, source.slice(source.lastIndexOf('/') + 1)])
  assert.deepEqual(await scoreOf([shipped]), [['RULE', 4, '20_b.cf']])
  assert.deepEqual(await scoreOf([shipped], { bayes: false, network: false }), [['RULE', 1, '20_b.cf']])
  assert.deepEqual(await scoreOf([shipped, site]), [['RULE', 8, '20_b.cf']])
  assert.deepEqual(await scoreOf([site, shipped]), [['RULE', 4, '20_b.cf']])
  assert.deepEqual(await scoreOf([join(shipped, '10_a.cf'), join(site, 'local.cf')]), [['RULE', 7, '10_a.cf']])
})

test('what other files include is read; what is not there is told, and the rest is read', async (t) => {
  const path = folder(t, { 'channel.cf': 'include channel/10.cf\ninclude channel/none.cf', 'channel/10.cf': Buffer.from('body RULE /sch\xf6n/\ninclude 20.cf', 'latin1'), 'channel/20.cf': 'body OTHER /o/' })
  const { rules, problems, notes } = await readSpamAssassin([path, join(path, 'missing')])
  assert.deepEqual(rules.map(({ rule }) => rule.id), ['RULE', 'OTHER'])
  assert.equal(JSON.stringify(rules[0]?.rule.when).includes('sch\u00f6n'), true, 'bytes stay bytes')
  assert.deepEqual(cfTold(problems).map((one) => one.replace(/ENOENT.*/, 'ENOENT')), [`${join(path, 'missing')}:-: cannot be read: ENOENT`, `${join(path, 'channel/none.cf')}:-: cannot be read: ENOENT`])
  assert.deepEqual(cfTold(notes), [`${join(path, 'channel.cf')}:2: channel/none.cf is not there, or cannot be read`])
})

test('files have a bound', async (t) => {
  const path = folder(t, { 'big.cf': Buffer.alloc(8 * 1024 * 1024 + 1, '#'), 'small.cf': 'body RULE /x/' })
  const { rules, problems } = await readSpamAssassin([path])
  assert.equal(rules.length, 1)
  assert.deepEqual(cfTold(problems), [`${join(path, 'big.cf')}:-: has more than 8388608 bytes`])
})
