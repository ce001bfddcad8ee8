/** A flood of one kind of counts does not make the counters forget another. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { COUNT_TIERS, tierOf, TieredCounts } from '../../../src/state/count-tiers.ts'
import { RATES_FILE } from '../../../src/state/rates-database.ts'
import { createGuard } from '../../../src/submission/guard.ts'
import { DEFAULT_GUARD } from '../../../src/submission/settings.ts'
import { bed, MINUTE } from './counters-fixture.ts'

const LOCK = DEFAULT_GUARD.lockMs
const [HOME, STRANGER] = ['192.0.2.1', '203.0.113.9']

/** Two processes; in the first anna has logged in at home, and is locked elsewhere. */
function locked(t: Parameters<typeof bed>[0]) {
  const made = bed(t, 2, { maxKeys: 400, maxRows: 800 })
  const [a, b] = made.all
  assert.ok(a !== undefined && b !== undefined)
  const [here, there] = [createGuard(DEFAULT_GUARD, a), createGuard(DEFAULT_GUARD, b)]
  const fail = (address: string, account: string): string => {
    const entry = here.enter({ address, account })
    if (entry.status === 'open') entry.attempt.failed()
    return entry.status
  }
  const home = here.enter({ address: HOME, account: 'anna' })
  assert.ok(home.status === 'open')
  home.attempt.succeeded('anna')
  for (let i = 0; i < DEFAULT_GUARD.perAccount; i++) fail(`198.51.${i}.1`, 'anna')
  made.settle()
  const states = () => [here, there].map((guard) => {
    const [elsewhere, atHome] = [guard.enter({ address: STRANGER, account: 'anna' }), guard.enter({ address: HOME, account: 'anna' })]
    if (atHome.status === 'open') atHome.attempt.dropped()
    if (elsewhere.status === 'open') elsewhere.attempt.dropped()
    return [elsewhere.status, atHome.status]
  })
  assert.deepEqual(states(), [['locked', 'open'], ['locked', 'open']])
  return { ...made, a, b, fail, states }
}

test('failures of thousands of other names open no lock, and forget no network of an owner', (t) => {
  const s = locked(t)
  for (let i = 0; i < 6000; i++) {
    s.fail(`10.${i % 200}.${(i >> 8) & 255}.${i & 255}`, `other${i}`)
    if (i % 200 === 0) s.settle()
  }
  for (let i = 0; i < 50; i++) {
    s.pass(3000)
    s.settle()
  }
  assert.deepEqual(s.states(), [['locked', 'open'], ['locked', 'open']])
})

test('rates of thousands of senders neither, nor the failures that are not a lock yet', (t) => {
  const s = locked(t)
  for (let i = 0; i < 3; i++) s.fail(STRANGER, 'bob')
  for (let i = 0; i < 6000; i++) {
    s.a.add(`messages sender s${i}@x.test`, 1, MINUTE)
    if (i % 200 === 0) s.settle()
  }
  for (let i = 0; i < 50; i++) {
    s.pass(3000)
    s.settle()
  }
  assert.deepEqual(s.states(), [['locked', 'open'], ['locked', 'open']])
  for (const counters of s.all) assert.equal(counters.add('login failure account bob', 0, DEFAULT_GUARD.windowMs), 3)
})

test('each kind is bounded, in memory and in the file', (t) => {
  const s = locked(t)
  for (let i = 0; i < 3000; i++) {
    for (const kind of ['messages sender', 'login failure', 'login lock', 'login locks', 'login known']) s.a.add(`${kind} ${i}`, 1, LOCK)
    if (i % 100 === 0) s.settle()
  }
  // Signs of life are due now and then only, and bring what is to be dropped with them.
  for (let i = 0; i < 60; i++) {
    s.pass(3000)
    s.settle()
  }
  for (const { size } of s.all) assert.ok(size <= 400 + 3 * 200, String(size))
  const database = new DatabaseSync(join(s.directory, RATES_FILE))
  t.after(() => database.close())
  const rows = database.prepare('SELECT tier, count(*) AS n FROM counts GROUP BY tier ORDER BY tier').all().map((row) => [row['tier'], row['n']])
  assert.deepEqual(rows.map(([tier]) => tier), [0, 1, 2, 3])
  for (const [tier, count] of rows) assert.ok(Number(count) <= (tier === 0 ? 800 : 400) + 20, `${String(tier)}: ${String(count)}`)
})

test('the kinds, by the names that the guard gives', () => {
  assert.deepEqual(['900000 messages sender login lock x', '1 login failure account a', '1 login lock account a', '1 login locks account a', '1 login known a in b', '1 sha256 x', '1 login other'].map(tierOf), [0, 1, 2, 2, 3, 0, 1])
  assert.equal(COUNT_TIERS, 4)
})

test('of each kind those go first that were not counted for longest', () => {
  const gone: string[] = []
  const counts = new TieredCounts<number>(16, (name) => gone.push(name))
  for (let i = 0; i < 16; i++) counts.renew(`1 k${i}`, i)
  counts.renew('1 k0', 0)
  counts.set('1 k1', 1)
  assert.deepEqual(gone, [])
  counts.renew('1 k16', 16)
  assert.deepEqual(gone, ['1 k1', '1 k2'])
  assert.deepEqual([counts.get('1 k0'), counts.get('1 k1'), counts.size], [0, undefined, 15])
  counts.delete('1 k0')
  assert.equal(counts.get('1 k0'), undefined)
})
