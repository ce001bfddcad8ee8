import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gate, type Entry } from '../../../src/dns/gate.ts'
import { ManualClock } from './manual-clock.ts'

test('so many get in, the next wait in order, the rest are turned away', async () => {
  const clock = new ManualClock()
  const gate = new Gate({ inFlight: 2, waiting: 2 }, clock)
  const deadline = clock.nowMs() + 1000
  assert.deepEqual(await Promise.all([gate.enter(deadline), gate.enter(deadline)]), [{ status: 'in' }, { status: 'in' }])
  const order: string[] = []
  const note = (who: string) => (entry: Entry): void => void order.push(`${who} ${entry.status}`)
  const first = gate.enter(deadline).then(note('first'))
  const second = gate.enter(deadline).then(note('second'))
  const turnedAway = await gate.enter(deadline)
  assert.ok(turnedAway.status === 'out')
  assert.match(turnedAway.cause, /2 look-ups are in flight and 2 wait/)
  gate.leave()
  await first
  gate.leave()
  await second
  assert.deepEqual(order, ['first in', 'second in'])
  // Both places are taken still.
  const third = gate.enter(deadline).then(note('third'))
  await Promise.resolve()
  assert.equal(order.length, 2)
  gate.leave()
  await third
  assert.equal(clock.pending, 0, 'no timer stays behind')
  gate.leave()
  gate.leave()
  assert.equal((await gate.enter(deadline)).status, 'in')
})

test('whoever waits goes at the deadline, and its place is free for others', async () => {
  const clock = new ManualClock()
  const gate = new Gate({ inFlight: 1, waiting: 1 }, clock)
  await gate.enter(clock.nowMs() + 1000)
  const late = gate.enter(clock.nowMs() + 1000)
  clock.advance(1000)
  const entry = await late
  assert.ok(entry.status === 'out')
  assert.match(entry.cause, /in time/)
  const next = gate.enter(clock.nowMs() + 1000)
  gate.leave()
  assert.equal((await next).status, 'in')
})

test('a closed gate lets nobody in, and sends away who waits', async () => {
  const clock = new ManualClock()
  const gate = new Gate({ inFlight: 1, waiting: 1 }, clock)
  await gate.enter(clock.nowMs() + 1000)
  const waiting = gate.enter(clock.nowMs() + 1000)
  gate.close('closed for the test')
  assert.deepEqual(await waiting, { status: 'out', cause: 'closed for the test' })
  assert.deepEqual(await gate.enter(clock.nowMs() + 1000), { status: 'out', cause: 'closed for the test' })
})
