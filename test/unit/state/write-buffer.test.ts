/** What waits to be written: merged, bounded, and not lost by trouble with the database. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openDatabase } from '../../../src/state/database.ts'
import { WriteBuffer } from '../../../src/state/write-buffer.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { RecordedLog } from '../delivery/scripted-hop.ts'

function opened(t: TestContext) {
  const directory = temporaryDirectory('buffer')
  const database = openDatabase(directory, { busyMs: 1 })
  const other = openDatabase(directory, { busyMs: 1 })
  t.after(() => {
    database.close()
    other.close()
  })
  database.exec('CREATE TABLE counts (key TEXT PRIMARY KEY, count INTEGER NOT NULL)')
  const put = database.prepare('INSERT INTO counts VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET count = count + excluded.count')
  const log = new RecordedLog()
  const buffer = new WriteBuffer<number>({
    maxWaiting: 2, merge: (waiting, added) => waiting + added, write: (key, count) => void put.run(key, count), level: 'warn', failing: 'counts cannot be written', again: 'counts are written again',
  }, { database, log })
  const rows = () => other.prepare('SELECT key, count FROM counts ORDER BY key').all().map((row) => ({ ...row }))
  return { database, other, log, buffer, rows }
}

test('values of one key are merged, and written together', (t) => {
  const { buffer, rows } = opened(t)
  assert.equal(buffer.put('a', 1), 'taken')
  buffer.put('b', 5)
  assert.equal(buffer.put('c', 1), 'full')
  assert.equal(buffer.put('a', 2), 'taken')
  assert.deepEqual([buffer.get('a'), buffer.size], [3, 2])
  assert.deepEqual(rows(), [])
  buffer.flush()
  buffer.flush()
  assert.deepEqual(rows(), [{ key: 'a', count: 3 }, { key: 'b', count: 5 }])
  assert.deepEqual([buffer.get('a'), buffer.size], [undefined, 0])
})

test('one who writes for a while is no news; what waits is written when he is done', (t) => {
  const { buffer, other, log, rows } = opened(t)
  buffer.put('a', 1)
  other.exec('BEGIN IMMEDIATE')
  for (let i = 0; i < 9; i++) buffer.flush()
  assert.deepEqual(log.entries, [])
  buffer.flush()
  buffer.flush()
  assert.equal(log.at('warn').length, 1)
  other.exec('COMMIT')
  buffer.put('a', 1)
  buffer.flush()
  assert.deepEqual(rows(), [{ key: 'a', count: 2 }])
  assert.deepEqual(log.at('info').map(({ text }) => text), ['counts are written again'])
})

test('a failure in the middle writes nothing of it, so that nothing is counted twice', (t) => {
  const { buffer, database, log, rows } = opened(t)
  database.exec(`CREATE TRIGGER no_b BEFORE INSERT ON counts WHEN NEW.key = 'b' BEGIN SELECT RAISE(ABORT, 'no'); END`)
  buffer.put('a', 1)
  buffer.put('b', 1)
  buffer.flush()
  assert.deepEqual(rows(), [])
  assert.equal(log.at('warn').length, 1)
  database.exec('DROP TRIGGER no_b')
  buffer.flush()
  assert.deepEqual(rows(), [{ key: 'a', count: 1 }, { key: 'b', count: 1 }])
})
