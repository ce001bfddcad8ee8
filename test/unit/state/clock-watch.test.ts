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

test('the first look is doubted, and what follows within the gap is believed two days later', (t) => {
  const [one, another, other] = watches(t)
  assert.equal(one.doubtedUntil(NOW), NOW + DOUBT_MS)
  assert.equal(another.doubtedUntil(NOW + DOUBT_MS - 1), NOW + DOUBT_MS)
  assert.equal(one.doubtedUntil(NOW + DOUBT_MS), undefined)
  assert.equal(one.doubtedUntil(NOW + DOUBT_MS + GAP_MS), undefined)
  assert.equal(other.doubtedUntil(NOW), NOW + DOUBT_MS)
})

test('a jump is doubted, forward and back, whoever asks next; a little behind is none', (t) => {
  const [one, another] = watches(t)
  one.doubtedUntil(NOW)
  one.doubtedUntil(NOW + DOUBT_MS)
  let seen = NOW + DOUBT_MS
  for (const by of [GAP_MS + 1, 400 * GAP_MS, -(GAP_MS + 1), -390 * GAP_MS]) {
    seen += by
    const until = seen + DOUBT_MS
    assert.equal(another.doubtedUntil(seen), until, String(by))
    assert.equal(one.doubtedUntil(seen - 1), until)
    assert.equal(one.doubtedUntil(until - 1), until)
    assert.equal(one.doubtedUntil(until), undefined)
    seen = until
  }
})
