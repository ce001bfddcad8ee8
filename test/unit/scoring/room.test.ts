/** The room that messages take while they are scored: bounded, in order, and given back once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Room } from '../../../src/scoring/room.ts'

/** Has it been let in, now that everybody had a turn? */
async function isIn(entering: Promise<unknown>): Promise<boolean> {
  let inside = false
  void entering.then(() => { inside = true })
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  return inside
}

test('what fits goes in at once, the rest waits in its order', async () => {
  const room = new Room(10)
  const first = await room.enter(6)
  const second = room.enter(6)
  // Small enough, but not its turn: otherwise a large one would wait for ever.
  const third = room.enter(1)
  assert.deepEqual([await isIn(second), await isIn(third)], [false, false])
  first()
  assert.deepEqual([await isIn(second), await isIn(third)], [true, true])
})

test('what is larger than the room has all of it, alone', async () => {
  const room = new Room(10)
  const leave = await room.enter(1000)
  const other = room.enter(1)
  assert.equal(await isIn(other), false)
  leave()
  assert.equal(await isIn(other), true)
})

test('room is given back once, however often it is said', async () => {
  const room = new Room(10)
  const leave = await room.enter(10)
  leave()
  leave()
  await room.enter(10)
  assert.equal(await isIn(room.enter(1)), false)
})
