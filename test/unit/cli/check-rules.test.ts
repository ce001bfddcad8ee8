/** `postern check`, of rules: what is told of those that cannot be used, and of those that cannot be read. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkRules } from '../../../src/cli/check-rules.ts'
import { NOWHERE } from '../../../src/config/problem.ts'
import { packRules } from '../../../src/scoring/packed-rules.ts'
import type { RulesCost } from '../../../src/scoring/rules-bounds.ts'
import type { RulesReading } from '../../../src/scoring/rules-task.ts'
import { TooMuch } from '../../../src/scoring/too-much.ts'
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

const NONE: RulesReading = { packed: packRules({ rules: [], problems: [], notes: [] }), rules: 0, problems: [], notes: [], unread: [], proof: { digest: '', failures: [] }, cost: undefined }

test('rules that come near to what the gateway allows are told', async () => {
  const toldOf = async (ms: number, cost?: RulesCost, dearest?: string): Promise<readonly string[]> => {
    return (await checkRules(settings(''), () => Promise.resolve({ ...NONE, tookMs: ms, cost, ...(dearest !== undefined && { dearest }) }))).warnings
  }
  assert.deepEqual(await toldOf(26_000), [])
  assert.deepEqual(await toldOf(26_400), ["spam.rules, spam.spamassassin: reading the rules took 26.4 s; where that takes more than 35 s, the gateway runs without this site's rules (at a reload: with those in use)"])
  assert.deepEqual(await toldOf(100, { ms: 2400, mb: 100 }), [])
  assert.deepEqual(await toldOf(100, { ms: 2400, mb: undefined }), [])
  assert.deepEqual(await toldOf(100, { ms: 2500, mb: 120.4 }), [
    "spam.rules, spam.spamassassin: to make the rules ready for use took 2.5 s of computing, which each worker does at its start and at each reload; where it takes more than 6 s, the gateway runs without this site's rules (at a reload: with those in use)",
    "spam.rules, spam.spamassassin: ready for use the rules take 120 MB of memory in each worker; where they take more than 256 MB, the gateway runs without this site's rules (at a reload: with those in use)",
  ])
  const [near = ''] = await toldOf(100, { ms: 2500, mb: 20 }, 'the dearest: BIG (local.cf:3) 90 %')
  assert.match(near, /\(at a reload: with those in use\); the dearest: BIG \(local\.cf:3\) 90 %$/)
})

test('rules that the gateway will not use are told, with what is known of them', async () => {
  const known = { problems: [{ ...NOWHERE, source: 'local.cf', line: 3, key: 'RULE', problem: 'the pattern is not closed', allowed: undefined, rule: 'RULE' }], notes: [] }
  const refused = (error: Error) => checkRules(settings(''), () => Promise.reject(error))
  assert.deepEqual(await refused(new TooMuch('ready for use they take more than 256 MB of memory in each worker', { known, mayPass: false, dearest: 'no single rule stands out' })), {
    warnings: ['local.cf:3:1: RULE: the pattern is not closed', "spam.rules, spam.spamassassin: too dear: ready for use they take more than 256 MB of memory in each worker; no single rule stands out; the gateway runs without this site's rules (at a reload: with those in use)"],
    lines: ["  rules      this site's cannot be used: see the warnings"],
  })
  assert.deepEqual((await refused(new TooMuch('it took longer than 40000 ms', { mayPass: true }))).warnings, ["spam.rules, spam.spamassassin: too dear: it took longer than 40000 ms; the gateway runs without this site's rules (at a reload: with those in use)"])
})
