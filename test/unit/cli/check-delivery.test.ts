/** What is said of the bundled delivery before mail comes. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { checkDelivery, deliveryProblems } from '../../../src/cli/check-delivery.ts'
import type { ProcessIdentity } from '../../../src/delivery/local-settings.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { settingsFrom } from '../../support/settings.ts'

const ROOT: ProcessIdentity = { uid: 0, gid: 0, groups: [], platform: 'linux' }
const SOMEBODY: ProcessIdentity = { uid: 1000, gid: 1000, groups: [], platform: 'linux' }

function settings(cwd: string, more = '') {
  return settingsFrom(`listeners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: local }]
hops: { local: { maildir: "mail/{local}"${more} } }
domains: [example.org]
`, { cwd })
}

test('an owner that this process cannot give files to is a problem of the settings; root has none', () => {
  const owned = settings(temporaryDirectory('owned'), ', owner: "5000:5001"')
  assert.deepEqual(deliveryProblems(owned, 'p.yaml', ROOT), [])
  const problems = deliveryProblems(owned, 'p.yaml', SOMEBODY)
  assert.match(problems.join('\n'), /^p\.yaml: hops\.local\.owner: files cannot be given to user 5000 by user 1000; .*\np\.yaml: hops\.local\.owner: files cannot be given to group 5001/)
})

test('a folder that is missing and lines that are wrong can be mended while it runs', async () => {
  const cwd = temporaryDirectory('missing')
  writeFileSync(join(cwd, 'users'), 'anna\nbad user line here : : :\n')
  const found = settings(cwd, ', users: users')
  assert.deepEqual(deliveryProblems(found, 'p.yaml', SOMEBODY), [])
  const report = await checkDelivery(found, 'p.yaml', SOMEBODY)
  assert.equal(report.errors.length, 2)
  assert.match(report.errors.join('\n'), /users:2: /)
  assert.match(report.errors.join('\n'), /p\.yaml: hops\.local\.maildir: .*mail must exist/)
  mkdirSync(join(cwd, 'mail'))
  writeFileSync(join(cwd, 'users'), 'anna\n')
  assert.deepEqual(await checkDelivery(found, 'p.yaml', SOMEBODY), { errors: [], warnings: [] })
})
