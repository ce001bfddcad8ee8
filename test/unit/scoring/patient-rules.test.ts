/** Rules that cannot be had now, and can later: tried again, less and less often, and not for ever. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packRules, type PackedRules } from '../../../src/scoring/packed-rules.ts'
import { PatientRules, type PatientRulesParts } from '../../../src/scoring/patient-rules.ts'
import type { RulesRead } from '../../../src/scoring/rule-reader.ts'
import type { RulesReading } from '../../../src/scoring/rules-task.ts'
import { TooMuch } from '../../../src/scoring/too-much.ts'
import { NOWHERE } from '../../../src/config/problem.ts'
import { FakeClock, fakeLog, settle } from '../supervisor/fakes.ts'

const SETTINGS = { shipped: true, paths: ['/etc/site.yaml'], scores: new Map<string, number>(), spamassassin: [] }
const MINUTE = 60_000
const packed = (id: string): PackedRules => packRules({ rules: [{ id, score: 1, why: '', when: { kind: 'all', of: [] } }], problems: [], notes: [] })
const reading = (id: string, unread: RulesReading['unread'] = []): RulesReading => ({ packed: packed(id), rules: 1, problems: unread, notes: [], unread, proof: { digest: '', failures: [] }, cost: undefined })
const INSTEAD: PackedRules = { ...packed('SHIPPED'), instead: true }
const UNREAD = { ...NOWHERE, source: '/etc/site.yaml', key: '', problem: 'cannot be read: EIO', allowed: undefined, rule: undefined }

function stage(first: RulesRead, wanted: PatientRulesParts['reader']['wanted']) {
  const clock = new FakeClock()
  const { log, lines } = fakeLog()
  const taken: PackedRules[] = []
  const told: PackedRules[] = []
  const rules = new PatientRules({
    log, after: (ms, action) => clock.after(ms, action),
    reader: {
      read: () => Promise.resolve(first), wanted, close: () => undefined,
      told: (one) => {
        told.push(one.packed)
        return one.packed
      },
    },
  })
  rules.onLate((late) => {
    taken.push(late)
    return Promise.resolve()
  })
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await settle()
  }
  return { rules, lines, taken, told, pass }
}

test('what could not be had for want of time is tried again, with growing waits, and given when it is there', async () => {
  const asked: (PackedRules | undefined)[] = []
  const { rules, lines, taken, told, pass } = stage({ packed: INSTEAD, again: 'it took longer' }, (_, inUse) => {
    asked.push(inUse)
    return asked.length < 4 ? Promise.reject(new TooMuch('it took longer than 40000 ms', { mayPass: true, dearest: 'the dearest: BIG' })) : Promise.resolve(reading('ALL'))
  })
  assert.equal(await rules.read(SETTINGS), INSTEAD)
  rules.settle(true)
  const at: number[] = []
  for (let minute = 1; minute <= 20; minute++) {
    const before = asked.length
    await pass(MINUTE)
    if (asked.length > before) at.push(minute)
  }
  assert.deepEqual(at, [1, 3, 7, 15])
  // They may cost what they may cost at a start.
  assert.ok(asked.every((inUse) => inUse?.instead === true))
  assert.deepEqual(taken, [packed('ALL')])
  assert.deepEqual(told, taken)
  assert.deepEqual(lines.map(({ level, text }) => [level, text]), [
    ['warn', 'the rules of this site are read again later'],
    ...Array.from({ length: 3 }, () => ['warn', 'the rules of this site still cannot be read']),
    ['info', 'the rules of this site are in use at last'],
  ])
  assert.deepEqual(lines[1]?.facts, { cause: 'it took longer than 40000 ms', dearest: 'the dearest: BIG', tries: 1, againInMs: 2 * MINUTE })
})

test('it does not go on for ever', async () => {
  let tries = 0
  const { rules, lines, pass } = stage({ packed: INSTEAD, again: 'it was ended by SIGKILL' }, () => {
    tries++
    return Promise.reject(new TooMuch('it was ended by SIGKILL', { mayPass: true }))
  })
  await rules.read(SETTINGS)
  rules.settle(true)
  for (let minute = 0; minute < 3000; minute++) await pass(MINUTE)
  assert.equal(tries, 30)
  assert.deepEqual(Math.max(...lines.map(({ facts }) => Number(facts['againInMs'] ?? 0))), 60 * MINUTE)
  assert.deepEqual([lines.at(-1)?.level, lines.at(-1)?.text], ['error', 'the rules of this site still cannot be read, and it is not tried again; reload after mending them'])
})

test('what only somebody can mend is not tried, and a try that finds out so is the last', async () => {
  let tries = 0
  const refuse = (): Promise<never> => {
    tries++
    return Promise.reject(new TooMuch('ready for use they take more than 256 MB', { mayPass: false }))
  }
  const never = stage({ packed: INSTEAD, again: undefined }, refuse)
  await never.rules.read(SETTINGS)
  never.rules.settle(true)
  await never.pass(100 * MINUTE)
  assert.equal(tries, 0)
  assert.deepEqual(never.lines, [])
  const once = stage({ packed: INSTEAD, again: 'it took longer' }, refuse)
  await once.rules.read(SETTINGS)
  once.rules.settle(true)
  await once.pass(MINUTE)
  await once.pass(100 * MINUTE)
  assert.equal(tries, 1)
  assert.deepEqual(once.lines.slice(1).map(({ level, text }) => [level, text]), [['error', 'the rules of this site cannot be used; reload after mending them']])
})

test('files that the system cannot read: those that come back are used at once, and the others waited for', async () => {
  const answers = [reading('SOME', [UNREAD]), reading('MORE', [UNREAD]), reading('MORE', [UNREAD]), reading('ALL')]
  const { rules, lines, taken, pass } = stage({ packed: packed('SOME'), again: 'EIO' }, () => Promise.resolve(answers.shift() ?? reading('NONE')))
  await rules.read(SETTINGS)
  rules.settle(true)
  await pass(MINUTE)
  // The same as before: nobody is bothered.
  assert.deepEqual(taken, [])
  await pass(2 * MINUTE)
  // What was taken is not given once more.
  await pass(4 * MINUTE)
  assert.deepEqual(taken, [packed('MORE')])
  await pass(8 * MINUTE)
  assert.deepEqual(taken, [packed('MORE'), packed('ALL')])
  assert.deepEqual(lines.slice(1).map(({ text, facts }) => [text, facts['cause']]), [
    ...Array.from({ length: 3 }, () => ['the rules of this site still cannot be read', '/etc/site.yaml: cannot be read: EIO']),
    ['the rules of this site are in use at last', undefined],
  ])
  await pass(100 * MINUTE)
  assert.equal(taken.length, 2)
})

test('the next reading takes the place of all tries, and the end does; one that is under way then is for nobody', async () => {
  const open: ((found: RulesReading) => void)[] = []
  const { rules, lines, taken, pass } = stage({ packed: INSTEAD, again: 'it took longer' }, () => new Promise((resolve) => open.push(resolve)))
  await rules.read(SETTINGS)
  rules.settle(true)
  await pass(MINUTE)
  assert.equal(open.length, 1)
  await rules.read(SETTINGS)
  rules.settle(true)
  open[0]?.(reading('ALL'))
  await settle()
  assert.deepEqual(taken, [])
  await pass(MINUTE / 2)
  rules.close()
  await pass(100 * MINUTE)
  assert.equal(open.length, 1)
  assert.deepEqual(lines.map(({ text }) => text), ['the rules of this site are read again later', 'the rules of this site are read again later'])
})

test('who cannot take them is given them again later', async () => {
  const { rules, lines, pass } = stage({ packed: INSTEAD, again: 'it took longer' }, () => Promise.resolve(reading('ALL')))
  let times = 0
  rules.onLate(() => (times++ === 0 ? Promise.reject(new Error('a worker hangs')) : Promise.resolve()))
  await rules.read(SETTINGS)
  rules.settle(true)
  await pass(MINUTE)
  await pass(2 * MINUTE)
  assert.deepEqual(lines.slice(1).map(({ text, facts }) => [text, facts['cause']]), [['the rules of this site still cannot be read', 'a worker hangs'], ['the rules of this site are in use at last', undefined]])
})

test('a refused reload leaves the former tries as they were, and nothing is tried for it', async () => {
  const asked: unknown[] = []
  const { rules, lines, taken, pass } = stage({ packed: INSTEAD, again: 'it took longer' }, (settings) => {
    asked.push(settings)
    return asked.length < 3 ? Promise.reject(new TooMuch('it took longer', { mayPass: true })) : Promise.resolve(reading('ALL'))
  })
  await rules.read(SETTINGS)
  rules.settle(true)
  await pass(MINUTE)
  await rules.read({ ...SETTINGS, paths: ['/etc/other.yaml'] })
  await pass(100 * MINUTE)
  assert.equal(asked.length, 1, 'nothing is tried before it is known which settings are in force')
  rules.settle(false)
  await pass(2 * MINUTE)
  await pass(4 * MINUTE)
  assert.deepEqual(asked, [SETTINGS, SETTINGS, SETTINGS])
  assert.deepEqual(taken, [packed('ALL')])
  await pass(100 * MINUTE)
  rules.settle(false)
  await pass(100 * MINUTE)
  assert.equal(asked.length, 3, 'what is done is not begun anew')
  assert.deepEqual(lines.map(({ text }) => text), ['the rules of this site are read again later', 'the rules of this site still cannot be read', 'the rules of this site still cannot be read', 'the rules of this site are in use at last'])
})

test('settings that are kept and want no rules, or have those of others, end the tries; refused they do not', async () => {
  for (const kept of [true, false]) {
    let tries = 0
    const { rules, pass } = stage({ packed: INSTEAD, again: 'it took longer' }, () => {
      tries++
      return Promise.resolve(reading('ALL'))
    })
    await rules.read(SETTINGS)
    rules.settle(true)
    rules.pass()
    rules.settle(kept)
    await pass(100 * MINUTE)
    assert.equal(tries, kept ? 0 : 1)
  }
})

test('a try that was under way when a reload was refused is for nobody, and is made again', async () => {
  const open: ((found: RulesReading) => void)[] = []
  const { rules, taken, pass } = stage({ packed: INSTEAD, again: 'it took longer' }, () => new Promise((resolve) => open.push(resolve)))
  await rules.read(SETTINGS)
  rules.settle(true)
  await pass(MINUTE)
  await rules.read({ ...SETTINGS, paths: [] })
  open[0]?.(reading('LATE'))
  await settle()
  rules.settle(false)
  assert.deepEqual(taken, [])
  await pass(MINUTE)
  open[1]?.(reading('ALL'))
  await settle()
  assert.deepEqual(taken, [packed('ALL')])
})

test('files that can be read at last and are wrong are told as such', async () => {
  const wrong = { ...UNREAD, problem: 'why: is too short' }
  const { rules, lines, taken, told, pass } = stage({ packed: packed('SOME'), again: 'EIO' }, () => Promise.resolve({ ...reading('SOME'), problems: [wrong] }))
  await rules.read(SETTINGS)
  rules.settle(true)
  await pass(MINUTE)
  assert.deepEqual([told.length, taken.length], [1, 0])
  assert.deepEqual([lines.at(-1)?.level, lines.at(-1)?.text, lines.at(-1)?.facts], ['warn', 'the rules of this site are read at last, but not all of them can be used', { tries: 1, problems: 1 }])
})

test('rules that are being taken when others are read, or at the end, are not called in use; who cannot take them then is not told either', async () => {
  for (const [end, late] of [['read', 'taken'], ['read', 'refused'], ['close', 'taken'], ['close', 'refused']] as const) {
    const { rules, lines, pass } = stage({ packed: INSTEAD, again: 'it took longer' }, () => Promise.resolve(reading('ALL')))
    const taking = Promise.withResolvers<undefined>()
    rules.onLate(() => taking.promise)
    await rules.read(SETTINGS)
    rules.settle(true)
    await pass(MINUTE)
    if (end === 'close') rules.close()
    else await rules.read(SETTINGS)
    if (late === 'taken') taking.resolve(undefined)
    else taking.reject(new Error('a worker hangs'))
    await settle()
    await pass(100 * MINUTE)
    assert.deepEqual(lines.map(({ text }) => text), ['the rules of this site are read again later'], `${end} ${late}`)
  }
})

test('of two readings the later one counts, whichever ends first', async () => {
  const open: ((found: RulesRead) => void)[] = []
  const { log, lines } = fakeLog()
  const rules = new PatientRules({
    log, after: () => () => undefined,
    reader: { read: () => new Promise((resolve) => open.push(resolve)), wanted: () => Promise.resolve(reading('ALL')), told: (one) => one.packed, close: () => undefined },
  })
  const both = [rules.read(SETTINGS), rules.read(SETTINGS)]
  open[1]?.({ packed: packed('ALL'), again: undefined })
  await settle()
  open[0]?.({ packed: INSTEAD, again: 'it took longer' })
  await Promise.all(both)
  rules.settle(true)
  assert.deepEqual(lines, [])
})
