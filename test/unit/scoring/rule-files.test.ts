/** Files of rules that a configuration names: what becomes of all where some cannot be read. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { NOWHERE } from '../../../src/config/problem.ts'
import { readRules } from '../../../src/scoring/rule-files.ts'
import { ShippedRulesUnread } from '../../../src/scoring/unread-rules.ts'
import { readRuleFiles, type RulePaths } from '../../../src/spam/rules/folders.ts'
import { temporaryDirectory } from '../../support/process.ts'

const SETTINGS = { shipped: true, paths: ['/nowhere/at/all'], scores: new Map<string, number>(), spamassassin: [] }

test("a file of the site's that cannot be read is told, and the others are used", async () => {
  const { rules, problems } = await readRules(SETTINGS)
  assert.ok(rules.length > 100)
  assert.deepEqual(problems.map(({ source }) => source), ['/nowhere/at/all'])
})

test('one of those that come with Postern is no rule fewer: nothing is read then', async () => {
  const broken = { ...NOWHERE, source: '/opt/postern/rules/links.yaml', key: '', problem: 'cannot be read: EMFILE: too many open files', allowed: undefined, rule: undefined }
  const read = async (paths: RulePaths): ReturnType<typeof readRuleFiles> => {
    const found = await readRuleFiles(paths)
    return paths.shipped ? { files: found.files.slice(1), problems: [broken], unread: [broken] } : found
  }
  await assert.rejects(readRules(SETTINGS, { read }), (error) => error instanceof ShippedRulesUnread && error.message === 'the rules that come with Postern cannot be read: /opt/postern/rules/links.yaml: cannot be read: EMFILE: too many open files')
  const file = join(temporaryDirectory('rule-files'), 'site.yaml')
  writeFileSync(file, 'rules: []\n')
  // Whoever does not want them needs none of them.
  assert.deepEqual((await readRules({ ...SETTINGS, shipped: false, paths: [file] }, { read })).problems, [])
})
