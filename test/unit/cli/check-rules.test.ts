/** `postern check`, of rules: what is told of those that cannot be used, and of those that cannot be read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRules } from '../../../src/cli/check-rules.ts'
import { ShippedRulesUnread } from '../../../src/scoring/unread-rules.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { settingsFrom } from '../../support/settings.ts'

const settings = (spam: string) => settingsFrom(`hostname: mx.example\nlisteners: [{ name: in, role: inbound, listen: ["127.0.0.1:2525"], next: sink }]\nhops: { sink: { smtp: "127.0.0.1:2526" } }\ndomains: [example.org]\n${spam}`, { cwd: temporaryDirectory('check-rules') })

test('rules that come with Postern and cannot be read are an error', async () => {
  const { errors } = await checkRules(settings(''), () => Promise.reject(new ShippedRulesUnread('the rules that come with Postern cannot be read: EACCES')))
  assert.deepEqual(errors, ['the rules that come with Postern cannot be read: EACCES'])
  await assert.rejects(checkRules(settings(''), () => Promise.reject(new Error('a bug'))), /a bug/)
})
