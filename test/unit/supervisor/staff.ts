/** A supervisor whose workers the test plays, on a clock that it moves. */
import assert from 'node:assert/strict'
import type { Settings } from '../../../src/config/settings.ts'
import type { PackedRules } from '../../../src/scoring/packed-rules.ts'
import { Supervisor, type SupervisorParts } from '../../../src/supervisor.ts'
import { FakeClock, fakeLog, FakeWorker, someSettings } from './fakes.ts'

type Parts = Partial<Pick<SupervisorParts, 'readRules' | 'program'>>

/** `readRules`: where workers are to be given rules; `late` gives them some that could be had only later, `settled` is what became of each reading. */
export function setUp(workers: number, more: Partial<Settings> = {}, { readRules = () => undefined, program }: Parts = {}): {
  supervisor: Supervisor; late: (rules: PackedRules) => Promise<void>; settled: boolean[]; forked: FakeWorker[]; clock: FakeClock; lines: ReturnType<typeof fakeLog>['lines']; settings: Settings
} {
  const clock = new FakeClock()
  const { log, lines } = fakeLog()
  const forked: FakeWorker[] = []
  const settings = someSettings({ workers, ...more })
  const fork = (): FakeWorker => {
    const worker = new FakeWorker(100 + forked.length)
    forked.push(worker)
    return worker
  }
  let late = (rules: PackedRules): Promise<void> => Promise.reject(new Error(`nobody takes ${rules.pieces.length} pieces`))
  const settled: boolean[] = []
  const supervisor = new Supervisor(settings, { fork, clock, log, readRules, onLateRules: (take) => void (late = take), settleRules: (kept) => void settled.push(kept), ...(program !== undefined && { program }) })
  return { supervisor, late: (rules) => late(rules), settled, forked, clock, lines, settings }
}

export async function running(workers: number, more: Parts = {}): Promise<ReturnType<typeof setUp>> {
  const parts = setUp(workers, {}, more)
  const started = parts.supervisor.start()
  for (const worker of parts.forked) worker.becomesReady()
  await started
  return parts
}

export const at = (workers: readonly FakeWorker[], index: number): FakeWorker => {
  const worker = workers[index]
  assert.ok(worker !== undefined, `there is no worker ${index}`)
  return worker
}
