import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryCounters } from '../../../src/reputation/rates-counters.ts'
import { createRates } from '../../../src/reputation/rates.ts'
import type { RateOutcome, RateParty, Rates, RateSettings } from '../../../src/reputation/rates.ts'

const MINUTE = 60_000

interface Bed {
  readonly rates: Rates
  readonly counters: MemoryCounters
  readonly pass: (ms: number) => void
}

function bed(settings: RateSettings, maxKeys = 100_000): Bed {
  let now = 1_800_000_000_000
  const counters = new MemoryCounters({ now: () => now, maxKeys })
  return { rates: createRates(settings, counters), counters, pass: (ms) => void (now += ms) }
}

const from = (address: string | undefined, identity?: string, authenticated = false): RateParty => ({ address, ...(identity === undefined ? {} : { sender: { identity, authenticated } }) })

function statuses(rates: Rates, parties: readonly RateParty[]): string {
  return parties.map((party) => rates.count('messages', party)).map((outcome) => (outcome.status === 'within' ? '.' : outcome.scope)).join(' ')
}

test('so many of an address in a time, and others beside it', () => {
  const { rates } = bed({ messages: { address: { most: 2, windowMs: MINUTE } } })
  const a = from('192.0.2.1')
  assert.equal(statuses(rates, [a, a, from('192.0.2.2'), a, from('::ffff:192.0.2.1'), from('192.0.2.2')]), '. . . address address .')
  assert.deepEqual(rates.count('messages', a), { status: 'exceeded', what: 'messages', scope: 'address', most: 2, count: 3, windowMs: MINUTE } satisfies RateOutcome)
  assert.deepEqual(rates.count('connections', a), { status: 'within' })
})

test('a network is a /24, and a /64', () => {
  const { rates } = bed({ messages: { network: { most: 1, windowMs: MINUTE } } })
  assert.equal(statuses(rates, [from('192.0.2.1'), from('192.0.2.254'), from('192.0.3.1')]), '. network .')
  assert.equal(statuses(rates, [from('2001:db8:1:2::1'), from('2001:db8:1:2:ffff::1'), from('2001:db8:1:3::1')]), '. network .')
})

test('a sender who is authenticated is one wherever they are; one who is not, only in their network', () => {
  const { rates } = bed({ messages: { sender: { most: 1, windowMs: MINUTE } } })
  assert.equal(statuses(rates, [from('192.0.2.1', 'a@a.example', true), from('198.51.100.1', 'A@a.example', true)]), '. sender')
  assert.equal(statuses(rates, [from('192.0.2.1', 'b@a.example'), from('198.51.100.1', 'b@a.example'), from('192.0.2.9', 'b@a.example')]), '. . sender')
  assert.equal(statuses(rates, [from('203.0.113.1', 'a@a.example'), from('203.0.113.1', 'victim@a.example'), from('192.0.2.1', 'victim@a.example', true)]), '. . .')
  const none: RateParty = { address: '192.0.2.1', sender: null }
  assert.equal(statuses(rates, [none, none, from('192.0.2.1', ''), from('192.0.2.1', '')]), '. . . .')
})

test('this machine and a unix socket have no address, but senders', () => {
  const { rates, counters } = bed({ messages: { address: { most: 1, windowMs: MINUTE }, network: { most: 1, windowMs: MINUTE }, sender: { most: 1, windowMs: MINUTE } } })
  assert.equal(statuses(rates, [from('127.0.0.1'), from('127.0.0.1'), from('::1'), from(undefined), from('')]), '. . . . .')
  assert.equal(counters.size, 0)
  assert.equal(statuses(rates, [from('127.0.0.1', 'a@a.example'), from(undefined, 'a@a.example')]), '. sender')
})

test('what is refused is not counted, at no scope', () => {
  const { rates, pass } = bed({ messages: { address: { most: 10, windowMs: MINUTE }, network: { most: 3, windowMs: MINUTE } } })
  const a = from('192.0.2.1')
  assert.equal(statuses(rates, [a, a, a, a, a, a]), '. . . network network network')
  pass(2 * MINUTE)
  assert.equal(statuses(rates, [a, a, a, a]), '. . . network')
})

test('recipients by the number', () => {
  const { rates } = bed({ recipients: { sender: { most: 100, windowMs: MINUTE } } })
  const a = from('192.0.2.1', 'a@a.example', true)
  assert.equal(rates.count('recipients', a, 60).status, 'within')
  assert.deepEqual(rates.count('recipients', a, 41), { status: 'exceeded', what: 'recipients', scope: 'sender', most: 100, count: 101, windowMs: MINUTE })
  assert.equal(rates.count('recipients', a, 40).status, 'within')
  assert.equal(rates.count('recipients', a).status, 'exceeded')
})

test('the window slides', () => {
  const { counters, pass } = bed({})
  assert.equal(counters.add('k', 10, MINUTE), 10)
  pass(MINUTE)
  assert.equal(counters.add('k', 0, MINUTE), 10)
  pass(MINUTE / 4)
  assert.equal(counters.add('k', 0, MINUTE), 8)
  assert.equal(counters.add('k', 2, MINUTE), 10)
  pass(MINUTE / 4)
  assert.equal(counters.add('k', 0, MINUTE), 7)
  pass(MINUTE / 2)
  assert.equal(counters.add('k', 0, MINUTE), 2)
  pass(MINUTE)
  assert.equal(counters.add('k', 0, MINUTE), 0)
  assert.equal(counters.size, 0)
})

test('in no time as long as the window does more get in than twice the limit, and in the long run not more than it', () => {
  const { rates, pass } = bed({ messages: { address: { most: 10, windowMs: MINUTE } } })
  const admitted: number[] = []
  for (let second = 0; second < 600; second++) {
    for (let i = 0; i < 5; i++) if (rates.count('messages', from('192.0.2.1')).status === 'within') admitted.push(second)
    pass(1000)
  }
  assert.ok(admitted.length <= 110, String(admitted.length))
  assert.ok(admitted.length >= 60, String(admitted.length))
  for (const start of admitted) assert.ok(admitted.filter((at) => at >= start && at < start + 60).length <= 20)
})

test('a clock that is set back', () => {
  const { counters, pass } = bed({})
  counters.add('k', 5, MINUTE)
  pass(-MINUTE)
  assert.equal(counters.add('k', 0, MINUTE), 5)
  pass(-24 * 60 * MINUTE)
  assert.equal(counters.add('k', 0, MINUTE), 0)
  counters.add('k', 5, MINUTE)
  pass(24 * 60 * MINUTE)
  assert.equal(counters.add('k', 0, MINUTE), 0)
})

test('keys are bounded: the one not counted for longest goes', () => {
  const { counters } = bed({}, 100)
  for (let i = 0; i < 100; i++) counters.add(`k${i}`, 1, MINUTE)
  counters.add('k0', 1, MINUTE)
  for (let i = 100; i < 199; i++) counters.add(`k${i}`, 1, MINUTE)
  assert.equal(counters.size, 100)
  assert.equal(counters.add('k0', 0, MINUTE), 2)
  assert.equal(counters.add('k50', 0, MINUTE), 0)
  for (let i = 0; i < 1000; i++) counters.add(`unknown${i}`, 0, MINUTE)
  assert.equal(counters.add('k0', 0, MINUTE), 2, 'to read is not to push out')
})

test('at once: begun and ended, once each', () => {
  const { rates } = bed({ sessions: { address: 2, network: 3 } })
  const one = rates.begin('sessions', from('192.0.2.1'))
  const two = rates.begin('sessions', from('192.0.2.1'))
  const three = rates.begin('sessions', from('192.0.2.1'))
  assert.deepEqual([one.outcome, two.outcome], [{ status: 'within' }, { status: 'within' }])
  assert.deepEqual(three.outcome, { status: 'exceeded', what: 'sessions', scope: 'address', most: 2, count: 3 })
  three.end()
  const other = rates.begin('sessions', from('192.0.2.2'))
  assert.equal(other.outcome.status, 'within', 'what was refused holds no place')
  const fourth = rates.begin('sessions', from('192.0.2.3'))
  assert.deepEqual(fourth.outcome, { status: 'exceeded', what: 'sessions', scope: 'network', most: 3, count: 4 })
  one.end()
  one.end()
  one.end()
  assert.equal(rates.begin('sessions', from('192.0.2.1')).outcome.status, 'within')
  assert.equal(rates.begin('sessions', from('192.0.2.1')).outcome.status, 'exceeded')
})

test('transactions of a sender at once; without limits nothing is counted', () => {
  const { rates } = bed({ transactions: { sender: 1 } })
  const user = from('192.0.2.1', 'user', true)
  const first = rates.begin('transactions', user)
  assert.equal(rates.begin('transactions', user).outcome.status, 'exceeded')
  first.end()
  assert.equal(rates.begin('transactions', user).outcome.status, 'within')
  assert.equal(rates.begin('sessions', user).outcome.status, 'within')
  const free = bed({})
  for (let i = 0; i < 10; i++) assert.equal(free.rates.count('messages', user, 1000).status, 'within')
  assert.equal(free.counters.size, 0)
})
