/** `postern check`, of rules: what is told of those that cannot be used, and of those that cannot be read. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkRules } from '../../../src/cli/check-rules.ts'
import { readRules } from '../../../src/scoring/rule-files.ts'
import { ShippedRulesUnread } from '../../../src/scoring/unread-rules.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { settingsFrom } from '../../support/settings.ts'

const settings = (spam: string) => settingsFrom(`hostname: mx.example\nlisteners: [{ name: in, role: inbound, listen: ["127.0.0.1:2525"], next: sink }]\nhops: { sink: { smtp: "127.0.0.1:2526" } }\ndomains: [example.org]\n${spam}`, { cwd: temporaryDirectory('check-rules') })

test('rules that come with Postern and cannot be read are no error of the configuration', async () => {
  const unread = new ShippedRulesUnread('the rules that come with Postern cannot be read: EACCES')
  assert.deepEqual(await checkRules(settings(''), () => Promise.reject(unread)), { unread, warnings: [], lines: [] })
  await assert.rejects(checkRules(settings(''), () => Promise.reject(new Error('a bug'))), /a bug/)
})

test("how many are used, and how many of the site's cannot be", async () => {
  const [whole] = (await checkRules(settings(''))).lines
  assert.match(whole ?? '', /^ {2}rules {6}\d+ are used$/)
  const count = Number(/\d+/.exec(whole ?? '')?.[0])
  const rule = (id: string, condition: string): string => `  - { id: ${id}, score: 1, why: It is a test, when: ${condition}, hits: [{ subject: prize }, { subject: two prizes }], misses: [{ subject: x }] }\n`
  const folder = temporaryDirectory('check-rules')
  writeFileSync(join(folder, 'site.yaml'), `rules:\n${rule('GOOD', "{ subject: '/prize/' }")}${rule('BROKEN', "{ subject: '/(/' }")}${rule('MISSES', "{ subject: '/price/' }")}`)
  const one = await checkRules(settings(`spam: { rules: [${folder}] }`))
  assert.deepEqual(one.lines, [`  rules      ${count + 1} are used; 2 of this site's cannot be: see the warnings`])
  // Two samples of one rule fail.
  assert.equal(one.warnings.length, 3)
  const cf = join(folder, 'local.cf')
  writeFileSync(cf, 'required_score 5\nheader LOCAL Subject =~ /x/\n')
  const more = await checkRules(settings(`spam: { scores: [NO_SUCH 1, NOR_THIS 1], spamassassin: [${cf}] }`))
  assert.deepEqual(more.lines, [`  rules      ${count + 1} are used; 2 problems with files and scores: see the warnings; 1 line of SpamAssassin's files passed over`])
  assert.deepEqual((await checkRules({ ...settings(''), listeners: [] })).lines, [])
})

test('rules that take longer than the gateway waits for them are told', async () => {
  const found = await readRules({ ...settings('').spam.rules, shipped: false })
  const took = async (ms: number): Promise<readonly string[]> => {
    const times = [1000, 1000 + ms]
    return (await checkRules(settings(''), () => Promise.resolve(found), () => times.shift() ?? NaN)).warnings
  }
  assert.deepEqual(await took(40_000), [])
  assert.deepEqual(await took(61_400), ["spam.rules, spam.spamassassin: reading the rules took 61.4 s; the gateway gives them 40 s, and runs without this site's (at a reload: with those in use) where they take longer"])
})
