/** When tokens that nobody has learnt for long may go, and when so many of them are a clock's mistake. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expiryHeldOn, Worths } from '../../../src/state/token-worth.ts'

const DAY = 20_000

test('more than half of many is held back; half of them, and most of few, may go', () => {
  const held = (all: number, going: number): number | undefined => expiryHeldOn({ all, going, day: DAY, heldOn: undefined })
  assert.deepEqual([held(1000, 500), held(1000, 501), held(1000, 1000)], [undefined, DAY, DAY])
  assert.deepEqual([held(999, 999), held(0, 0)], [undefined, undefined])
})

test('it is held back until the clock has said so for two days, and anew where it says so after a long time, or of a day before', () => {
  const held = (heldOn: number): number | undefined => expiryHeldOn({ all: 2000, going: 2000, day: DAY, heldOn })
  assert.deepEqual([held(DAY), held(DAY - 1), held(DAY - 2)], [DAY, DAY - 1, undefined])
  assert.deepEqual([held(DAY - 60), held(DAY - 61), held(DAY + 1)], [undefined, DAY, DAY])
  // The clock came back: it is held back no more.
  assert.equal(expiryHeldOn({ all: 2000, going: 1000, day: DAY, heldOn: DAY - 1 }), undefined)
})

test('what was seen often outlasts what was seen once, by days for each doubling', () => {
  const rows = [{ key: 1, count: 1, day: DAY }, { key: 2, count: 2, day: DAY - 119 }, { key: 3, count: 1, day: DAY - 1 }, { key: 4, count: 256, day: DAY - 900 }]
  const worths = new Worths()
  for (const row of rows) worths.add(row)
  // A tenth is removed beyond the bound, so that of four two stay where two and a half may.
  const unwanted = worths.unwanted(2.5, 1)
  assert.deepEqual(rows.filter(unwanted).map(({ key }) => key), [1, 3])
  assert.deepEqual(rows.filter(worths.unwanted(100, 1)), [])
})
