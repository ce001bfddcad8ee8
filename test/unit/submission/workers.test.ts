/** What several workers must have in common: the secret behind made-up salts, and what was guessed. */
import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSharedCounters } from '../../../src/state/shared-counters.ts'
import { createGuard } from '../../../src/submission/guard.ts'
import { loadServerSecret, SECRET_FILE } from '../../../src/submission/server-secret.ts'
import { DEFAULT_GUARD } from '../../../src/submission/settings.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { rememberedLog } from '../delivery/local-fixture.ts'

test('the secret is made once, is nobody else\'s to read, and is made anew where it was cut short', () => {
  const directory = join(temporaryDirectory('secret'), 'state')
  const secret = loadServerSecret(directory)
  const file = join(directory, SECRET_FILE)
  assert.equal(secret.length, 32)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(loadServerSecret(directory), secret)
  assert.deepEqual(readFileSync(file), secret)
  writeFileSync(file, 'short')
  const other = loadServerSecret(directory)
  assert.notDeepEqual(other, secret)
  assert.deepEqual(loadServerSecret(directory), other)
})

test('what was guessed at one worker locks at the other, and so does a login make known', () => {
  const directory = temporaryDirectory('guard')
  const log = rememberedLog()
  const now = (): number => 1_700_000_000_000
  const counters = [openSharedCounters(directory, { log, now }), openSharedCounters(directory, { log, now })] as const
  const guards = counters.map((one) => createGuard(DEFAULT_GUARD, one))
  const exchange = (): void => {
    for (let i = 0; i < 2; i++) for (const one of counters) one.exchange()
  }
  const enter = (worker: number, address: string, account: string) => {
    const entry = guards[worker]!.enter({ address, account })
    return entry.status === 'open' ? entry.attempt : entry.scope
  }
  try {
    const owner = enter(0, '203.0.113.1', 'anna')
    assert.ok(typeof owner === 'object')
    owner.succeeded('anna')
    for (let i = 0; i < 10; i++) {
      const attempt = enter(i % 2, '192.0.2.1', 'anna')
      assert.ok(typeof attempt === 'object')
      attempt.failed()
      exchange()
    }
    for (const worker of [0, 1]) {
      assert.equal(enter(worker, '192.0.2.1', 'anna'), 'address')
      const known = enter(worker, '203.0.113.9', 'anna')
      assert.ok(typeof known === 'object' && known.delayMs === 0)
      known.dropped()
    }
    assert.deepEqual(log.lines, [])
  } finally {
    for (const one of counters) one.close()
  }
})
