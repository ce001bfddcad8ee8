/** The room that messages take while they are scored: bounded, in order, given back once, and not waited for without end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Room, type Entered } from '../../../src/scoring/room.ts'
import { ManualClock } from '../dns/manual-clock.ts'

function stage(bytes = 10, waiting = 10) {
  const clock = new ManualClock()
  return { clock, room: new Room({ bytes, waiting, patienceMs: 1000 }, clock) }
}

async function enter(room: Room, bytes: number): Promise<() => void> {
  const entered = await room.enter(bytes)
  assert.ok(entered.status === 'in')
  return entered.leave
}

/** Has it been let in, now that everybody had a turn? */
async function isIn(entering: Promise<Entered>): Promise<boolean> {
  let inside = false
  void entering.then(({ status }) => { inside = status === 'in' })
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  return inside
}

test('what fits goes in at once, the rest waits in its order', async () => {
  const { room } = stage()
  const first = await enter(room, 6)
  const second = room.enter(6)
  // Small enough, but not its turn: otherwise a large one would wait for ever.
  const third = room.enter(1)
  assert.deepEqual([await isIn(second), await isIn(third)], [false, false])
  first()
  assert.deepEqual([await isIn(second), await isIn(third)], [true, true])
})

test('what is larger than the room has all of it, alone', async () => {
  const { room } = stage()
  const leave = await enter(room, 1000)
  const other = room.enter(1)
  assert.equal(await isIn(other), false)
  leave()
  assert.equal(await isIn(other), true)
})

test('room is given back once, however often it is said', async () => {
  const { room } = stage()
  const leave = await enter(room, 10)
  leave()
  leave()
  await enter(room, 10)
  assert.equal(await isIn(room.enter(1)), false)
})

test('whoever has waited long enough is told why, and those behind it get in where they need less', async () => {
  const { room, clock } = stage()
  const leave = await enter(room, 6)
  const large = room.enter(6)
  clock.advance(500)
  const small = room.enter(4)
  assert.equal(await isIn(small), false)
  clock.advance(500)
  assert.deepEqual(await large, { status: 'refused', cause: 'no room to read it came free in 1000 ms' })
  assert.equal(await isIn(small), true)
  assert.equal(clock.pending, 0)
  leave()
  assert.equal(await isIn(room.enter(6)), true)
})

test('only so many wait', async () => {
  const { room, clock } = stage(10, 2)
  const leave = await enter(room, 10)
  const waiting = [room.enter(1), room.enter(1)]
  assert.deepEqual(await room.enter(1), { status: 'refused', cause: '2 messages wait to be read, which is the most' })
  leave()
  for (const one of waiting) assert.equal(await isIn(one), true)
  assert.equal(clock.pending, 0)
})
