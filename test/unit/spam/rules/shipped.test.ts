/** The rules that come with Postern: every file is read, every sample passes, every rule has what a person needs. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRuleFiles, shippedRulesFolder } from '../../../../src/spam/rules/folders.ts'
import { loadRules } from '../../../../src/spam/rules/load.ts'
import { isPart } from '../../../../src/spam/rules/rule.ts'
import { contentOfText, NO_FACTS, told } from '../../../support/rules.ts'

const { files: asRead, problems: unread } = await readRuleFiles({ shipped: true, paths: [] })
// Here they are proved, whatever was proved before.
const files = asRead.map((file) => ({ ...file, proved: false }))
const loaded = loadRules({ files })

test('all files are read, and nothing is wrong with any of them', async () => {
  assert.deepEqual(told(unread), [])
  assert.deepEqual(told(loaded.problems), [])
  const names = (await readdir(shippedRulesFolder())).filter((name) => name.endsWith('.yaml'))
  assert.deepEqual(files.map(({ source }) => source).sort(), names.map((name) => join(shippedRulesFolder(), name)).sort())
})

test('they are known to be proved, so that no worker has to: npm run prove:rules', () => {
  assert.ok(asRead.every(({ proved }) => proved === true))
})

test('there are rules, each in a file of its theme', () => {
  const scoring = loaded.rules.rules.filter(({ id }) => !isPart(id))
  const themes = new Set(files.map(({ source }) => source))
  assert.ok(scoring.length >= 12, `${scoring.length} rules`)
  assert.ok(themes.size >= 9, `${themes.size} files`)
  for (const { id, why } of scoring) assert.match(why, /^[A-Z"].*[^.]$/, `${id}: a sentence without its full stop`)
})

test('the agreed test string scores 1000, wherever it stands in a message', () => {
  const string = ['XJS*C4JDBQADN1.NSBN3*2IDNEN', 'GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL', 'C.34X'].join('*')
  for (const message of [
    `Subject: test\n\n${string}\n`,
    `Subject: test\nContent-Type: text/html\n\n<p>${string}</p>\n`,
    `Subject: test\nContent-Transfer-Encoding: base64\n\n${Buffer.from(string).toString('base64')}\n`,
    `Subject: test\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nHello\n--x\nContent-Type: text/plain\n\n${string}\n--x--\n`,
  ]) {
    const { hits, score } = loaded.rules.evaluate(contentOfText(message), NO_FACTS)
    assert.deepEqual(hits.find(({ id }) => id === 'GTUBE')?.score, 1000)
    assert.ok(score > 900)
  }
  assert.ok(loaded.rules.evaluate(contentOfText('Subject: test\n\nGTUBE\n'), NO_FACTS).score < 100)
})
