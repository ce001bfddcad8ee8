/** Workers whose event loop does not turn any more: played, and one of flesh and blood. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { start, until } from '../../support/process.ts'
import { settle } from './fakes.ts'
import { at, running } from './staff.ts'

describe('a worker that hangs', () => {
  const deaths = ({ lines }: Awaited<ReturnType<typeof running>>): string[] => lines.filter(({ level }) => level === 'error').map(({ text }) => text)

  test('is asked every ten seconds, killed after a minute of silence, and replaced', async () => {
    const one = await running(2)
    const { supervisor, forked, clock } = one
    clock.advance(60_000)
    assert.ok(at(forked, 0).pings >= 6)
    assert.equal(supervisor.answers(), true)
    at(forked, 0).hangs = true
    clock.advance(59_999)
    assert.deepEqual(at(forked, 0).signals, [])
    assert.equal(supervisor.answers(), false)
    clock.advance(10_001)
    assert.deepEqual(at(forked, 0).signals, ['SIGKILL'])
    assert.deepEqual(at(forked, 1).signals, [])
    // Killed, and not gone: nothing of it may be called well.
    clock.advance(100_000)
    assert.equal(supervisor.answers(), false)
    assert.deepEqual(at(forked, 0).signals, ['SIGKILL'])
    at(forked, 0).dies()
    clock.advance(0)
    at(forked, 2).becomesReady()
    assert.equal(supervisor.answers(), true)
    assert.deepEqual(deaths(one), ['worker does not answer and is killed', 'worker died and is replaced'])
    clock.advance(1_000_000)
    assert.equal(forked.length, 3)
  })

  test('that answers in the end is left alone', async () => {
    const one = await running(1)
    at(one.forked, 0).hangs = true
    one.clock.advance(50_000)
    assert.equal(one.supervisor.answers(), false)
    at(one.forked, 0).says({ type: 'pong' })
    assert.equal(one.supervisor.answers(), true)
    one.clock.advance(50_000)
    at(one.forked, 0).says({ type: 'pong' })
    one.clock.advance(50_000)
    assert.deepEqual(deaths(one), [])
  })

  test('for as long as the supervisor itself stood still is not to blame', async () => {
    const { forked, clock } = await running(1)
    at(forked, 0).hangs = true
    // Nothing ran for an hour: one timer falls due, not hundreds.
    clock.jump(3_600_000)
    clock.advance(0)
    assert.deepEqual(at(forked, 0).signals, [])
  })

  test('in the middle of its stop is the deadline\'s business', async () => {
    const { supervisor, forked, clock, settings } = await running(1)
    at(forked, 0).hangs = true
    clock.advance(40_000)
    const stopped = supervisor.stop()
    clock.advance(settings.timeouts.stopMs + 4999)
    assert.deepEqual(at(forked, 0).signals, [])
    clock.advance(1)
    assert.deepEqual(at(forked, 0).signals, ['SIGKILL'])
    at(forked, 0).dies()
    await stopped
  })

  test('at its start, or in a reload, is not called well once it was killed for that', async () => {
    const { supervisor, forked, clock, settings } = await running(1)
    const reloaded = supervisor.reload({ ...settings, workers: 2 })
    await settle()
    clock.advance(60_000)
    assert.deepEqual(at(forked, 0).signals, ['SIGKILL'])
    assert.equal(supervisor.answers(), false)
    at(forked, 0).dies()
    await reloaded
    assert.equal(supervisor.answers(), true)
    clock.advance(60_000)
    assert.deepEqual(at(forked, 1).signals, ['SIGKILL'])
    assert.equal(supervisor.answers(), false)
    at(forked, 1).dies()
  })
})

test('over the real channel: workers that run are left alone, one in an endless loop is replaced', async (t) => {
  const supervisor = start([process.execPath, join(import.meta.dirname, '../../support/quick-supervisor.ts')])
  t.after(() => supervisor.stop())
  const ready = (): number[] => [...supervisor.output().matchAll(/^ready (\d+)$/gm)].map((line) => Number(line[1]))
  const detail = (): string => supervisor.output()
  await until('two workers', () => ready().length === 2, { detail })
  const [victim, other] = ready()
  assert.ok(victim !== undefined && other !== undefined)
  process.kill(victim, 'SIGUSR2')
  await until('a third one', () => ready().length === 3, { detail })
  assert.match(supervisor.output(), new RegExp(`^error worker does not answer and is killed {"worker":${victim},"waitedMs":60000}$`, 'm'))
  assert.doesNotMatch(supervisor.output(), new RegExp(`killed .*${other}`))
  assert.throws(() => process.kill(victim, 0), { code: 'ESRCH' })
})
