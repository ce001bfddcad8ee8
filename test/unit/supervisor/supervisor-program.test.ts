/** The supervisor while somebody writes another program into its folder. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExitError } from '../../../src/cli/exit-codes.ts'
import { addressesOf, settle } from './fakes.ts'
import { at, running, setUp } from './staff.ts'

async function withProgram(workers: number): Promise<Awaited<ReturnType<typeof running>> & { program: { asStarted: boolean; remembered: number }; failures: ExitError[] }> {
  const program = {
    asStarted: true,
    remembered: 0,
    remember: () => {
      program.remembered++
    },
    isAsStarted: () => program.asStarted,
  }
  const parts = await running(workers, { program })
  const failures: ExitError[] = []
  parts.supervisor.onFailure((why) => failures.push(why))
  return { ...parts, program, failures }
}

test('a worker that dies is not replaced by one of another program, and is when that is as it was', async () => {
  const { forked, clock, program, failures } = await withProgram(2)
  assert.equal(program.remembered, 1)
  program.asStarted = false
  at(forked, 0).dies()
  clock.advance(10 * 60_000)
  assert.equal(forked.length, 2)
  program.asStarted = true
  clock.advance(30_000)
  assert.equal(forked.length, 3)
  at(forked, 2).becomesReady()
  assert.deepEqual(failures, [])
  assert.deepEqual(at(forked, 1).signals, [])
})

test('one that has loaded while files were written gets no settings, and is ended', async () => {
  const { forked, clock, program } = await withProgram(2)
  at(forked, 0).dies()
  clock.advance(0)
  program.asStarted = false
  at(forked, 2).says({ type: 'up' })
  assert.deepEqual(at(forked, 2).sent, [])
  assert.deepEqual(at(forked, 2).signals, ['SIGKILL'])
  at(forked, 2).dies()
  clock.advance(120_000)
  assert.equal(forked.length, 3)
})

test('the first ones have loaded what was started, also where files are written while they start', async () => {
  const { supervisor, forked } = setUp(2, {}, { program: { remember: () => undefined, isAsStarted: () => false } })
  const started = supervisor.start()
  for (const worker of forked) worker.becomesReady()
  await started
  assert.deepEqual(forked.map(({ sent, signals }) => [sent.map(({ type }) => type), signals]), [[['start'], []], [['start'], []]])
})

test('where none is left it waits for half a minute, and then a new start is worth a try', async () => {
  const { forked, clock, program, failures } = await withProgram(2)
  program.asStarted = false
  at(forked, 0).dies()
  clock.advance(300_000)
  at(forked, 1).dies()
  clock.advance(29_999)
  assert.equal(failures.length, 0)
  clock.advance(31_000)
  assert.equal(forked.length, 2)
  assert.deepEqual(failures.map(({ exitCode }) => exitCode), [75])
  assert.match(failures.map(({ message }) => message).join(), /^no worker is left.*restart Postern/)
})

test('an installation that is over by then costs a few seconds', async () => {
  const { forked, clock, program, failures } = await withProgram(1)
  program.asStarted = false
  at(forked, 0).dies()
  clock.advance(12_000)
  program.asStarted = true
  clock.advance(5000)
  assert.equal(forked.length, 2)
  at(forked, 1).becomesReady()
  // The next time it is counted anew.
  program.asStarted = false
  at(forked, 1).dies()
  clock.advance(25_000)
  assert.deepEqual(failures, [])
})

test('nothing is started after a stop', async () => {
  const { supervisor, forked, clock, program, failures } = await withProgram(1)
  program.asStarted = false
  at(forked, 0).dies()
  clock.advance(1000)
  await supervisor.stop()
  program.asStarted = true
  clock.advance(120_000)
  assert.equal(forked.length, 1)
  assert.deepEqual(failures, [])
})

test('nothing is reloaded, and rules that come late are not taken: who has read them runs other code', async () => {
  const { supervisor, forked, late, settings, settled, program } = await withProgram(1)
  program.asStarted = false
  const sent = at(forked, 0).sent.length
  const refused = (error: unknown): boolean => error instanceof ExitError && error.exitCode === 75 && /restart Postern/.test(error.message)
  await assert.rejects(supervisor.reload({ ...settings, hostname: 'new.example' }), refused)
  await assert.rejects(late({ pieces: [], problems: 0, passedOver: 0 }), refused)
  assert.equal(at(forked, 0).sent.length, sent)
  assert.deepEqual(settled, [])
  program.asStarted = true
  const reloaded = supervisor.reload(settings)
  await settle()
  at(forked, 0).says({ type: 'reloaded', addresses: addressesOf(25) })
  await reloaded
})
