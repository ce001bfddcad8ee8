/** Rules that a supervisor gives, and what its worker does where it gives none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GivenRules, WorkerRules, type WorkerRulesParts } from '../../../src/scoring/given-rules.ts'
import type { PackedRules } from '../../../src/scoring/packed-rules.ts'
import { READING_MS } from '../../../src/scoring/rules-times.ts'
import { fakeLog } from '../supervisor/fakes.ts'

const SETTINGS = { shipped: true, paths: [], scores: new Map<string, number>(), spamassassin: [] }
const some = (name: string): PackedRules => ({ pieces: [Buffer.from(name)], problems: 0, passedOver: 0 })
const OWN = some('own')

function stage(timeoutMs?: number) {
  const { log, lines } = fakeLog()
  const given = new GivenRules()
  const done: string[] = []
  const late: ((rules: PackedRules) => Promise<void>)[] = []
  const own: WorkerRulesParts['own'] = {
    read: (_, inUse) => Promise.resolve(inUse ?? OWN),
    onLate: (take) => void late.push(take),
    pass: () => void done.push('passes'),
    settle: (kept) => void done.push(kept ? 'kept' : 'refused'),
    close: () => void done.push('closed'),
  }
  return { given, rules: new WorkerRules({ log, given, own, ...(timeoutMs !== undefined && { timeoutMs }) }), texts: () => lines.map(({ level, text }) => `${level} ${text}`), done, late }
}

const ALONE = 'warn the supervisor gave no rules; this worker reads them itself'

test('what is expected is waited for, and then there for all who ask', async () => {
  const { given, rules, texts } = stage()
  given.expect()
  assert.equal(rules.underWay, true)
  const early = rules.read(SETTINGS)
  const first = some('first')
  given.give(first)
  assert.equal(await early, first)
  assert.equal(await rules.read(SETTINGS), first)
  assert.deepEqual(texts(), [])
})

test('a reload brings others; where it fails, the old ones hold again', async () => {
  const { given, rules } = stage()
  const [first, second, third] = [some('first'), some('second'), some('third')]
  given.give(first)
  given.give(second)
  assert.equal(await rules.read(SETTINGS), second)
  const takeBack = given.give(third)
  assert.equal(await rules.read(SETTINGS), third)
  takeBack()
  assert.equal(await rules.read(SETTINGS), second)
})

test('where nothing is to come, the worker reads for itself and has nothing to say about it', async () => {
  const { given, rules, texts } = stage()
  assert.equal(rules.underWay, false)
  assert.equal(await rules.read(SETTINGS), OWN)
  given.give(some('first'))
  given.give(undefined)
  assert.equal(await rules.read(SETTINGS), OWN)
  assert.deepEqual(texts(), [])
})

test('where they do not come, the worker reads for itself and says so', async (t) => {
  for (const fail of [(given: GivenRules) => void given.give(undefined), (given: GivenRules) => given.abandon()]) {
    const { given, rules, texts } = stage()
    given.expect()
    const read = rules.read(SETTINGS)
    fail(given)
    assert.equal(await read, OWN)
    assert.deepEqual(texts(), [ALONE])
  }
  const { given, rules, texts } = stage(1)
  given.expect()
  const busy = setInterval(() => undefined, 1000)
  t.after(() => clearInterval(busy))
  assert.equal(await rules.read(SETTINGS), OWN)
  assert.deepEqual(texts(), [ALONE])
})

test('a supervisor has all the time that reading may take it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { given, rules, texts } = stage()
  given.expect()
  const read = rules.read(SETTINGS)
  t.mock.timers.tick(READING_MS)
  const late = some('late')
  given.give(late)
  assert.equal(await read, late)
  assert.deepEqual(texts(), [])
})

test('a worker that reads for itself says which rules are in use', async () => {
  const { rules } = stage()
  const inUse = some('in use')
  assert.equal(await rules.read(SETTINGS, inUse), inUse)
})

test('its end ends its own reading too', () => {
  const { rules, done } = stage()
  rules.close()
  assert.deepEqual(done, ['closed'])
})

test('rules that were given instead of those that are wanted are better than none, and no better than those in use', async () => {
  const { given, rules, texts } = stage()
  const instead: PackedRules = { ...some('shipped'), instead: true }
  given.give(instead)
  assert.equal(await rules.read(SETTINGS), instead)
  assert.deepEqual(texts(), [])
  const inUse = some('in use')
  assert.equal(await rules.read(SETTINGS, inUse), inUse)
  assert.deepEqual(texts(), ['warn the supervisor could not read the rules anew; this worker keeps those in use'])
})

test('what it tries by itself ends where the supervisor gives some again', async () => {
  const { given, rules, done, late } = stage()
  const taken: PackedRules[] = []
  rules.onLate((some) => Promise.resolve(void taken.push(some)))
  await rules.read(SETTINGS)
  assert.deepEqual(done, [])
  await late[0]?.(OWN)
  assert.deepEqual(taken, [OWN])
  given.give(some('first'))
  await rules.read(SETTINGS, OWN)
  assert.deepEqual(done, ['passes'])
})
