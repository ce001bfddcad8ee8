import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { DATABASE_FILE, openDatabase } from '../../../src/state/database.ts'
import { DecisionStore, type StoredDecision } from '../../../src/state/decisions.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { RecordedLog } from '../delivery/scripted-hop.ts'

function opened(t: TestContext, directory = temporaryDirectory('state')) {
  const database = openDatabase(directory)
  t.after(() => {
    if (database.isOpen) database.close()
  })
  const log = new RecordedLog()
  return { database, log, directory, store: new DecisionStore(database, log) }
}

const decision = (id: string, at = 1000): StoredDecision => ({ id, at, action: 'reject', record: { client: '192.0.2.1', effects: [{ check: 'rdns' }] } })

test('what was added is found at once, after a flush, and by another process', (t) => {
  const { store, directory } = opened(t)
  store.add(decision('AB23'))
  assert.deepEqual(store.find('ab23'), decision('AB23'))
  store.flush()
  assert.deepEqual(store.find('AB23'), decision('AB23'))
  assert.deepEqual(opened(t, directory).store.find('AB23'), decision('AB23'))
  assert.equal(store.find('NONE'), undefined)
})

test('the file is not for everybody', (t) => {
  assert.equal(statSync(join(opened(t).directory, DATABASE_FILE)).mode & 0o007, 0)
})

test('pruning: the old, then the oldest of too many, some at a time', (t) => {
  const { store } = opened(t)
  for (let i = 0; i < 5000; i++) store.add(decision(`D${i}`, i))
  store.flush()
  assert.equal(store.prune({ maxAgeMs: 4000, maxCount: 10_000 }, 5000), 1000)
  assert.equal(store.find('D999'), undefined)
  assert.deepEqual(store.find('D1000'), decision('D1000', 1000))
  assert.equal(store.prune({ maxAgeMs: 1e9, maxCount: 10 }, 5000), 2000)
  assert.equal(store.find('D2999'), undefined)
  assert.equal(store.prune({ maxAgeMs: 1e9, maxCount: 10 }, 5000), 1990)
  assert.equal(store.prune({ maxAgeMs: 1e9, maxCount: 10 }, 5000), 0)
  assert.ok(store.find('D4999'))
})

test('a disk that cannot be written: told once, nothing lost up to the bound, written when it can be', (t) => {
  const { store, database, log } = opened(t)
  database.exec('ALTER TABLE decisions RENAME TO gone')
  for (let i = 0; i < 10_005; i++) store.add(decision(`D${i}`, i))
  store.flush()
  store.flush()
  assert.equal(log.at('error').length, 1)
  database.exec('ALTER TABLE gone RENAME TO decisions')
  store.flush()
  assert.deepEqual(log.at('info')[0]?.facts, { dropped: 5 })
  assert.equal(store.find('D4'), undefined)
  assert.ok(store.find('D5'))
})

test('a record without measure is not kept whole', (t) => {
  const { store } = opened(t)
  store.add({ ...decision('BIG'), record: { text: 'x'.repeat(300_000) } })
  store.flush()
  assert.deepEqual(store.find('BIG')?.record, { tooLong: 300_011 })
})

test('a file of a newer Postern is refused, and so is one that is no database', () => {
  const directory = temporaryDirectory('state')
  const database = new DatabaseSync(join(directory, DATABASE_FILE))
  database.exec('PRAGMA user_version = 99')
  database.close()
  assert.throws(() => openDatabase(directory), /newer Postern \(version 99/)
  const other = temporaryDirectory('state')
  writeFileSync(join(other, DATABASE_FILE), 'no database at all, but long enough to be looked at\n'.repeat(100))
  assert.throws(() => openDatabase(other), (error: Error) => error.message === `${join(other, DATABASE_FILE)}: file is not a database`)
})

test('another process that writes is waited for from second to second; only one that goes on is news, and nothing is lost', () => {
  const directory = temporaryDirectory('decisions')
  const database = openDatabase(directory, { busyMs: 0 })
  const other = openDatabase(directory)
  const said: string[] = []
  const keep = (_: unknown, text: string) => void said.push(text)
  const store = new DecisionStore(database, { debug: keep, info: keep, warn: keep, error: keep })
  other.exec('BEGIN IMMEDIATE')
  store.add({ id: 'A1', at: 1, action: 'accept', record: {} })
  for (let second = 1; second < 10; second++) store.flush()
  assert.deepEqual(said, [])
  store.flush()
  store.flush()
  assert.deepEqual(said, ['decisions cannot be written; postern why will not know them'])
  other.exec('COMMIT')
  store.flush()
  assert.deepEqual(said.slice(1), ['decisions are written again'])
  assert.equal(new DecisionStore(other, { debug: keep, info: keep, warn: keep, error: keep }).find('A1')?.action, 'accept')
  database.close()
  other.close()
})
