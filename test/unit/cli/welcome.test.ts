/** What a newcomer reads is true of the embedded default. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { welcome } from '../../../src/cli/welcome.ts'
import { EMBEDDED_DEFAULT } from '../../../src/config/embedded.ts'
import { painter } from '../../../src/observe/readable.ts'
import { settingsFrom } from '../../support/settings.ts'

test('the welcome names the address, the commands and the mailbox of the embedded default', () => {
  const text = welcome(settingsFrom(EMBEDDED_DEFAULT, { cwd: '/home/new/postern' }), '/home/new/postern', painter(false))
  assert.match(text, /^ {4}swaks --server 127\.0\.0\.1:2525 --to you@localhost$/m)
  assert.match(text, /^ {4}printf .* \| curl -sS smtp:\/\/127\.0\.0\.1:2525 .*--mail-rcpt you@localhost -T -$/m)
  assert.match(text, /\.\/var\/mail\/localhost\/you\/new\//)
  assert.match(text, /Ctrl-C stops it/)
  assert.match(text, /npm run demo/)
})

test('a path elsewhere is shown whole', () => {
  const text = welcome(settingsFrom(EMBEDDED_DEFAULT, { cwd: '/srv' }), '/home/new', painter(false))
  assert.match(text, / \/srv\/var\/mail\/localhost\/you\/new\//)
})
