/** Counts that several processes share through a file. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { MemoryCounters } from '../../../src/reputation/rates-counters.ts'
import { createRates } from '../../../src/reputation/rates.ts'
import { RATES_FILE } from '../../../src/state/rates-database.ts'
import { openSharedCounters } from '../../../src/state/shared-counters.ts'
import { Random } from '../../support/fuzzing.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { RecordedLog } from '../delivery/scripted-hop.ts'
import { bed, MINUTE, pair, read, START } from './counters-fixture.ts'

test('they are the counters that the rates ask for', (t) => {
  const { a, b, settle } = pair(t)
  const [here, there] = [a, b].map((counters) => createRates({ messages: { address: { most: 3, windowMs: MINUTE } }, sessions: { address: 2 } }, counters))
  assert.ok(here !== undefined && there !== undefined)
  const party = { address: '192.0.2.1' }
  assert.equal(here.count('messages', party).status, 'within')
  assert.equal(there.count('messages', party, 2).status, 'within')
  const first = here.begin('sessions', party)
  there.begin('sessions', party)
  settle()
  assert.equal(here.count('messages', party).status, 'exceeded')
  assert.equal(there.count('messages', party).status, 'exceeded')
  assert.equal(there.begin('sessions', party).outcome.status, 'exceeded')
  first.end()
  settle()
  assert.equal(there.begin('sessions', party).outcome.status, 'within')
})

test('each answers at once for itself, and for all after an exchange, also for what it has never counted', (t) => {
  const { a, b, all, settle, log } = pair(t)
  assert.equal(a.add('k', 3, MINUTE), 3)
  assert.equal(b.add('k', 4, MINUTE), 4)
  settle()
  assert.deepEqual(all.map((one) => read(one)), [7, 7])
  assert.equal(a.add('k', 1, MINUTE), 8)
  assert.equal(read(b), 7)
  assert.equal(a.add('only here', 5, MINUTE), 5)
  settle()
  assert.deepEqual([read(b), read(b, 'only here'), read(b, 'only here', 2 * MINUTE), read(b, 'nowhere')], [8, 5, 0, 0])
  for (let i = 0; i < 5; i++) settle()
  assert.deepEqual(all.map((one) => read(one)), [8, 8], 'an exchange counts nothing twice')
  assert.deepEqual(log.entries, [])
})

test('three of them, in any order of counting, exchanging and reading, hold what one would', (t) => {
  const made = bed(t, 3)
  const one = new MemoryCounters({ now: made.now })
  const random = new Random(7)
  for (let step = 0; step < 3000; step++) {
    const counters = random.pick(made.all)
    const key = `k${random.below(4)}`
    if (random.chance(0.5)) {
      counters.add(key, 1, MINUTE)
      one.add(key, 1, MINUTE)
    } else if (random.chance(0.6)) counters.exchange()
    else made.pass(random.below(3000))
    if (step % 50 !== 49) continue
    made.settle()
    for (let k = 0; k < 4; k++) for (const each of made.all) assert.equal(read(each, `k${k}`), read(one, `k${k}`), `step ${step}`)
  }
})

test('the window slides, over its boundary too, and what was not written before it is not lost', (t) => {
  const { a, b, pass, settle } = pair(t)
  pass(MINUTE - 1000)
  a.add('k', 6, MINUTE)
  settle()
  a.add('k', 4, MINUTE)
  pass(1000)
  assert.equal(read(a), 10)
  assert.equal(read(b), 6)
  settle()
  assert.equal(read(b), 10)
  pass(MINUTE / 4)
  assert.deepEqual([read(a), read(b)], [8, 8])
  assert.equal(b.add('k', 2, MINUTE), 10)
  settle()
  assert.equal(read(a), 10)
  pass(MINUTE / 4)
  assert.deepEqual([read(a), read(b)], [7, 7])
  pass(MINUTE / 2)
  assert.deepEqual([read(a), read(b)], [2, 2])
  pass(MINUTE)
  assert.deepEqual([read(a), read(b), a.size, b.size], [0, 0, 0, 0])
})

test('at once: together, ended once, and over when a process says good-bye', (t) => {
  const { a, b, settle } = pair(t)
  assert.deepEqual([a.begin('k'), a.begin('k'), b.begin('k')], [1, 2, 1])
  settle()
  assert.equal(b.begin('k'), 4)
  a.end('k')
  settle()
  assert.equal(b.begin('k'), 4)
  b.end('k')
  b.end('k')
  b.end('k')
  b.end('k')
  settle()
  assert.equal(a.begin('k'), 2)
  settle()
  assert.equal(b.begin('k'), 3)
  a.close()
  b.exchange()
  assert.equal(b.begin('k'), 2)
})

test('what a process had under way ends 10 seconds after its last sign of life; its counts stay', (t) => {
  const { a, b, pass, settle, directory } = pair(t)
  a.begin('k')
  a.add('k', 5, MINUTE)
  settle()
  for (let second = 0; second <= 10; second++) {
    assert.equal(b.begin('k'), 2, `second ${second}`)
    b.end('k')
    pass(1000)
    b.exchange()
  }
  assert.deepEqual([b.begin('k'), read(b)], [1, 5])
  b.exchange()
  const database = new DatabaseSync(join(directory, RATES_FILE))
  assert.equal(database.prepare('SELECT count(*) AS n FROM instances').get()?.['n'], 1)
  database.close()
  // It was only asleep: the others have forgotten it, and it tells them again.
  a.exchange()
  b.exchange()
  b.end('k')
  assert.equal(b.begin('k'), 2)
})

test('one that lives and has nothing new to say is not taken for dead', (t) => {
  const { a, b, pass, settle } = pair(t)
  a.begin('k')
  for (let second = 0; second < 40; second++) {
    settle()
    pass(1000)
  }
  assert.equal(b.begin('k'), 2)
})

test('one that starts does not believe what the dead have left', (t) => {
  const { a, directory, pass, now } = pair(t)
  a.begin('k')
  a.exchange()
  pass(11_000)
  const late = openSharedCounters(directory, { log: new RecordedLog(), now })
  t.after(() => late.close())
  assert.equal(late.begin('k'), 1)
})

test('after a pause nobody is taken for dead before they could speak', (t) => {
  const { a, b, pass, settle } = pair(t)
  a.begin('k')
  settle()
  pass(60_000)
  b.exchange()
  assert.equal(b.begin('k'), 2)
})

test('a clock that is set back: by little nothing changes, by more all begin anew, and nothing comes back later', (t) => {
  const { a, b, pass, settle, directory } = pair(t)
  a.add('k', 5, MINUTE)
  a.begin('k')
  settle()
  pass(-MINUTE)
  assert.deepEqual([read(a), read(b)], [5, 5])
  a.add('k', 1, MINUTE)
  settle()
  assert.deepEqual([read(a), read(b)], [6, 6])
  pass(-24 * 60 * MINUTE)
  a.add('k', 2, MINUTE)
  settle()
  assert.deepEqual([read(a), read(b)], [2, 2])
  assert.equal(b.begin('k'), 2)
  const database = new DatabaseSync(join(directory, RATES_FILE))
  assert.equal(database.prepare('SELECT count(*) AS n FROM counts').get()?.['n'], 1)
  database.close()
  pass(24 * 60 * MINUTE)
  settle()
  assert.deepEqual([read(a), read(b)], [0, 0])
})

test('one whose clock is in the next window already is heard all the same', (t) => {
  const directory = temporaryDirectory('rates')
  const [ahead, behind] = [MINUTE, 0].map((offset) => openSharedCounters(directory, { log: new RecordedLog(), now: () => START + offset }))
  assert.ok(ahead !== undefined && behind !== undefined)
  t.after(() => {
    ahead.close()
    behind.close()
  })
  behind.add('k', 2, MINUTE)
  ahead.add('k', 3, MINUTE)
  for (const counters of [behind, ahead, behind]) counters.exchange()
  assert.deepEqual([read(behind), read(ahead)], [5, 5])
})

test('what has ended goes from the file', (t) => {
  const { a, b, pass, settle, directory } = pair(t)
  for (let i = 0; i < 3000; i++) a.add(`k${i}`, 1, MINUTE)
  a.add('hour', 1, 60 * MINUTE)
  settle()
  const database = new DatabaseSync(join(directory, RATES_FILE))
  t.after(() => database.close())
  const rows = (): unknown => database.prepare('SELECT count(*) AS n FROM counts').get()?.['n']
  assert.equal(rows(), 3001)
  pass(2 * MINUTE + 1)
  settle()
  assert.equal(rows(), 1)
  assert.deepEqual([read(b, 'hour', 60 * MINUTE), read(b, 'k7')], [1, 0])
})

test('bounds: keys in memory, rows in the file, rows of an exchange, the length of a key', (t) => {
  const made = bed(t, 2, { maxKeys: 500, maxRows: 1000 })
  const [a, b] = made.all
  assert.ok(a !== undefined && b !== undefined)
  for (let i = 0; i < 2000; i++) a.add(`k${i}`, 1, MINUTE)
  assert.ok(a.size > 400 && a.size <= 500)
  assert.equal(read(a, 'k1999'), 1)
  const database = new DatabaseSync(join(made.directory, RATES_FILE))
  t.after(() => database.close())
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 200; i++) a.add(`r${round} ${i}`, 1, MINUTE)
    made.settle()
  }
  assert.ok(Number(database.prepare('SELECT count(*) AS n FROM counts').get()?.['n']) <= 1000 + 20 * 200)
  for (const { size } of [a, b]) assert.ok(size > 400 && size <= 500, String(size))
  const long = 'x'.repeat(100_000)
  assert.deepEqual([a.add(`${long}1`, 1, MINUTE), a.add(`${long}2`, 1, MINUTE), a.begin(long), a.begin(long)], [1, 1, 1, 2])
  made.settle()
  assert.deepEqual([read(b, `${long}1`), b.begin(long)], [1, 3])
  assert.ok(Number(database.prepare('SELECT max(length(name)) AS n FROM counts').get()?.['n']) < 600)
})

test('more than one exchange can write is written with the next ones, and nothing is lost', (t) => {
  const { a, b } = pair(t)
  for (let i = 0; i < 9000; i++) a.add(`k${i}`, 1, MINUTE)
  for (let i = 0; i < 3; i++) {
    a.exchange()
    b.exchange()
  }
  b.exchange()
  for (let i = 0; i < 9000; i++) assert.equal(read(b, `k${i}`), 1)
})
