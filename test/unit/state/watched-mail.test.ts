/** Which files of folders that teach were seen: for how long, in which folder, and how many. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openDatabase } from '../../../src/state/database.ts'
import { WatchedMail } from '../../../src/state/watched-mail.ts'
import { temporaryDirectory } from '../../support/process.ts'

const DAY = 20_000

function open(t: TestContext, maxRows?: number): WatchedMail {
  const database = openDatabase(temporaryDirectory('watched'))
  t.after(() => database.close())
  return new WatchedMail(database, maxRows)
}

test('a file is known by its name, wherever it is, and said to be here where it was seen last', (t) => {
  const watched = open(t)
  watched.remember('/mail/anna/.Junk', [{ name: '1.M1.host', taught: 'spam' }], DAY)
  assert.deepEqual(watched.find('/mail/anna/.Junk', '1.M1.host'), { here: true, taught: 'spam', day: DAY })
  assert.deepEqual(watched.find('/mail/anna/.Archive', '1.M1.host'), { here: false, taught: 'spam', day: DAY })
  assert.equal(watched.find('/mail/anna/.Junk', '2.M2.host'), undefined)
  watched.remember('/mail/anna/.Archive', [{ name: '1.M1.host', taught: 'ham' }], DAY + 1)
  assert.deepEqual(watched.find('/mail/anna/.Archive', '1.M1.host'), { here: true, taught: 'ham', day: DAY + 1 })
})

test('what was not there for more than thirty days is forgotten; what is seen again stays', (t) => {
  const watched = open(t)
  watched.remember('/mail', [{ name: 'gone', taught: 'delivered' }, { name: 'there', taught: 'delivered' }], DAY)
  watched.prune(DAY + 30)
  assert.equal(watched.find('/mail', 'gone')?.taught, 'delivered')
  watched.touch(['there'], DAY + 30)
  watched.prune(DAY + 31)
  assert.deepEqual([watched.find('/mail', 'gone'), watched.find('/mail', 'there')?.day], [undefined, DAY + 30])
})

test('no more than so many are remembered, and more again when some were forgotten', (t) => {
  const watched = open(t, 3)
  const files = (...names: readonly string[]) => names.map((name) => ({ name, taught: 'nothing' as const }))
  watched.remember('/mail', files('a', 'b'), DAY)
  assert.equal(watched.isFull(), false)
  // One of them was there before: it is counted anew where it may be too many.
  watched.remember('/mail', files('b'), DAY)
  assert.equal(watched.isFull(), false)
  watched.remember('/mail', files('c'), DAY + 20)
  assert.equal(watched.isFull(), true)
  watched.prune(DAY + 31)
  assert.equal(watched.isFull(), false)
})

test('what is found of a folder is written at its end, and in between where it is much', (t) => {
  const watched = open(t)
  const notes = watched.notes('/mail', DAY)
  notes.seen({ name: 'first', taught: 'spam' })
  assert.equal(watched.find('/mail', 'first'), undefined)
  for (let n = 0; n < 199; n++) notes.seen({ name: `more ${n}`, taught: 'spam' })
  assert.equal(watched.find('/mail', 'first')?.here, true)
  const later = watched.notes('/mail', DAY + 12)
  later.renewed('first')
  later.flush()
  assert.equal(watched.find('/mail', 'first')?.day, DAY + 12)
})
