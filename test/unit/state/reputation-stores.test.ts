/** Correspondents and the history of domains in the database: shared by workers, bounded, and soft where it fails. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { CORRESPONDENT_DEFAULTS, createCorrespondents } from '../../../src/reputation/correspondents.ts'
import { DatabaseCorrespondents } from '../../../src/state/correspondents-store.ts'
import { DATABASE_FILE, openDatabase } from '../../../src/state/database.ts'
import { DatabaseDomainHistory } from '../../../src/state/domain-history-store.ts'
import { openSecret } from '../../../src/state/secret-file.ts'
import { run, temporaryDirectory } from '../../support/process.ts'
import { RecordedLog } from '../delivery/scripted-hop.ts'

const DAY = 86_400_000
const TODAY = 20_000
const NOW = TODAY * DAY

interface Bounds {
  readonly maxRecords?: number
  readonly maxWaiting?: number
}

function opened(t: TestContext, bounds: Bounds = {}, directory = temporaryDirectory('reputation')) {
  const database = openDatabase(directory, { busyMs: 50 })
  t.after(() => {
    if (database.isOpen) database.close()
  })
  const log = new RecordedLog()
  const clock = { now: NOW }
  const now = (): number => clock.now
  const secret = openSecret(directory, 'correspondents.key', log)
  return {
    database, log, clock, directory, secret,
    pairs: new DatabaseCorrespondents({ rememberMs: 180 * DAY, ...bounds }, { database, log, now, secret }),
    domains: new DatabaseDomainHistory({ rememberDays: 365, ...bounds }, { database, log, now }),
  }
}

test('correspondents: known at once where they were recorded, after a flush everywhere, and added up', (t) => {
  const one = opened(t)
  const other = opened(t, {}, one.directory)
  for (const { pairs } of [one, other]) {
    pairs.add('a b', NOW)
    pairs.add('a b', NOW + 5)
  }
  assert.deepEqual(one.pairs.get('a b'), { messages: 2, lastAt: NOW + 5 })
  one.pairs.flush()
  assert.deepEqual(other.pairs.get('a b'), { messages: 4, lastAt: NOW + 5 })
  other.pairs.flush()
  for (const { pairs } of [one, other]) assert.deepEqual(pairs.get('a b'), { messages: 4, lastAt: NOW + 5 })
  assert.equal(one.pairs.get('a c'), undefined)
})

test('no address stands in the files of the database, and without the key nobody is known', (t) => {
  const { pairs, directory, database } = opened(t)
  createCorrespondents(CORRESPONDENT_DEFAULTS, { store: pairs, now: () => NOW }).record({ sender: 'alice@ours.example', recipients: ['bob@theirs.example'] })
  pairs.flush()
  for (const file of readdirSync(directory).filter((name) => name.startsWith(DATABASE_FILE))) assert.doesNotMatch(readFileSync(join(directory, file), 'latin1'), /alice|bob|theirs/, file)
  const stranger = new DatabaseCorrespondents({ rememberMs: DAY }, { database, log: new RecordedLog(), now: () => NOW, secret: Buffer.alloc(32) })
  assert.equal(stranger.get('alice@ours.example bob@theirs.example'), undefined)
  assert.equal(pairs.get('alice@ours.example bob@theirs.example')?.messages, 1)
})

test('the secret: one for all, for its owner only, made anew where it is damaged', async (t) => {
  const { directory, secret, log } = opened(t)
  const path = join(directory, 'correspondents.key')
  assert.equal(secret.length, 32)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(openSecret(directory, 'correspondents.key', log), secret)
  writeFileSync(path, 'short')
  const anew = openSecret(directory, 'correspondents.key', log)
  assert.notDeepEqual(anew, secret)
  assert.deepEqual(log.at('warn').map(({ facts }) => facts['bytes']), [5])
  const fresh = temporaryDirectory('secret')
  const script = `const { openSecret } = await import(process.argv[2]); const log = { warn() { throw new Error('warned') } }; process.stdout.write(openSecret(process.argv[1], 'x.key', log).toString('hex'))`
  const module = new URL('../../../src/state/secret-file.ts', import.meta.url).href
  const made = await Promise.all(Array.from({ length: 4 }, () => run([process.execPath, '--input-type=module', '-e', script, fresh, module])))
  for (const { code, output } of made) assert.equal(code, 0, output)
  assert.deepEqual(made.map(({ output }) => output), made.map(() => readFileSync(join(fresh, 'x.key')).toString('hex')))
  assert.deepEqual(readdirSync(fresh), ['x.key'])
})

test('a damaged secret: who finds it damaged later than another takes away nothing that the other has made', () => {
  const directory = temporaryDirectory('secret')
  const path = join(directory, 'x.key')
  writeFileSync(path, 'short')
  let theirs: Buffer | undefined
  const quick = new RecordedLog()
  // Between our look and our mending.
  const slow = { debug: () => undefined, info: () => undefined, warn: () => void (theirs = openSecret(directory, 'x.key', quick)), error: () => undefined }
  const ours = openSecret(directory, 'x.key', slow)
  assert.deepEqual([ours, readFileSync(path)], [theirs, theirs])
  assert.equal(ours.length, 32)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(directory).filter((name) => name.startsWith('x.key')), ['x.key'])
})

test('the history: differences of all workers add up; the first day stays', (t) => {
  const one = opened(t)
  const other = opened(t, {}, one.directory)
  one.domains.add('a.example', { day: TODAY, messages: 1, spam: 1 })
  other.domains.add('a.example', { day: TODAY + 1, messages: 1, spam: 0 })
  other.domains.add('a.example', { day: TODAY + 1, messages: 1, spam: 0 })
  one.domains.flush()
  assert.deepEqual(other.domains.get('a.example'), { firstDay: TODAY, lastDay: TODAY + 1, messages: 3, spam: 1 })
  other.domains.flush()
  for (const { domains } of [one, other]) assert.deepEqual(domains.get('a.example'), { firstDay: TODAY, lastDay: TODAY + 1, messages: 3, spam: 1 })
  one.domains.add('a.example', { day: 0, messages: 1, spam: 0 })
  one.domains.flush()
  assert.equal(other.domains.get('a.example')?.firstDay, TODAY, 'a clock that went wrong makes nobody old')
})

test('the history knows when it began, across workers and after pruning', (t) => {
  const one = opened(t)
  assert.equal(one.domains.beganOn(), undefined)
  one.domains.add('a.example', { day: TODAY, messages: 1, spam: 0 })
  assert.equal(one.domains.beganOn(), TODAY)
  one.domains.flush()
  const other = opened(t, { maxRecords: 0 }, one.directory)
  other.domains.add('b.example', { day: TODAY + 9, messages: 1, spam: 0 })
  other.domains.flush()
  assert.equal(other.domains.beganOn(), TODAY)
  other.clock.now += 10_000 * DAY
  assert.equal(other.domains.prune(), 2)
  assert.equal(opened(t, {}, one.directory).domains.beganOn(), TODAY)
})

test('a clock that was ahead when the history began: it begins when the clock is right', (t) => {
  const { domains, clock, directory } = opened(t)
  clock.now = NOW + 3650 * DAY
  domains.add('a.example', { day: TODAY + 3650, messages: 1, spam: 0 })
  domains.flush()
  assert.equal(domains.beganOn(), TODAY + 3650)
  clock.now = NOW
  assert.equal(domains.beganOn(), undefined)
  const other = opened(t, {}, directory)
  for (const { day, store } of [{ day: TODAY, store: domains }, { day: TODAY + 3, store: other.domains }]) store.add('b.example', { day, messages: 1, spam: 0 })
  other.clock.now = NOW + 3 * DAY
  domains.flush()
  other.domains.flush()
  for (const store of [domains, other.domains]) assert.equal(store.beganOn(), TODAY)
})

test('a clock that was not set when the history began makes neither it nor anybody old', (t) => {
  const { domains, clock, directory } = opened(t)
  clock.now = DAY
  domains.add('a.example', { day: 1, messages: 1, spam: 0 })
  domains.flush()
  assert.equal(domains.beganOn(), undefined)
  clock.now = NOW
  domains.add('b.example', { day: TODAY, messages: 1, spam: 0 })
  domains.flush()
  for (const store of [domains, opened(t, {}, directory).domains]) {
    assert.equal(store.beganOn(), TODAY)
    assert.equal(store.get('a.example')?.firstDay, TODAY)
  }
})

test('a beginning that is written down wrongly is mended', (t) => {
  const { domains, database } = opened(t)
  database.prepare("INSERT INTO domain_history (domain, first_day, last_day, messages, spam) VALUES ('', 1, 1000000000, 1000000000, 0)").run()
  assert.equal(domains.beganOn(), undefined)
  domains.add('a.example', { day: TODAY, messages: 1, spam: 0 })
  domains.flush()
  assert.equal(database.prepare("SELECT first_day FROM domain_history WHERE domain = ''").get()?.['first_day'], TODAY)
})

test('pruning correspondents: the old ones, then those who were not written to for longest', (t) => {
  const { pairs, clock, log } = opened(t, { maxRecords: 10 })
  for (let i = 0; i < 4030; i++) pairs.add(`p${i}`, NOW + i)
  pairs.flush()
  clock.now = NOW + 180 * DAY + 999
  assert.equal(pairs.prune(), 1000 + 2000)
  assert.equal(pairs.prune(), 1020)
  assert.equal(pairs.prune(), 0)
  assert.equal(pairs.get('p4019'), undefined)
  assert.equal(pairs.get('p4020')?.messages, 1)
  assert.deepEqual(log.entries, [])
})

test('pruning the history: a flood of throw-away domains drives out nobody who is seen more often', (t) => {
  const { domains, clock } = opened(t, { maxRecords: 10 })
  for (let i = 0; i < 5; i++) domains.add(`good${i}.example`, { day: TODAY - 100, messages: 3, spam: 0 })
  for (let i = 0; i < 1000; i++) domains.add(`spam${i}.example`, { day: TODAY, messages: 2, spam: 2 })
  domains.flush()
  assert.equal(domains.prune(), 995)
  for (let i = 0; i < 5; i++) assert.equal(domains.get(`good${i}.example`)?.messages, 3)
  clock.now += 300 * DAY
  assert.equal(domains.prune(), 5)
  assert.equal(domains.get('good0.example'), undefined)
})

test('a database that cannot be read or written: told once, bounded, and caught up with', (t) => {
  const { pairs, domains, database, log } = opened(t, { maxWaiting: 2 })
  database.exec('ALTER TABLE correspondents RENAME TO c; ALTER TABLE domain_history RENAME TO d')
  assert.throws(() => pairs.get('a'))
  assert.throws(() => domains.get('a.example'))
  pairs.add('a', NOW)
  pairs.add('b', NOW)
  pairs.add('b', NOW)
  assert.throws(() => pairs.add('c', NOW), /2 correspondents wait/)
  for (let i = 0; i < 5; i++) domains.add(`d${i}.example`, { day: TODAY, messages: 1, spam: 0 })
  for (let i = 0; i < 3; i++) {
    pairs.flush()
    domains.flush()
  }
  assert.equal(log.at('warn').length, 3)
  database.exec('ALTER TABLE c RENAME TO correspondents; ALTER TABLE d RENAME TO domain_history')
  pairs.flush()
  domains.flush()
  assert.deepEqual([pairs.get('a')?.messages, pairs.get('b')?.messages, domains.get('d0.example')?.messages], [1, 2, 1])
  assert.equal(log.at('info').length, 2)
})

test('several processes write at once, and it all adds up', async (t) => {
  const directory = temporaryDirectory('reputation')
  const worker = new URL('./reputation-process.ts', import.meta.url).pathname
  const outcomes = await Promise.all(['a', 'b', 'c'].map((name) => run([process.execPath, worker, directory, name, String(NOW), '200'])))
  for (const { code, output } of outcomes) assert.equal(code, 0, output)
  const { pairs, domains } = opened(t, {}, directory)
  assert.deepEqual(pairs.get('alice@ours.example all@theirs.example'), { messages: 600, lastAt: NOW })
  assert.equal(pairs.get('alice@ours.example b199@theirs.example')?.messages, 1)
  assert.deepEqual(domains.get('all.example'), { firstDay: TODAY, lastDay: TODAY, messages: 600, spam: 150 })
  for (const name of ['a', 'b', 'c']) assert.equal(domains.get(`${name}.example`)?.messages, 200)
  assert.equal(domains.beganOn(), TODAY)
})
