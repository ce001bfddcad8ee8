/** Leases: one holder, until it runs out or was taken by a clock that was wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase } from '../../../src/state/database.ts'
import { Lease } from '../../../src/state/lease.ts'
import { temporaryDirectory } from '../../support/process.ts'

const NOW = Date.UTC(2026, 10, 21)
const FOR_MS = 300_000
const YEAR_MS = 365 * 86_400_000

test('one holds it, and another from when it has run out or was dropped', (t) => {
  const database = openDatabase(temporaryDirectory('lease'))
  t.after(() => database.close())
  const [one, other] = ['one', 'other'].map((holder) => new Lease(database, { name: 'chore', holder }))
  assert.ok(one !== undefined && other !== undefined)
  assert.equal(one.hold({ now: NOW, forMs: FOR_MS }), true)
  assert.equal(other.hold({ now: NOW + FOR_MS - 1, forMs: FOR_MS }), false)
  assert.equal(one.hold({ now: NOW + FOR_MS - 1, forMs: FOR_MS }), true)
  assert.equal(other.hold({ now: NOW + FOR_MS, forMs: FOR_MS }), false)
  assert.equal(other.hold({ now: NOW + 2 * FOR_MS, forMs: FOR_MS }), true)
  // Who read his clock before he waited for the database takes it from nobody.
  assert.equal(one.hold({ now: NOW + 2 * FOR_MS - 60_000, forMs: FOR_MS }), false)
  other.drop()
  assert.equal(one.hold({ now: NOW + 2 * FOR_MS, forMs: FOR_MS }), true)
})

test('a lease that was taken while the clock was ahead is no lease', (t) => {
  const database = openDatabase(temporaryDirectory('lease'))
  t.after(() => database.close())
  const [one, other] = ['one', 'other'].map((holder) => new Lease(database, { name: 'chore', holder }))
  assert.ok(one !== undefined && other !== undefined)
  assert.equal(one.hold({ now: NOW + 10 * YEAR_MS, forMs: FOR_MS }), true)
  assert.equal(other.hold({ now: NOW, forMs: FOR_MS }), true)
  assert.equal(one.hold({ now: NOW, forMs: FOR_MS }), false)
})
