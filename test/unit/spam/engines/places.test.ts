import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Places } from '../../../../src/spam/engines/places.ts'

const never = (): AbortSignal => new AbortController().signal

test('so many at a time, so many that wait, the rest not at all', async () => {
  const places = new Places({ running: 2, waiting: 2 })
  assert.deepEqual([await places.enter(never()), await places.enter(never())], ['in', 'in'])
  const order: string[] = []
  const third = places.enter(never()).then((entered) => order.push(`third ${entered}`))
  const fourth = places.enter(never()).then((entered) => order.push(`fourth ${entered}`))
  assert.equal(await places.enter(never()), 'full')
  assert.deepEqual([places.running, places.waiting], [2, 2])
  places.leave()
  await third
  places.leave()
  await fourth
  assert.deepEqual(order, ['third in', 'fourth in'])
  places.leave()
  places.leave()
  assert.deepEqual([places.running, places.waiting], [0, 0])
})

test('whoever gives up waiting leaves no hole', async () => {
  const places = new Places({ running: 1, waiting: 1 })
  await places.enter(never())
  const controller = new AbortController()
  const waiting = places.enter(controller.signal)
  controller.abort()
  assert.equal(await waiting, 'gone')
  assert.equal(await places.enter(controller.signal), 'gone')
  assert.equal(places.waiting, 0)
  places.leave()
  assert.equal(places.running, 0)
  assert.equal(await places.enter(never()), 'in')
})
