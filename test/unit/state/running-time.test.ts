/** For how long gateways have run, by a clock that may be wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase } from '../../../src/state/database.ts'
import { RunningTime, STEP_MS } from '../../../src/state/running-time.ts'
import { temporaryDirectory } from '../../support/process.ts'

const NOW = Date.UTC(2030, 0, 15)
const MINUTE = 60_000
const DAY = 86_400_000

function times(t: { after(action: () => void): void }): readonly [RunningTime, RunningTime, RunningTime] {
  const database = openDatabase(temporaryDirectory('running'))
  t.after(() => database.close())
  return [new RunningTime(database, 'a'), new RunningTime(database, 'a'), new RunningTime(database, 'b')]
}

test('it goes with the clock, whoever looks, and each name has its own', (t) => {
  const [one, another, other] = times(t)
  assert.equal(one.look(NOW), 0)
  assert.equal(another.look(NOW + 10 * MINUTE), 10 * MINUTE)
  assert.equal(one.look(NOW + 10 * MINUTE + 1), 10 * MINUTE + 1)
  assert.equal(other.look(NOW + 20 * MINUTE), 0)
})

test('who comes with a clock that is a little behind counts nothing twice', (t) => {
  const [one, another] = times(t)
  one.look(NOW)
  one.look(NOW + 5000)
  assert.equal(another.look(NOW + 3000), 5000)
  assert.equal(one.look(NOW + 6000), 6000)
})

test('a jump in either direction, or a time without gateways, counts for one step at most', (t) => {
  const [one] = times(t)
  one.look(NOW)
  assert.equal(one.look(NOW + 400 * DAY), STEP_MS)
  assert.equal(one.look(NOW), STEP_MS)
  assert.equal(one.look(NOW + MINUTE), STEP_MS + MINUTE)
})

test('a machine whose clock is years behind at each start comes on all the same', (t) => {
  const [one] = times(t)
  let ran = 0
  for (let day = 0; day < 3; day++) {
    for (let at = 0; at < 2 * MINUTE; at += MINUTE) ran = one.look(at)
    for (let at = 0; at < 600 * MINUTE; at += 10 * MINUTE) ran = one.look(NOW + day * DAY + at)
  }
  // Ten hours each day, and no more than a step for each jump.
  assert.ok(ran >= 3 * 590 * MINUTE && ran <= 3 * (592 * MINUTE + STEP_MS), String(ran / MINUTE))
})
