/**
 * A program: the real supervisor over two real workers, on a clock that goes
 * twenty times as fast while nobody is starting: how long a start takes is the
 * machine's business. Writes `ready <pid>` for each worker, and its log. A worker
 * that gets SIGUSR2 goes into an endless loop.
 */
import cluster from 'node:cluster'
import process from 'node:process'
import { clusterChannel, clusterFork, isWorkerProcess } from '../../src/supervisor/cluster.ts'
import type { Clock } from '../../src/supervisor/clock.ts'
import { runWorker } from '../../src/supervisor/worker.ts'
import { Supervisor } from '../../src/supervisor.ts'
import type { ProcessLog } from '../../src/observe/create-log.ts'
import { settingsFrom } from './settings.ts'

const SPEED = 20

const TICK_MS = 10

let fakeMs = 0
const timers = new Map<() => void, number>()

const quickClock: Clock = {
  nowMs: () => fakeMs,
  after(delayMs, action) {
    // A function of its own: the same action may wait twice.
    const timer = (): void => action()
    timers.set(timer, fakeMs + delayMs)
    return () => void timers.delete(timer)
  },
}

function runClock(): void {
  const starting = new Set<number | undefined>()
  cluster.on('fork', ({ process: { pid } }) => starting.add(pid))
  cluster.on('message', ({ process: { pid } }, message: { readonly type?: unknown }) => message.type === 'ready' && starting.delete(pid))
  setInterval(() => {
    fakeMs += starting.size > 0 ? TICK_MS : TICK_MS * SPEED
    for (const [timer, atMs] of timers) if (atMs <= fakeMs && timers.delete(timer)) timer()
  }, TICK_MS).unref()
}

const line = (level: string) => (facts: Readonly<Record<string, unknown>>, text: string) => void process.stdout.write(`${level} ${text} ${JSON.stringify(facts)}\n`)
const log: ProcessLog = {
  debug: () => undefined, info: line('info'), warn: line('warn'), error: line('error'),
  configure: () => undefined,
  flush: () => Promise.resolve(),
}

if (isWorkerProcess()) {
  process.on('SIGUSR2', () => {
    for (;;);
  })
  runWorker({
    channel: clusterChannel(),
    onSignal: (signal, listener) => process.on(signal, listener),
    createGateway: () => ({
      start: () => Promise.resolve(void process.stdout.write(`ready ${process.pid}\n`)),
      reload: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      addresses: () => new Map(),
    }),
    createLog: () => log,
    exit: (code) => process.exit(code),
  })
} else {
  runClock()
  const settings = settingsFrom(
    'domains: [d.example]\nlisteners: [{ name: inbound, role: inbound, listen: "127.0.0.1:0", next: h }]\nhops: { h: { smtp: "192.0.2.9:25" } }\n',
    { cwd: '/nowhere' },
  )
  const supervisor = new Supervisor({ ...settings, workers: 2 }, { fork: clusterFork([]), clock: quickClock, log, readRules: () => undefined })
  process.on('SIGTERM', () => void supervisor.stop().then(() => process.exit(0)))
  await supervisor.start()
}
