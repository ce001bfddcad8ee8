/** Shared counters where the file is locked, damaged or gone, and between real processes. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { RATES_FILE, RatesDatabase } from '../../../src/state/rates-database.ts'
import { openSharedCounters } from '../../../src/state/shared-counters.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { RecordedLog } from '../delivery/scripted-hop.ts'
import { MINUTE, pair, read, START } from './counters-fixture.ts'

test('a database that is locked: it counts alone, says so once, and once when it is back; nothing is lost', (t) => {
  const { a, b, settle, log, directory } = pair(t)
  a.add('k', 1, MINUTE)
  b.begin('k')
  settle()
  const other = new DatabaseSync(join(directory, RATES_FILE))
  t.after(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  for (let i = 0; i < 5; i++) {
    a.add('k', 1, MINUTE)
    a.begin('k')
    a.exchange()
  }
  assert.equal(read(a), 6)
  assert.deepEqual(log.entries.map(({ level }) => level), ['warn'])
  other.exec('COMMIT')
  settle()
  settle()
  assert.equal(read(b), 6)
  assert.equal(b.begin('k'), 7)
  assert.deepEqual(log.entries.map(({ level }) => level), ['warn', 'info'])
})

test('one who waits for its turn once says nothing of it', (t) => {
  const { a, settle, log, directory } = pair(t)
  settle()
  const other = new DatabaseSync(join(directory, RATES_FILE))
  t.after(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  a.add('k', 1, MINUTE)
  a.exchange()
  other.exec('COMMIT')
  settle()
  assert.deepEqual(log.entries, [])
})

test('alone for long, what the others had under way is forgotten', (t) => {
  const { a, b, settle, pass, directory } = pair(t)
  b.begin('k')
  settle()
  assert.equal(a.begin('k'), 2)
  const other = new DatabaseSync(join(directory, RATES_FILE))
  t.after(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  for (let second = 0; second < 12; second++) {
    pass(1000)
    a.exchange()
  }
  assert.equal(a.begin('k'), 2)
  other.exec('COMMIT')
})

test('a directory that cannot be used, and then can', (t) => {
  const parent = temporaryDirectory('rates')
  const directory = join(parent, 'state')
  writeFileSync(directory, 'a file in the way')
  const log = new RecordedLog()
  const counters = openSharedCounters(directory, { log, now: () => START })
  t.after(() => counters.close())
  assert.equal(counters.add('k', 2, MINUTE), 2)
  counters.exchange()
  assert.equal(counters.begin('k'), 1)
  assert.deepEqual(log.entries.map(({ level }) => level), ['warn'])
  rmSync(directory)
  counters.exchange()
  assert.deepEqual(log.entries.map(({ level }) => level), ['warn', 'info'])
  const other = openSharedCounters(directory, { log, now: () => START })
  t.after(() => other.close())
  assert.deepEqual([other.add('k', 0, MINUTE), other.begin('k')], [2, 2])
})

test('a file that is damaged, no database, or of another version is made anew', () => {
  const damage: readonly ((path: string) => void)[] = [
    (path) => writeFileSync(path, 'no database at all, but long enough to be looked at\n'.repeat(200)),
    (path) => {
      const database = new DatabaseSync(path)
      database.exec('CREATE TABLE counts (other TEXT); CREATE TABLE "o""dd" (x); PRAGMA user_version = 99;')
      database.close()
    },
  ]
  for (const make of damage) {
    const directory = temporaryDirectory('rates')
    make(join(directory, RATES_FILE))
    const both = [0, 1].map(() => openSharedCounters(directory, { log: new RecordedLog(), now: () => START }))
    for (const counters of both) counters.add('k', 1, MINUTE)
    for (let i = 0; i < 4; i++) for (const counters of both) counters.exchange()
    assert.deepEqual(both.map((counters) => counters.add('k', 0, MINUTE)), [2, 2])
    for (const counters of both) counters.close()
  }
})

test('a file that somebody removes while it is in use: all meet again in the new one', (t) => {
  const { a, b, settle, directory, log } = pair(t)
  a.add('k', 1, MINUTE)
  b.begin('k')
  settle()
  for (const name of readdirSync(directory)) rmSync(join(directory, name))
  a.add('new', 1, MINUTE)
  b.add('new', 1, MINUTE)
  settle()
  settle()
  assert.deepEqual([read(a, 'new'), read(b, 'new'), a.begin('k')], [2, 2, 2])
  const late = openSharedCounters(directory, { log, now: () => START })
  t.after(() => late.close())
  assert.equal(read(late, 'new'), 2)
  assert.deepEqual(log.at('warn'), [])
})

test('what another writes between reading and writing is read the next time; what is too much at once, with the next', () => {
  const directory = temporaryDirectory('rates')
  const [one, other] = [new RatesDatabase(directory), new RatesDatabase(directory)]
  const addition = (name: string): { name: string; win: number; amount: number; windowMs: number } => ({ name: `60000 ${name}`, win: 1, amount: 1, windowMs: MINUTE })
  const write = (database: RatesDatabase, ...names: readonly string[]): void => {
    const { upTo } = database.write(() => database.add(names.map(addition)))
    database.added(names.length, upTo)
  }
  const heard = (database: RatesDatabase, most = 100): readonly string[] => database.changes(most).map(({ name, total }) => `${name.slice(6)}=${total}`)
  assert.deepEqual(heard(one), [])
  write(other, 'a')
  write(one, 'a', 'b')
  assert.deepEqual(heard(one), ['a=2', 'b=1'])
  write(one, 'c')
  assert.deepEqual(heard(one), [], 'its own it knows')
  write(other, 'd', 'e', 'f', 'g', 'h')
  assert.deepEqual([heard(one, 2), heard(one, 2), heard(one, 2), heard(one, 2)], [['d=1', 'e=1'], ['f=1', 'g=1'], ['h=1'], []])
  one.close()
  other.close()
})

test('the file is not for everybody', (t) => {
  const { a, directory } = pair(t)
  a.exchange()
  assert.equal(statSync(join(directory, RATES_FILE)).mode & 0o007, 0)
})

interface Counting {
  readonly child: ChildProcess
  readonly say: (command: string) => Promise<string>
}

function counting(t: TestContext, directory: string, now: number): Counting {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'counting-process.ts'), directory, String(now), 'k'], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const { stdin, stdout } = child
  const lines = createInterface(stdout)[Symbol.asyncIterator]()
  return {
    child,
    say: async (command) => {
      stdin.write(`${command}\n`)
      const next = await lines.next()
      return next.done === true ? 'ended' : next.value
    },
  }
}

test('real processes: what they count at the same time adds up, and one that is killed has nothing under way', { timeout: 60_000 }, async (t) => {
  const { a, directory, pass, now, log } = pair(t)
  const processes = [0, 1, 2].map(() => counting(t, directory, now()))
  await Promise.all(processes.map(({ say }) => say('count 200')))
  // A process that found the file locked tells with a later exchange.
  for (let i = 0; i < 3; i++) for (const { say } of processes) await say('exchange')
  for (const { say } of processes) assert.equal(await say('exchange'), '600')
  a.exchange()
  assert.equal(read(a), 600)

  const [first, second, third] = processes
  assert.ok(first !== undefined && second !== undefined && third !== undefined)
  for (const { say } of processes) await say('begin')
  for (const { say } of processes) await say('exchange')
  a.exchange()
  assert.equal(a.begin('k'), 4)
  assert.equal(await third.say('close'), 'closed')
  a.exchange()
  assert.equal(a.begin('k'), 4, 'one of ours more, one of theirs less')
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  for (let i = 0; i < 6; i++) {
    pass(2000)
    await second.say('begin')
    await second.say('exchange')
    a.exchange()
  }
  assert.equal(a.begin('k'), 3 + 7, 'the killed one has nothing under way, the other all of its own')
  assert.equal(read(a), 600, 'what it counted stays')
  assert.deepEqual(log.at('warn'), [])
})
