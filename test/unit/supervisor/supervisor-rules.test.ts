/** Rules that the supervisor reads for its workers. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Settings } from '../../../src/config/settings.ts'
import type { PackedRules } from '../../../src/scoring/packed-rules.ts'
import { TooMuch } from '../../../src/scoring/too-much.ts'
import { ShippedRulesUnread } from '../../../src/scoring/unread-rules.ts'
import { addressesOf, settle } from './fakes.ts'
import { at, running, setUp } from './staff.ts'

describe('rules', () => {
  const some = (name: string): PackedRules => ({ pieces: [Buffer.from(name)], problems: 0, passedOver: 0 })

  test('are read once for all workers, which start without waiting for them', async () => {
    const asked: Settings[] = []
    const reading = Promise.withResolvers<PackedRules>()
    const { supervisor, forked, settings, clock } = setUp(2, {}, { readRules: (wanted) => {
      asked.push(wanted)
      return reading.promise
    } })
    const started = supervisor.start()
    for (const worker of forked) worker.becomesReady()
    await started
    for (const worker of forked) assert.deepEqual(worker.sent, [{ type: 'start', settings, rulesFollow: true }])
    const rules = some('first')
    reading.resolve(rules)
    await settle()
    for (const worker of forked) assert.deepEqual(worker.lastSent, { type: 'rules', rules })
    at(forked, 1).dies()
    clock.advance(0)
    at(forked, 2).becomesReady()
    await settle()
    assert.deepEqual(at(forked, 2).sent, [{ type: 'start', settings, rulesFollow: true }, { type: 'rules', rules }])
    assert.deepEqual(asked, [settings])
  })

  test('are read again for a reload; where one worker cannot take it up, the others have their old ones back', async () => {
    const [first, second, third] = [some('first'), some('second'), some('third')]
    const readings = [first, second, third]
    const used: (PackedRules | undefined)[] = []
    const { supervisor, forked, settings, settled } = await running(2, { readRules: (_, inUse) => {
      used.push(inUse)
      return Promise.resolve(readings.shift() ?? some('none'))
    } })
    const next = { ...settings, hostname: 'new.example' }
    const reloaded = supervisor.reload(next)
    await settle()
    for (const worker of forked) {
      assert.deepEqual(worker.lastSent, { type: 'reload', settings: next, rules: second })
      worker.says({ type: 'reloaded', addresses: addressesOf(25) })
    }
    await reloaded
    const failing = supervisor.reload({ ...settings, hostname: 'bad.example' })
    await settle()
    assert.deepEqual(at(forked, 1).lastSent, { type: 'reload', settings: { ...settings, hostname: 'bad.example' }, rules: third })
    at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
    at(forked, 1).says({ type: 'reload-failed', exitCode: 75, message: 'bind EADDRINUSE' })
    await settle()
    assert.deepEqual(at(forked, 0).lastSent, { type: 'reload', settings: next, rules: second })
    at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
    await assert.rejects(failing, /EADDRINUSE/)
    // Whoever reads is told which are in use: never those of a reload that was not taken up.
    const again = supervisor.reload(next)
    await settle()
    for (const worker of forked) worker.says({ type: 'reloaded', addresses: addressesOf(25) })
    await again
    assert.deepEqual(used, [undefined, first, second, second])
    // And hears whether the settings that it read for are in force.
    assert.deepEqual(settled, [true, true, false, true])
  })

  test('that were read instead of the wanted ones: who goes back takes them as they are, and reads for itself what it had read for itself', async () => {
    const instead: PackedRules = { ...some('shipped'), instead: true }
    for (const first of [undefined, instead]) {
      const readings = [() => first === undefined ? Promise.reject(new Error('out of luck')) : Promise.resolve(first), () => Promise.resolve(instead), () => Promise.resolve(some('third'))]
      const { supervisor, forked, settings } = await running(2, { readRules: () => readings.shift()?.() })
      const reloaded = supervisor.reload({ ...settings })
      await settle()
      for (const worker of forked) {
        assert.deepEqual(worker.lastSent, { type: 'reload', settings, rules: instead })
        worker.says({ type: 'reloaded', addresses: addressesOf(25) })
      }
      await reloaded
      const failing = supervisor.reload({ ...settings, hostname: 'bad.example' })
      await settle()
      at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
      at(forked, 1).says({ type: 'reload-failed', exitCode: 75, message: 'bind EADDRINUSE' })
      await settle()
      assert.deepEqual(at(forked, 0).lastSent, { type: 'reload', settings, ...(first !== undefined && { rules: some('shipped') }) })
      at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
      await assert.rejects(failing, /EADDRINUSE/)
    }
  })

  test('a reload waits for those of the start, so that none comes after newer ones', async () => {
    const reading = Promise.withResolvers<PackedRules>()
    const [first, second] = [some('first'), some('second')]
    const readings = [reading.promise, Promise.resolve(second)]
    const { supervisor, forked, settings } = await running(1, { readRules: () => readings.shift() })
    const reloaded = supervisor.reload({ ...settings })
    await settle()
    assert.equal(at(forked, 0).lastSent?.type, 'start')
    reading.resolve(first)
    await settle()
    assert.deepEqual(at(forked, 0).sent.slice(1), [{ type: 'rules', rules: first }, { type: 'reload', settings, rules: second }])
    at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
    await reloaded
  })

  test('that can be had only later are given to all workers, and to those that start', async () => {
    const { supervisor, forked, settings, late, settled, clock } = await running(2, { readRules: () => Promise.resolve({ ...some('shipped'), instead: true }) })
    await settle()
    const rules = some('late')
    const taken = late(rules)
    for (const worker of forked) {
      await settle()
      // Mail flows at those whose turn it is not.
      assert.deepEqual(forked.filter(({ lastSent }) => lastSent?.type === 'reload').at(-1), worker)
      assert.deepEqual(worker.lastSent, { type: 'reload', settings, rules })
      worker.says({ type: 'reloaded', addresses: addressesOf(25) })
    }
    await taken
    at(forked, 1).dies()
    clock.advance(0)
    at(forked, 2).becomesReady()
    await settle()
    assert.deepEqual(at(forked, 2).lastSent, { type: 'rules', rules })
    assert.deepEqual(supervisor.addresses(), addressesOf(25))
    assert.deepEqual(settled, [true], 'nothing was read for other settings')
  })

  test('that come late while a reload is under way are those of before, and nobody takes them', async () => {
    const { supervisor, forked, settings, late } = await running(1, { readRules: () => Promise.resolve(some('shipped')) })
    const next = { ...settings, hostname: 'new.example' }
    const reloaded = supervisor.reload(next)
    const taken = late(some('late'))
    await settle()
    at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
    await Promise.all([reloaded, taken])
    await settle()
    assert.deepEqual(at(forked, 0).sent.filter(({ type }) => type === 'reload'), [{ type: 'reload', settings: next, rules: some('shipped') }])
  })

  test('that come late during a start are given to a worker that is ready only then', async () => {
    const { supervisor, forked, settings, late } = setUp(2, {}, { readRules: () => Promise.resolve(some('shipped')) })
    const started = supervisor.start()
    at(forked, 0).becomesReady()
    at(forked, 1).says({ type: 'up' })
    await settle()
    const taken = late(some('late'))
    await settle()
    at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
    await taken
    at(forked, 1).says({ type: 'ready', addresses: addressesOf(25) })
    await started
    await settle()
    assert.deepEqual(at(forked, 1).lastSent, { type: 'reload', settings, rules: some('late') })
  })

  test('that come late to one that stops are taken by nobody', async () => {
    const { supervisor, forked, late } = await running(1, { readRules: () => Promise.resolve(some('shipped')) })
    await settle()
    void supervisor.stop()
    await late(some('late'))
    assert.deepEqual(at(forked, 0).sent.filter(({ type }) => type === 'reload'), [])
  })

  test('that come late and that a worker cannot take up: the others have their old ones back, and whoever gives them hears of it', async () => {
    const first = some('first')
    const { forked, settings, late } = await running(2, { readRules: () => Promise.resolve(first) })
    await settle()
    const taken = assert.rejects(late(some('late')), /out of luck/)
    await settle()
    at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
    await settle()
    at(forked, 1).says({ type: 'reload-failed', exitCode: 75, message: 'out of luck' })
    await settle()
    assert.deepEqual(at(forked, 0).lastSent, { type: 'reload', settings, rules: first })
    at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
    await taken
  })

  test('that come late and that a worker dies of are not given to the next one', async () => {
    const { forked, settings, late } = await running(3, { readRules: () => Promise.resolve(some('first')) })
    await settle()
    const taken = assert.rejects(late(some('late')), /a worker ended while it took them up/)
    await settle()
    at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
    await settle()
    at(forked, 1).dies()
    await settle()
    assert.deepEqual(at(forked, 0).lastSent, { type: 'reload', settings, rules: some('first') })
    at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
    await taken
    assert.equal(at(forked, 2).sent.filter(({ type }) => type === 'reload').length, 0)
  })

  test('that come late are not given to workers of one that stops meanwhile', async () => {
    const { supervisor, forked, late } = await running(2, { readRules: () => Promise.resolve(some('first')) })
    await settle()
    const taken = late(some('late'))
    await settle()
    void supervisor.stop()
    at(forked, 0).dies({ code: 0 })
    await taken
    assert.equal(at(forked, 1).sent.filter(({ type }) => type === 'reload').length, 0)
  })

  test('that cannot be read are an error in the log, and workers hear that there are none', async () => {
    const { forked, lines } = await running(1, { readRules: () => Promise.reject(new Error('out of luck')) })
    await settle()
    assert.deepEqual(at(forked, 0).lastSent, { type: 'rules', rules: undefined })
    assert.deepEqual(lines.filter(({ level }) => level === 'error').map(({ text }) => text), ['rules could not be read for the workers'])
    // Where nothing is wrong with Postern itself, its stack is of no use.
    for (const error of [new ShippedRulesUnread('a disk that fails'), new TooMuch('a machine with too much to do', { mayPass: true })]) {
      const { lines: told } = await running(1, { readRules: () => Promise.reject(error) })
      await settle()
      assert.deepEqual(told.filter(({ level }) => level === 'error').map(({ facts }) => facts), [{ cause: error.message }])
    }
  })
})
