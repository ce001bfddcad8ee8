/** The database as `postern why` reads it: beside a writer, without the right to write, of other versions, damaged. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { DATABASE_FILE, openDatabase } from '../../../src/state/database.ts'
import { DecisionReader, openForReading } from '../../../src/state/decision-reader.ts'
import { DecisionStore } from '../../../src/state/decisions.ts'
import { run, temporaryDirectory } from '../../support/process.ts'
import { RecordedLog } from '../delivery/scripted-hop.ts'

function filled(directory: string, ids: readonly string[]): DatabaseSync {
  const database = openDatabase(directory)
  const store = new DecisionStore(database, new RecordedLog())
  for (const [i, id] of ids.entries()) store.add({ id, at: 1000 + i, action: 'accept', record: { n: i } })
  store.flush()
  return database
}

function reading(directory: string): { reader: DecisionReader; database: DatabaseSync } {
  const opening = openForReading(directory)
  assert.ok(opening.status === 'open')
  return { reader: new DecisionReader(opening.database), database: opening.database }
}

test('beside a writer: what was written is there, and nothing can be written', () => {
  const directory = temporaryDirectory('reader')
  const writer = filled(directory, ['AAAA1', 'AAAB1'])
  const { reader, database } = reading(directory)
  assert.deepEqual(reader.find('aaaa1'), { status: 'found', decision: { id: 'AAAA1', at: 1000, action: 'accept', record: { n: 0 } } })
  assert.throws(() => database.exec('DELETE FROM decisions'), /readonly/)
  database.close()
  writer.close()
})

test('by their beginning: bounded where there are many, and nothing that only looks like one', () => {
  const directory = temporaryDirectory('reader')
  filled(directory, [...Array.from({ length: 15 }, (_, i) => `MANY${String(i).padStart(2, '0')}`), 'ONLY1', 'ONL', 'ZZZZZZ']).close()
  const { reader, database } = reading(directory)
  const many = reader.find('many')
  assert.ok(many.status === 'ambiguous')
  assert.deepEqual(many.ids, Array.from({ length: 10 }, (_, i) => `MANY0${i}`))
  const only = reader.find('only')
  assert.ok(only.status === 'found' && only.decision.id === 'ONLY1')
  assert.ok(reader.find('zzzz').status === 'found')
  assert.deepEqual(reader.find('ONL').status, 'found')
  for (const id of ['ON', 'ONLX', 'MAN%', 'ONLY11', '____']) assert.deepEqual(reader.find(id), { status: 'none' }, id)
  database.close()
})

test('whoever may read the directory and not write it', async () => {
  const directory = temporaryDirectory('reader')
  filled(directory, ['AAAA1']).close()
  assert.deepEqual(readdirSync(directory), [DATABASE_FILE])
  // Root may write everywhere; nobody else may write here.
  const script = `import { DecisionReader, openForReading } from '${join(import.meta.dirname, '../../../src/state/decision-reader.ts')}'
    process.umask(0o022)
    if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534) }
    const opening = openForReading(${JSON.stringify(directory)})
    console.log(opening.status, new DecisionReader(opening.database).find('AAAA1').decision.record.n)`
  chmodSync(join(directory, DATABASE_FILE), 0o444)
  chmodSync(directory, 0o555)
  const { code, output } = await run([process.execPath, '--input-type=module', '--no-warnings', '-e', script])
  chmodSync(directory, 0o755)
  assert.equal(output, 'open 0\n')
  assert.equal(code, 0)
  assert.deepEqual(readdirSync(directory), [DATABASE_FILE])
})

test('no file, and one of another version', () => {
  const directory = temporaryDirectory('reader')
  assert.deepEqual(openForReading(directory), { status: 'missing', path: join(directory, DATABASE_FILE) })
  assert.equal(existsSync(join(directory, DATABASE_FILE)), false)
  for (const [version, pattern] of [[1, /an older Postern \(version 1 .*brings it up to date when it starts/], [999, /a newer Postern \(version 999 /]] as const) {
    const database = new DatabaseSync(join(directory, DATABASE_FILE))
    database.exec(`PRAGMA user_version = ${version}`)
    database.close()
    const opening = openForReading(directory)
    assert.ok(opening.status === 'other-version')
    assert.match(opening.why, pattern)
  }
})

test('a file that is no database, and a record that is no JSON', () => {
  const broken = temporaryDirectory('reader')
  writeFileSync(join(broken, DATABASE_FILE), 'no database at all, and long enough to be looked at as one '.repeat(100))
  assert.throws(() => openForReading(broken), /not a database/)
  const directory = temporaryDirectory('reader')
  const writer = filled(directory, ['AAAA1'])
  writer.exec("UPDATE decisions SET record = '{'")
  writer.close()
  const { reader, database } = reading(directory)
  assert.throws(() => reader.find('AAAA1'), /decision AAAA1 is damaged/)
  database.close()
})

test('what disagrees: inside a stranger’s text the same words are nothing', () => {
  const directory = temporaryDirectory('reader')
  const writer = openDatabase(directory)
  const store = new DecisionStore(writer, new RecordedLog())
  const verdict = { action: 'accept', score: 0, tagged: false, effects: [] }
  store.add({ id: 'AAAA1', at: 1, action: 'accept', record: { helo: '"shadow":{"action":"reject"', verdict } })
  store.add({ id: 'AAAA2', at: 2, action: 'accept', record: { verdict, shadow: { ...verdict, action: 'quarantine', by: 'score', tagged: true } } })
  store.flush()
  writer.close()
  const { reader, database } = reading(directory)
  const { listed, counts, decisions, cut } = reader.disagreements({ since: 0, limit: 5 })
  assert.deepEqual(listed.map(({ id }) => id), ['AAAA2'])
  assert.deepEqual(counts, [{ live: { action: 'accept', tagged: false, by: undefined }, shadow: { action: 'quarantine', tagged: true, by: 'score' }, count: 1 }])
  assert.deepEqual([decisions, cut], [2, false])
  database.close()
})
