/** The history of sender domains as facts for rules. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDomainHistory, DOMAIN_HISTORY_DEFAULTS, type DomainHistory, type DomainRecord } from '../../../src/reputation/domain-history.ts'

const DAY = 86_400_000
const START = 20_000

function bed(): { readonly history: DomainHistory; readonly clock: { day: number }; readonly records: Map<string, DomainRecord> } {
  const records = new Map<string, DomainRecord>()
  const clock = { day: START }
  let began: number | undefined
  const history = createDomainHistory(DOMAIN_HISTORY_DEFAULTS, {
    now: () => clock.day * DAY + 1000,
    store: {
      get: (domain) => records.get(domain),
      beganOn: () => began,
      add(domain, { day, messages, spam }) {
        began ??= day
        const before = records.get(domain)
        records.set(domain, { firstDay: before?.firstDay ?? day, lastDay: day, messages: (before?.messages ?? 0) + messages, spam: (before?.spam ?? 0) + spam })
      },
    },
  })
  return { history, clock, records }
}

test('age, number and share, of what was seen before', () => {
  const { history, clock } = bed()
  history.count('old.example', { spam: false })
  clock.day += 20
  assert.deepEqual(history.of('new.example'), { status: 'known', domain: 'new.example', ageDays: 0, messages: 0, spamShare: undefined })
  for (const spam of [true, false, false]) history.count('OLD.example.', { spam })
  assert.deepEqual(history.of('Old.Example'), { status: 'known', domain: 'old.example', ageDays: 20, messages: 4, spamShare: 0.25 })
})

test('while the history is young it says nothing of age: everybody would be new', () => {
  const { history, clock } = bed()
  assert.deepEqual(history.of('a.example'), { status: 'known', domain: 'a.example', ageDays: undefined, messages: 0, spamShare: undefined })
  history.count('a.example', { spam: false })
  clock.day += 13
  assert.deepEqual(history.of('b.example'), { status: 'known', domain: 'b.example', ageDays: undefined, messages: 0, spamShare: undefined })
  clock.day += 1
  const found = history.of('b.example')
  assert.equal(found.status === 'known' && found.ageDays, 0)
  const old = history.of('a.example')
  assert.equal(old.status === 'known' && old.ageDays, 14)
})

test('what nobody has authenticated is neither counted nor known', () => {
  const { history, records } = bed()
  history.count(undefined, { spam: true })
  history.count('no name!\u0000', { spam: true })
  history.count('', { spam: true })
  assert.equal(records.size, 0)
  for (const domain of [undefined, '', 'a..b']) assert.deepEqual(history.of(domain), { status: 'none' })
})

test('a store that fails is a temperror; while the clock is behind nobody has an age that was first seen later', () => {
  const fail = (): never => {
    throw new Error('database is locked')
  }
  const failing = createDomainHistory(DOMAIN_HISTORY_DEFAULTS, { now: () => 0, store: { get: fail, add: () => undefined, beganOn: () => 0 } })
  assert.deepEqual(failing.of('a.example'), { status: 'temperror', cause: 'the history of sender domains cannot be read: database is locked' })
  const future = createDomainHistory({ matureDays: 0 }, { now: () => 10 * DAY, store: { get: () => ({ firstDay: 15, lastDay: 15, messages: 1, spam: 3 }), add: () => undefined, beganOn: () => 5 } })
  assert.deepEqual(future.of('a.example'), { status: 'known', domain: 'a.example', ageDays: undefined, messages: 1, spamShare: 1 })
})
