/** The database file: opened by several at once, brought up to date from each version. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { DATABASE_FILE, openDatabase } from '../../../src/state/database.ts'
import { run, temporaryDirectory } from '../../support/process.ts'

/** Holds the new file as one does that turns it into a database, and lets go a little later. */
const HOLDER = `
  const { DatabaseSync } = require('node:sqlite')
  const { parentPort, workerData } = require('node:worker_threads')
  const database = new DatabaseSync(workerData)
  database.exec('CREATE TABLE t (a); DROP TABLE t; BEGIN EXCLUSIVE')
  parentPort.postMessage('held')
  setTimeout(() => database.exec('COMMIT'), 100)
`

test('whoever comes while another makes the file waits for it', async () => {
  const directory = temporaryDirectory('state')
  const holder = new Worker(HOLDER, { eval: true, workerData: join(directory, DATABASE_FILE) })
  await new Promise((resolve) => holder.once('message', resolve))
  const database = openDatabase(directory)
  assert.deepEqual({ ...database.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'wal' })
  database.close()
  await holder.terminate()
})

test('four workers of a first start make one database', async () => {
  const directory = temporaryDirectory('state')
  const script = 'const { openDatabase } = await import(process.argv[2]); openDatabase(process.argv[1]).close()'
  const module = new URL('../../../src/state/database.ts', import.meta.url).href
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => run([process.execPath, '--input-type=module', '-e', script, directory, module])))
  for (const { code, output } of outcomes) assert.equal(code, 0, output)
})

// To SQLite all that is "unable to open database file".
test('what the operating system has against a file is said with its code and the file', () => {
  const directory = temporaryDirectory('state')
  mkdirSync(join(directory, DATABASE_FILE))
  const path = join(directory, DATABASE_FILE)
  assert.throws(() => openDatabase(directory), (error) => error instanceof Error && error.message.includes(path) && 'code' in error && error.code === 'EISDIR')
})

test('too few descriptors are no missing permission, and nothing is left of asking', async () => {
  const directory = temporaryDirectory('state')
  const script = `
    const { openSync, closeSync } = await import('node:fs')
    const { openDatabase } = await import(process.argv[2])
    const held = []
    try { for (;;) held.push(openSync('/dev/null')) } catch {}
    const codes = new Set()
    for (let left = 0; ; left++) {
      try { openDatabase(process.argv[1]).close(); break } catch (error) { codes.add(error.code) }
      closeSync(held.pop())
    }
    console.log([...codes].join())`
  const module = new URL('../../../src/state/database.ts', import.meta.url).href
  const { code, output } = await run(['sh', '-c', 'ulimit -n 64; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', script, directory, module])
  assert.deepEqual([code, output.trim()], [0, 'EMFILE'])
  assert.deepEqual(readdirSync(directory).filter((name) => name.endsWith('.try')), [])
})

test('a file of the first version gets the tables of later ones, and keeps what it has', () => {
  const directory = temporaryDirectory('state')
  const old = new DatabaseSync(join(directory, DATABASE_FILE))
  old.exec(`CREATE TABLE decisions (id TEXT PRIMARY KEY, at INTEGER NOT NULL, action TEXT NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX decisions_at ON decisions (at); INSERT INTO decisions VALUES ('AB23', 1, 'accept', '{}'); PRAGMA user_version = 1`)
  old.close()
  const database = openDatabase(directory)
  const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).all().map(({ name }) => name)
  for (const table of ['decisions', 'greylist', 'quarantine']) assert.ok(tables.includes(table), table)
  assert.equal(database.prepare('SELECT id FROM decisions').get()?.['id'], 'AB23')
  database.close()
})
