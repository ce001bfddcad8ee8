/** The greylist's records in the database: shared by workers, bounded, and soft where it fails. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createGreylist, GREYLIST_DEFAULTS, type GreylistOutcome } from '../../../src/reputation/greylist.ts'
import { openDatabase } from '../../../src/state/database.ts'
import { DatabaseGreylist, type GreylistStoreSettings } from '../../../src/state/greylist-store.ts'
import { run, temporaryDirectory } from '../../support/process.ts'
import { RecordedLog } from '../delivery/scripted-hop.ts'

const NOW = 1_700_000_000_000
const MINUTE = 60_000
const DAY = 86_400_000

function opened(t: TestContext, settings: GreylistStoreSettings = {}, directory = temporaryDirectory('greylist')) {
  const database = openDatabase(directory)
  t.after(() => {
    if (database.isOpen) database.close()
  })
  const log = new RecordedLog()
  const clock = { now: NOW }
  return { database, log, clock, directory, store: new DatabaseGreylist(settings, { database, log, now: () => clock.now }) }
}

const waiting = (firstSeenAt: number) => ({ firstSeenAt, passedAt: undefined, expiresAt: firstSeenAt + 2 * DAY })
const passed = (passedAt: number, expiresAt = passedAt + 35 * DAY) => ({ firstSeenAt: passedAt - 5 * MINUTE, passedAt, expiresAt })

test('what was put in is known at once, after a flush to others too, and until it expires', (t) => {
  const one = opened(t)
  const other = opened(t, {}, one.directory)
  one.store.put('a', waiting(NOW))
  one.store.put('b', passed(NOW))
  assert.deepEqual(one.store.get('a'), waiting(NOW))
  assert.equal(other.store.get('a'), undefined)
  one.store.flush()
  for (const { store } of [one, other]) {
    assert.deepEqual(store.get('a'), waiting(NOW))
    assert.deepEqual(store.get('b'), passed(NOW))
    assert.equal(store.get('c'), undefined)
  }
  other.clock.now = NOW + 2 * DAY - 1
  assert.deepEqual(other.store.get('a'), waiting(NOW))
  other.clock.now = NOW + 2 * DAY
  assert.equal(other.store.get('a'), undefined)
  one.store.flush()
})

test('of two workers that see somebody first at once, the earlier counts, in whichever order they write', (t) => {
  for (const order of [[0, 1], [1, 0]] as const) {
    const one = opened(t)
    const stores = [one.store, opened(t, {}, one.directory).store]
    stores[0]!.put('a', waiting(NOW))
    stores[1]!.put('a', waiting(NOW + 500))
    for (const which of order) stores[which]!.flush()
    assert.deepEqual(stores[1]!.get('a'), waiting(NOW))
  }
})

test('a window that is over begins anew; one that began after the clock was set back does too', (t) => {
  const { store, clock } = opened(t)
  const write = (record: ReturnType<typeof waiting>): void => {
    store.put('a', record)
    store.flush()
  }
  write(waiting(NOW))
  clock.now = NOW + 3 * DAY
  write(waiting(clock.now))
  assert.deepEqual(store.get('a'), waiting(NOW + 3 * DAY))
  clock.now = NOW - DAY
  write(waiting(clock.now))
  assert.deepEqual(store.get('a'), waiting(NOW - DAY))
})

test('who has passed has passed, and the longest memory of it counts', (t) => {
  const { store } = opened(t)
  const writes = [passed(NOW), passed(NOW, NOW + 40 * DAY), passed(NOW + 1000, NOW + 36 * DAY)]
  for (const record of writes) {
    store.put('k', record)
    store.flush()
  }
  assert.deepEqual(store.get('k'), passed(NOW, NOW + 40 * DAY))
})

test('a greylist over it: asked to come back by one worker, let in by another, known to a third after a restart', async (t) => {
  const one = opened(t)
  const others = [opened(t, {}, one.directory), opened(t, {}, one.directory)]
  const ask = (ground: typeof one): Promise<GreylistOutcome> => createGreylist(GREYLIST_DEFAULTS, { store: ground.store, now: () => ground.clock.now, organizationalDomain: () => undefined })({ address: '192.0.2.1', names: [], senderDomain: 'a.example', recipient: 'bob@b.example' })
  assert.equal((await ask(one)).status, 'deferred')
  one.store.flush()
  others[0]!.clock.now += 6 * MINUTE
  assert.equal((await ask(others[0]!)).status, 'passed')
  others[0]!.store.flush()
  others[0]!.database.close()
  others[1]!.clock.now += 7 * MINUTE
  assert.equal((await ask(others[1]!)).status, 'known')
})

test('a database that cannot be read or written keeps nobody out, is told once, and is caught up with', async (t) => {
  const { store, database, log, clock } = opened(t, { maxWaiting: 2 })
  database.exec('ALTER TABLE greylist RENAME TO gone')
  const ask = createGreylist(GREYLIST_DEFAULTS, { store, now: () => clock.now, organizationalDomain: () => undefined })
  const outcome = await ask({ address: '192.0.2.1', names: [], senderDomain: 'a.example', recipient: 'bob@b.example' })
  assert.equal(outcome.status, 'unavailable')
  store.put('a', waiting(NOW))
  store.put('b', waiting(NOW))
  store.put('a', passed(NOW))
  assert.throws(() => store.put('c', waiting(NOW)), /2 records wait/)
  store.flush()
  store.flush()
  assert.equal(log.at('error').length, 1)
  database.exec('ALTER TABLE gone RENAME TO greylist')
  store.flush()
  assert.deepEqual(log.at('info').map(({ text }) => text), ['the greylist is written again'])
  store.put('c', waiting(NOW))
  store.flush()
  assert.deepEqual([store.get('a'), store.get('b'), store.get('c')], [passed(NOW), waiting(NOW), waiting(NOW)])
})

test('pruning: what has expired, then those who would be forgotten first, some at a time', (t) => {
  const { store, clock } = opened(t, { maxRecords: 10 })
  for (let i = 0; i < 5000; i++) store.put(`w${i}`, waiting(NOW + i))
  for (let i = 0; i < 5; i++) store.put(`k${i}`, passed(NOW))
  store.flush()
  clock.now = NOW + 2 * DAY + 999
  assert.equal(store.prune(), 1000 + 2000)
  assert.equal(store.prune(), 1995)
  assert.equal(store.prune(), 0)
  assert.deepEqual(store.get('w4995'), waiting(NOW + 4995))
  assert.equal(store.get('w4994'), undefined)
  for (let i = 0; i < 5; i++) assert.deepEqual(store.get(`k${i}`), passed(NOW))
})

test('more wait than may be written: refused, and nothing that waits is lost', (t) => {
  const { store } = opened(t)
  for (let i = 0; i < 10_000; i++) store.put(`w${i}`, waiting(NOW))
  assert.throws(() => store.put('one more', waiting(NOW)))
  store.flush()
  store.put('one more', waiting(NOW))
  store.flush()
  assert.deepEqual(store.get('w0'), waiting(NOW))
  assert.deepEqual(store.get('one more'), waiting(NOW))
})

/** A worker: puts records of its own and of everybody, and flushes after each few. */
const WORKER = `
  const [directory, name, database, greylist] = process.argv.slice(1)
  const { openDatabase } = await import(database)
  const { DatabaseGreylist } = await import(greylist)
  const errors = []
  const log = { debug() {}, info() {}, warn() {}, error: (facts) => errors.push(facts.cause) }
  const store = new DatabaseGreylist({}, { database: openDatabase(directory), log, now: () => ${NOW} })
  for (let i = 0; i < 300; i++) {
    store.put(name + i, { firstSeenAt: ${NOW}, passedAt: undefined, expiresAt: ${NOW + DAY} })
    store.put('all' + i, { firstSeenAt: ${NOW} + (name === 'a' ? 0 : 7), passedAt: undefined, expiresAt: ${NOW + 2 * DAY} })
    if (i % 3 === 2) store.flush()
  }
  if (errors.length > 0) throw new Error(errors.join())
`

test('several processes write at once, and nothing is lost', async (t) => {
  const directory = temporaryDirectory('greylist')
  const modules = ['database', 'greylist-store'].map((name) => new URL(`../../../src/state/${name}.ts`, import.meta.url).href)
  const outcomes = await Promise.all(['a', 'b', 'c'].map((name) => run([process.execPath, '--input-type=module', '-e', WORKER, directory, name, ...modules])))
  for (const { code, output } of outcomes) assert.equal(code, 0, output)
  const { store } = opened(t, {}, directory)
  for (let i = 0; i < 300; i++) {
    for (const name of ['a', 'b', 'c']) assert.ok(store.get(`${name}${i}`), `${name}${i}`)
    assert.equal(store.get(`all${i}`)?.firstSeenAt, NOW)
  }
})
