/** Whether a user is one still. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { SubmissionSettings } from '../../../src/config/settings.ts'
import { ListenerUsers } from '../../../src/outbound/listener-users.ts'
import { MemoryCounters } from '../../../src/reputation/rates-counters.ts'
import { createPasswordWork } from '../../../src/submission/password-work.ts'
import { DEFAULT_GUARD } from '../../../src/submission/settings.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { domains, rememberedLog } from '../delivery/local-fixture.ts'
import type { UsersContext } from '../../../src/outbound/listener-users.ts'

test('one who was removed or barred is gone; one whom Dovecot may know is not', async () => {
  const file = join(temporaryDirectory('users'), 'users')
  const work = createPasswordWork({ onTrouble: (cause) => assert.fail(cause) })
  const limit = { most: 10, windowMs: 1000 }
  const ours = domains('example.org')
  for (const withDovecot of [false, true]) {
    writeFileSync(file, 'anna:{PLAIN}x\nbert:{PLAIN}x\n')
    const settings: SubmissionSettings = {
      authentication: { listener: 'users', users: file, dovecot: withDovecot ? { socket: { path: '/nowhere/auth' }, timeoutMs: 10 } : undefined, domains: ours, mechanisms: undefined, withoutTls: false, guard: DEFAULT_GUARD, certificates: undefined },
      sendAs: { senders: undefined, domains: ours, suffix: '' }, rate: { messages: limit, recipients: limit }, hideClient: false, clientCertificates: undefined,
    } as unknown as SubmissionSettings
    const context = { counters: new MemoryCounters({ now: () => 0 }), log: rememberedLog(), now: () => 0, work, secret: Buffer.alloc(32), hostname: 'mx.example.org', resolver: undefined } as unknown as UsersContext
    const users = new ListenerUsers('users', settings, context)
    const seen = (): readonly boolean[] => ['anna', 'bert', 'carl'].map((name) => users.isGone(name))
    try {
      // Before the file was read nobody is known to be gone.
      assert.deepEqual(seen(), [false, false, false])
      await users.load()
      assert.deepEqual(seen(), [false, false, !withDovecot])
      writeFileSync(file, 'anna:{PLAIN}x::::::nologin\n')
      await users.load()
      assert.deepEqual(seen(), [true, !withDovecot, !withDovecot])
    } finally {
      users.close()
    }
  }
  await work.close()
})
