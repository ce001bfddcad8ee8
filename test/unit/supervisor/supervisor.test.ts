/** The supervisor with workers that the test plays and a clock that it moves. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ExitError } from '../../../src/cli/exit-codes.ts'
import { addressesOf, settle } from './fakes.ts'
import { at, running, setUp } from './staff.ts'

describe('start', () => {
  test('workers get their settings when they are up; it is over when all listen', async () => {
    const { supervisor, forked, settings } = setUp(2)
    let over = false
    const started = supervisor.start().then(() => (over = true))
    assert.equal(forked.length, 2)
    at(forked, 0).says({ type: 'up' })
    assert.deepEqual(at(forked, 0).sent, [{ type: 'start', settings }])
    assert.deepEqual(at(forked, 1).sent, [])
    at(forked, 0).says({ type: 'ready', addresses: addressesOf(2525) })
    await settle()
    assert.equal(over, false)
    at(forked, 1).becomesReady(2525)
    await started
    assert.deepEqual(supervisor.addresses(), addressesOf(2525))
  })

  test('when every worker fails, it ends with the first reason and its exit code, and starts no more', async () => {
    const { supervisor, forked, clock } = setUp(2)
    const started = supervisor.start()
    at(forked, 1).says({ type: 'failed', exitCode: 77, message: 'bind EACCES 0.0.0.0:25' })
    at(forked, 1).dies({ code: 77 })
    at(forked, 0).says({ type: 'failed', exitCode: 75, message: 'bind EADDRINUSE' })
    at(forked, 0).dies({ code: 75 })
    await assert.rejects(started, (error) => error instanceof ExitError && error.exitCode === 77 && error.message === 'bind EACCES 0.0.0.0:25')
    clock.advance(120_000)
    assert.equal(forked.length, 2)
  })

  test('a worker that crashes without a word at its start is a bug: 70', async () => {
    const { supervisor, forked } = setUp(1)
    const started = supervisor.start()
    at(forked, 0).dies({ signal: 'SIGSEGV' })
    await assert.rejects(started, (error) => error instanceof ExitError && error.exitCode === 70 && /SIGSEGV/.test(error.message))
  })

  test('when one of two fails, it goes on with the other and replaces the first', async () => {
    const { supervisor, forked, clock, lines } = setUp(2)
    const started = supervisor.start()
    at(forked, 0).dies({ code: 1 })
    at(forked, 1).becomesReady()
    await started
    clock.advance(0)
    assert.equal(forked.length, 3)
    assert.equal(lines.filter(({ text }) => text === 'worker died and is replaced').length, 1)
  })

  test('a worker that hangs at its start is killed', async () => {
    const { supervisor, forked, clock } = setUp(1)
    const started = supervisor.start()
    at(forked, 0).says({ type: 'up' })
    clock.advance(59_999)
    assert.deepEqual(at(forked, 0).signals, [])
    clock.advance(1)
    assert.deepEqual(at(forked, 0).signals, ['SIGKILL'])
    at(forked, 0).dies()
    await assert.rejects(started, /ended at its start by SIGKILL/)
  })

  test('a stop in the middle of a start ends both', async () => {
    const { supervisor, forked } = setUp(2)
    const started = supervisor.start()
    at(forked, 0).becomesReady()
    const stopped = supervisor.stop()
    for (const worker of forked) worker.dies({ code: 0 })
    await stopped
    await started
    assert.equal(forked.length, 2)
  })
})

describe('a worker that dies', () => {
  test('is replaced at once, and then with growing waits while it dies young', async () => {
    const { forked, clock, lines } = await running(1)
    const waits: number[] = []
    for (let i = 0; i < 8; i++) {
      at(forked, i).dies()
      let waited = 0
      clock.advance(0)
      while (forked.length === i + 1) {
        clock.advance(500)
        waited += 500
      }
      waits.push(waited)
      at(forked, i + 1).becomesReady()
    }
    assert.deepEqual(waits, [0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    const logged = lines.filter(({ text }) => text === 'worker died and is replaced')
    assert.deepEqual(logged.map(({ facts }) => facts['againInMs']), waits)
    assert.equal(logged[0]?.facts['signal'], 'SIGKILL')
  })

  test('starts with a clean slate after a long life', async () => {
    const { forked, clock } = await running(1)
    at(forked, 0).dies()
    clock.advance(0)
    at(forked, 1).becomesReady()
    clock.advance(30_000)
    at(forked, 1).dies({ code: 70 })
    clock.advance(0)
    assert.equal(forked.length, 3)
  })

  test('of its own accord, with code 0, is a warning', async () => {
    const { forked, lines, clock } = await running(1)
    at(forked, 0).dies({ code: 0 })
    assert.equal(lines.at(-1)?.level, 'warn')
    clock.advance(0)
    assert.equal(forked.length, 2)
  })
})

describe('reload', () => {
  test('every worker takes the new settings, and later ones start with them', async () => {
    const { supervisor, forked, settings, clock } = await running(2)
    const next = { ...settings, hostname: 'new.example' }
    const reloaded = supervisor.reload(next)
    await settle()
    for (const worker of forked) {
      assert.deepEqual(worker.lastSent, { type: 'reload', settings: next })
      worker.says({ type: 'reloaded', addresses: addressesOf(2526) })
    }
    await reloaded
    assert.deepEqual(supervisor.addresses(), addressesOf(2526))
    at(forked, 0).dies()
    clock.advance(0)
    at(forked, 2).says({ type: 'up' })
    assert.deepEqual(at(forked, 2).lastSent, { type: 'start', settings: next })
  })

  test('when one cannot, all go back and the reason is told', async () => {
    const { supervisor, forked, settings } = await running(2)
    const next = { ...settings, hostname: 'new.example' }
    const reloaded = supervisor.reload(next)
    await settle()
    at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(9) })
    at(forked, 1).says({ type: 'reload-failed', exitCode: 75, message: 'bind EADDRINUSE' })
    await settle()
    assert.deepEqual(at(forked, 0).lastSent, { type: 'reload', settings })
    assert.equal(at(forked, 1).sent.length, 2)
    at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
    await assert.rejects(reloaded, /EADDRINUSE/)
    assert.deepEqual(supervisor.addresses(), addressesOf(25))
    assert.equal(forked.length, 2)
  })

  test('a worker that was starting meanwhile catches up', async () => {
    const { supervisor, forked, settings, clock } = await running(2)
    at(forked, 0).dies()
    clock.advance(0)
    at(forked, 2).says({ type: 'up' })
    const next = { ...settings, hostname: 'new.example' }
    const reloaded = supervisor.reload(next)
    await settle()
    // Ready with the old settings, in the middle of the reload.
    at(forked, 2).says({ type: 'ready', addresses: addressesOf(25) })
    at(forked, 1).says({ type: 'reloaded', addresses: addressesOf(25) })
    await reloaded
    await settle()
    assert.deepEqual(at(forked, 2).lastSent, { type: 'reload', settings: next })
    assert.equal(at(forked, 1).sent.filter(({ type }) => type === 'reload').length, 1)
  })

  test('one that was told the old settings, and is ready after the reload, catches up too', async () => {
    const { supervisor, forked, settings, clock } = await running(2)
    at(forked, 0).dies()
    clock.advance(0)
    at(forked, 2).says({ type: 'up' })
    const next = { ...settings, hostname: 'new.example' }
    const reloaded = supervisor.reload(next)
    await settle()
    at(forked, 1).says({ type: 'reloaded', addresses: addressesOf(25) })
    await reloaded
    assert.equal(at(forked, 2).lastSent?.type, 'start')
    at(forked, 2).says({ type: 'ready', addresses: addressesOf(25) })
    await settle()
    assert.deepEqual(at(forked, 2).lastSent, { type: 'reload', settings: next })
  })

  test('a worker that hangs is killed, and does not hold up the others', async () => {
    const { supervisor, forked, settings, clock } = await running(2)
    const reloaded = supervisor.reload({ ...settings, hostname: 'new.example' })
    await settle()
    at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
    clock.advance(60_000)
    assert.deepEqual(at(forked, 1).signals, ['SIGKILL'])
    at(forked, 1).dies()
    await reloaded
  })

  test('a stop waits for the surplus ones too, and a kill reaches them', async () => {
    const { supervisor, forked, settings } = await running(2)
    const reloaded = supervisor.reload({ ...settings, workers: 1 })
    await settle()
    for (const worker of forked) worker.says({ type: 'reloaded', addresses: addressesOf(25) })
    await reloaded
    let stopped = false
    const stopping = supervisor.stop().then(() => (stopped = true))
    at(forked, 0).dies({ code: 0 })
    await settle()
    assert.equal(stopped, false)
    supervisor.kill()
    assert.deepEqual(at(forked, 1).signals, ['SIGKILL'])
    at(forked, 1).dies()
    await stopping
  })

  test('more workers are started, surplus ones are stopped and not replaced', async () => {
    const { supervisor, forked, settings, clock } = await running(1)
    const resize = async (workers: number): Promise<void> => {
      const reloaded = supervisor.reload({ ...settings, workers })
      await settle()
      for (const worker of forked) worker.says({ type: 'reloaded', addresses: addressesOf(25) })
      await reloaded
    }
    await resize(3)
    assert.equal(forked.length, 3)
    at(forked, 1).becomesReady()
    at(forked, 2).becomesReady()
    await settle()
    await resize(1)
    assert.equal(at(forked, 0).lastSent?.type, 'reload')
    assert.equal(at(forked, 1).lastSent?.type, 'stop')
    assert.equal(at(forked, 2).lastSent?.type, 'stop')
    at(forked, 1).dies({ code: 0 })
    clock.advance(1_000_000)
    // It did not stop in its time.
    assert.deepEqual(at(forked, 2).signals, ['SIGKILL'])
    at(forked, 2).dies()
    clock.advance(1_000_000)
    assert.equal(forked.length, 3)
  })
})

describe('stop', () => {
  test('tells every worker, waits for all, and replaces none', async () => {
    const { supervisor, forked, clock } = await running(2)
    let over = false
    const stopped = supervisor.stop().then(() => (over = true))
    for (const worker of forked) assert.deepEqual(worker.lastSent, { type: 'stop' })
    at(forked, 0).dies({ code: 0 })
    await settle()
    assert.equal(over, false)
    at(forked, 1).dies({ code: 0 })
    await stopped
    clock.advance(100_000)
    assert.equal(forked.length, 2)
    assert.equal(clock.pending, 0)
  })

  test('kills those that do not stop in their time and a little more', async () => {
    const { supervisor, forked, clock, settings } = await running(1)
    const stopped = supervisor.stop()
    clock.advance(settings.timeouts.stopMs + 4999)
    assert.deepEqual(at(forked, 0).signals, [])
    clock.advance(1)
    assert.deepEqual(at(forked, 0).signals, ['SIGKILL'])
    at(forked, 0).dies()
    await stopped
  })

  test('a worker that waits to be replaced is not started any more', async () => {
    const { supervisor, forked, clock } = await running(1)
    at(forked, 0).dies()
    await supervisor.stop()
    clock.advance(100_000)
    assert.equal(forked.length, 1)
  })

  test('kill ends them all at once', async () => {
    const { supervisor, forked } = await running(2)
    const stopped = supervisor.stop()
    supervisor.kill()
    for (const worker of forked) {
      assert.deepEqual(worker.signals, ['SIGKILL'])
      worker.dies()
    }
    await stopped
  })

  test('is not undone by the answer to a reload that was under way', async () => {
    const { supervisor, forked, settings, clock } = await running(1)
    const reloaded = supervisor.reload({ ...settings, workers: 2 })
    await settle()
    const stopped = supervisor.stop()
    at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
    await reloaded
    assert.equal(forked.length, 1)
    clock.advance(settings.timeouts.stopMs + 5000)
    assert.deepEqual(at(forked, 0).signals, ['SIGKILL'])
    at(forked, 0).dies()
    await stopped
  })
})
