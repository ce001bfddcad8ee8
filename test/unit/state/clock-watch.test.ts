/** Whether a clock may be believed that things are removed by. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClockWatch, DOUBT_MS, GAP_MS } from '../../../src/state/clock-watch.ts'
import { openDatabase } from '../../../src/state/database.ts'
import { temporaryDirectory } from '../../support/process.ts'

const NOW = Date.UTC(2030, 0, 15)

function watches(t: { after(action: () => void): void }): readonly [ClockWatch, ClockWatch, ClockWatch] {
  const database = openDatabase(temporaryDirectory('clock-watch'))
  t.after(() => database.close())
  return [new ClockWatch(database, 'a'), new ClockWatch(database, 'a'), new ClockWatch(database, 'b')]
}

test('a step within the gap is believed, a longer one is not, whoever asks next', (t) => {
  const [one, another, other] = watches(t)
  assert.equal(one.doubtedUntil(NOW), undefined)
  assert.equal(one.doubtedUntil(NOW + GAP_MS), undefined)
  assert.equal(other.doubtedUntil(NOW), undefined)
  const late = NOW + 2 * GAP_MS + 1
  const until = late + DOUBT_MS
  assert.equal(another.doubtedUntil(late), until)
  assert.equal(one.doubtedUntil(late + 1), until)
  assert.equal(one.doubtedUntil(until - 1), until)
  assert.equal(one.doubtedUntil(until), undefined)
  assert.equal(other.doubtedUntil(NOW + 1), undefined)
})

test('set back it is believed; by a little, as of one who waited for the database, the doubt lasts', (t) => {
  const [one] = watches(t)
  one.doubtedUntil(NOW)
  const ahead = NOW + 100 * GAP_MS
  assert.equal(one.doubtedUntil(ahead), ahead + DOUBT_MS)
  assert.equal(one.doubtedUntil(ahead - 1), ahead + DOUBT_MS)
  assert.equal(one.doubtedUntil(NOW + 1), undefined)
  assert.equal(one.doubtedUntil(NOW + 2), undefined)
  // By as much as just not counts as a jump.
  const near = NOW + GAP_MS + 10
  assert.equal(one.doubtedUntil(near), near + DOUBT_MS)
  assert.equal(one.doubtedUntil(NOW + 3), undefined)
})
