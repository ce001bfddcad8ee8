/** What guessing costs, and whom it does not cost anything: the clock moves only when a test says so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryCounters } from '../../../src/reputation/rates-counters.ts'
import { createGuard, type Guard, type GuardedParty } from '../../../src/submission/guard.ts'
import { DEFAULT_GUARD, type GuardSettings } from '../../../src/submission/settings.ts'
import { begin, facts, ground, HASHES, logIn, outcome, plain, TLS } from './authenticator-fixture.ts'

const MINUTE = 60_000

function made(settings: Partial<GuardSettings> = {}): { guard: Guard; counters: MemoryCounters; time: { nowMs: number } } {
  const time = { nowMs: 1_700_000_000_000 - (1_700_000_000_000 % DEFAULT_GUARD.windowMs) }
  const counters = new MemoryCounters({ now: () => time.nowMs })
  return { guard: createGuard({ ...DEFAULT_GUARD, ...settings }, counters), counters, time }
}

/** `locked: address`, or the delay. */
function attempt(guard: Guard, party: Partial<GuardedParty>, how: 'fail' | 'succeed' | 'drop'): string {
  const entry = guard.enter({ address: '192.0.2.1', account: 'anna', ...party })
  if (entry.status === 'locked') return `locked: ${entry.scope}`
  const { attempt: one } = entry
  if (how === 'fail') one.failed()
  else if (how === 'succeed') one.succeeded(party.account ?? 'anna')
  else one.dropped()
  return `${one.delayMs} ms`
}

test('answers wait longer and longer, then there are none, then it is over', () => {
  const { guard, time } = made()
  const seen = Array.from({ length: 12 }, () => attempt(guard, {}, 'fail'))
  assert.deepEqual(seen, ['0 ms', '0 ms', '0 ms', '1000 ms', '2000 ms', '4000 ms', '8000 ms', '10000 ms', '10000 ms', '10000 ms', 'locked: address', 'locked: address'])
  // Also with the right password, and for other accounts of this address.
  assert.equal(attempt(guard, { account: 'bert' }, 'succeed'), 'locked: address')
  time.nowMs += 14 * MINUTE
  assert.equal(attempt(guard, {}, 'succeed'), 'locked: address')
  time.nowMs += 17 * MINUTE
  assert.equal(attempt(guard, {}, 'succeed'), '0 ms')
})

test('a lock-out that is shorter than failures are remembered is over when it says, and comes again', () => {
  const { guard, time } = made({ lockMs: MINUTE })
  for (let i = 0; i < 10; i++) attempt(guard, {}, 'fail')
  assert.equal(attempt(guard, {}, 'succeed'), 'locked: address')
  time.nowMs += 2 * MINUTE
  // What has failed before still makes answers wait.
  for (let i = 0; i < 10; i++) assert.equal(attempt(guard, {}, 'fail'), '10000 ms')
  assert.equal(attempt(guard, {}, 'succeed'), 'locked: address')
  time.nowMs += 2 * MINUTE
  assert.equal(attempt(guard, {}, 'succeed'), '10000 ms')
})

test('many addresses of one network, and many networks at one account', () => {
  const network = made()
  for (let i = 0; i < 50; i++) assert.match(attempt(network.guard, { address: `192.0.2.${i}`, account: `user${i}` }, 'fail'), /ms$/)
  assert.equal(attempt(network.guard, { address: '192.0.2.99', account: 'other' }, 'fail'), 'locked: network')
  assert.match(attempt(network.guard, { address: '198.51.100.1', account: 'other' }, 'fail'), /ms$/)
  const account = made()
  for (let i = 0; i < 20; i++) assert.match(attempt(account.guard, { address: `10.0.${i}.1` }, 'fail'), /ms$/)
  assert.equal(attempt(account.guard, { address: '10.0.99.1' }, 'fail'), 'locked: account')
  assert.match(attempt(account.guard, { address: '10.0.99.1', account: 'bert' }, 'fail'), /ms$/)
})

test('IPv6: all of a /64 is one network', () => {
  const { guard } = made({ perNetwork: 3 })
  for (let i = 1; i <= 3; i++) assert.match(attempt(guard, { address: `2001:db8::${i}`, account: `u${i}` }, 'fail'), /ms$/)
  assert.equal(attempt(guard, { address: '2001:db8::ffff' }, 'fail'), 'locked: network')
  assert.match(attempt(guard, { address: '2001:db8:0:1::1' }, 'fail'), /ms$/)
})

test('strangers cannot lock an owner out, neither from elsewhere nor from behind the same address', () => {
  const { guard, time } = made()
  assert.equal(attempt(guard, { address: '203.0.113.5' }, 'succeed'), '0 ms')
  for (let i = 0; i < 40; i++) attempt(guard, { address: `10.0.${i}.1` }, 'fail')
  assert.equal(attempt(guard, { address: '198.51.100.1' }, 'fail'), 'locked: account')
  assert.equal(attempt(guard, { address: '203.0.113.5' }, 'succeed'), '0 ms')
  // Another address of the same network, as a provider gives it.
  assert.equal(attempt(guard, { address: '203.0.113.77' }, 'succeed'), '0 ms')
  for (let i = 0; i < 30; i++) attempt(guard, { address: '203.0.113.5', account: `guess${i}` }, 'fail')
  assert.equal(attempt(guard, { address: '203.0.113.5', account: 'bert' }, 'succeed'), 'locked: address')
  assert.equal(attempt(guard, { address: '203.0.113.5' }, 'succeed'), '0 ms')
  // Who guesses from there has that network's own limit, and locks that network only.
  for (let i = 0; i < 20; i++) attempt(guard, { address: '203.0.113.5' }, 'fail')
  assert.equal(attempt(guard, { address: '203.0.113.5' }, 'succeed'), 'locked: account in its network')
  // What was known is forgotten in the end.
  time.nowMs += 3 * DEFAULT_GUARD.knownMs
  for (let i = 0; i < 10; i++) attempt(guard, { address: '203.0.113.5', account: `x${i}` }, 'fail')
  assert.equal(attempt(guard, { address: '203.0.113.5' }, 'succeed'), 'locked: address')
})

test('many at once are no more than many in turn, and what came to no end does not count', () => {
  const { guard } = made()
  // One that has failed already.
  attempt(guard, { address: '192.0.2.1', account: 'bert' }, 'fail')
  const open = Array.from({ length: 9 }, () => guard.enter({ address: '192.0.2.1', account: undefined }))
  assert.deepEqual(open.map(({ status }) => status), Array.from({ length: 9 }, () => 'open'))
  assert.equal(attempt(guard, {}, 'fail'), 'locked: address')
  for (const entry of open) {
    if (entry.status !== 'open') continue
    entry.attempt.dropped()
    // Once is enough.
    entry.attempt.failed()
  }
  assert.equal(attempt(guard, {}, 'fail'), '0 ms')
})

test('a program that opens its connections all at once gets in; one that guesses so does not for long', () => {
  const { guard } = made()
  const open = Array.from({ length: 60 }, () => guard.enter({ address: '192.0.2.1', account: 'app' }))
  assert.equal(open.filter(({ status }) => status === 'open').length, 20)
  for (const entry of open) if (entry.status === 'open') entry.attempt.succeeded('app')
  assert.ok(Array.from({ length: 40 }, () => guard.enter({ address: '192.0.2.1', account: 'app' })).every(({ status }) => status === 'open'))
})

test('this machine and unix sockets have no address that could be locked: the account alone counts', () => {
  for (const address of [undefined, '127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    const { guard } = made()
    for (let i = 0; i < 60; i++) assert.match(attempt(guard, { address, account: `user${i}` }, 'fail'), /^0 ms$/)
    for (let i = 0; i < 20; i++) attempt(guard, { address }, 'fail')
    assert.equal(attempt(guard, { address }, 'fail'), 'locked: account')
  }
})

test('in an exchange: the delay is waited, the lock is 454, and the log says who', async () => {
  const g = await ground({ file: `anna:${HASHES.argon2}\nbert:${HASHES.argon2}\n` })
  try {
    for (let i = 0; i < 10; i++) assert.equal(await logIn(g, i % 2 ? 'anna' : 'nobody', { password: 'guess' }), '535')
    assert.deepEqual(g.waits, [1000, 2000, 4000, 8000, 10_000, 10_000, 10_000])
    const refused = await begin(g, 'PLAIN').step(plain('anna', 'secret'))
    assert.ok(refused.status === 'refused')
    assert.equal(`${refused.reply.status} ${String(refused.reply.text)}`, '454 Too many failed logins, try again later')
    assert.ok(g.log.has('warn', 'too many failed logins: locked for a while'))
    assert.ok(g.log.has('warn', '"client":"192.0.2.1"'))
    for (const line of g.log.lines) assert.doesNotMatch(JSON.stringify(line), /guess|secret/)
    assert.equal(await logIn(g, 'anna', { from: facts(TLS, '198.51.100.7') }), 'anna by PLAIN')
  } finally {
    await g.close()
  }
})

test('a client that goes while its answer waits leaves nothing behind, and has failed all the same', async () => {
  const g = await ground({ file: `anna:${HASHES.argon2}\n`, guard: { ...DEFAULT_GUARD, delayAfter: 0, perAddress: 2 } })
  try {
    for (let i = 0; i < 2; i++) {
      const exchange = begin(g, 'PLAIN')
      const step = exchange.step(plain('anna', 'guess'))
      exchange.abort()
      assert.match(outcome(await step), /^(?:454|535)$/)
    }
    const scram = begin(g, 'LOGIN')
    await scram.step(Buffer.from('anna'))
    scram.abort()
    assert.equal(outcome(await scram.step(Buffer.from('secret'))), '501')
  } finally {
    await g.close()
  }
})
