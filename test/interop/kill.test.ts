/**
 * The promise under kill -9: Postern under load, killed at random moments, now
 * as a whole and now one worker. Whatever was answered 250 is there, whole; and
 * nothing is there twice unless the client was told nothing or a 4xx in between.
 *
 * POSTERN_KILLS is how often (10; a full run: 200), POSTERN_SEED repeats a run
 * as far as two processes and a clock let themselves be repeated.
 */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CaptureSink } from '../support/capture-sink.ts'
import { workersOf, startGateway, type Gateway, type GatewayConfig } from '../support/gateway.ts'
import { Arrivals, LoadClient, breaches, seeded } from '../support/load-client.ts'
import { eventually, temporaryDirectory, until } from '../support/process.ts'

const KILLS = Number(process.env['POSTERN_KILLS'] ?? 10)
const SEED = Number(process.env['POSTERN_SEED'] ?? Date.now() % 1_000_000)
const SESSIONS = 6
const WORKERS = 2
/** One message in a hundred is larger than what is held in memory, and passes through a file. */
const LARGE_BYTES = 400_000

interface Place {
  readonly name: string
  /** the gateway's hop */
  readonly hop: Readonly<Record<string, unknown>>
  /** takes away what has arrived since the last call */
  collect(into: Arrivals): void
  stop(): Promise<void>
}

function maildir(): Place {
  const directory = temporaryDirectory('mail')
  const box = join(directory, 'hop.example/alice/new')
  return {
    name: 'the bundled Maildir',
    hop: { maildir: `${directory}/{domain}/{local}` },
    collect(into) {
      for (const name of listed(box)) {
        into.add(readFileSync(join(box, name)))
        rmSync(join(box, name))
      }
    },
    stop: () => Promise.resolve(),
  }
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    // Nothing was delivered yet.
    return []
  }
}

async function sinkPlace(random: () => number): Promise<Place> {
  const sink = await CaptureSink.start({
    script: async ({ verb }) => {
      // The moments around the final reply are those that matter: they are made longer.
      if (verb === '.' || verb === 'BDAT') await delay(random() * 10)
      return undefined
    },
  })
  return {
    name: 'the sink',
    hop: { smtp: sink.target },
    collect(into) {
      for (const { data } of sink.take()) into.add(data)
    },
    stop: () => sink.stop(),
  }
}

/** Kills `count` times, each time under load, and waits until Postern is whole again. */
async function killAgainAndAgain(gateway: Gateway, load: LoadClient, { count, random, between }: { count: number; random: () => number; between: () => void }): Promise<{ wholes: number; workers: number }> {
  const killed = { wholes: 0, workers: 0 }
  // A worker that dies young a second time is replaced later and later: each place is hit once between two starts.
  let untouched = workersOf(gateway.pid)
  for (let i = 0; i < count; i++) {
    const goal = load.accepted + SESSIONS * (2 + Math.floor(random() * 20))
    await until('messages are accepted again', () => load.faults.length > 0 || load.accepted >= goal, { timeoutMs: 30_000, detail: () => gateway.output().slice(-4000) })
    await delay(random() * 20)
    const victim = untouched[Math.floor(random() * untouched.length)]
    if (victim === undefined || random() < 0.4) {
      const workers = workersOf(gateway.pid)
      gateway.running().signal('SIGKILL')
      await gateway.running().ended
      await until('the workers are gone too', () => workers.every((pid) => !isAlive(pid)))
      await gateway.restart()
      await until('all workers run', () => workersOf(gateway.pid).length === WORKERS)
      untouched = workersOf(gateway.pid)
      killed.wholes++
    } else {
      process.kill(victim, 'SIGKILL')
      await until('the worker is replaced', () => !isAlive(victim) && workersOf(gateway.pid).filter((pid) => pid !== victim).length === WORKERS, { detail: () => gateway.output().slice(-4000) })
      untouched = untouched.filter((pid) => pid !== victim)
      killed.workers++
    }
    between()
  }
  return killed
}

function isAlive(pid: number): boolean {
  try {
    // A zombie is dead, though its number still answers to signals.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

const count = Math.max(1, Math.ceil(KILLS / 2))
for (const kind of ['maildir', 'sink'] as const) {
  test(`${count} kills under load, into ${kind === 'sink' ? 'a sink' : 'Maildirs'}`, { timeout: 60_000 + count * 10_000 }, async (t) => {
    t.diagnostic(`POSTERN_SEED=${SEED} POSTERN_KILLS=${KILLS}`)
    const random = seeded(SEED)
    const place = kind === 'sink' ? await sinkPlace(random) : maildir()
    const config: GatewayConfig = { workers: WORKERS, log: { level: 'warn', format: 'json' }, listeners: [{ next: 'hop' }], hops: { hop: place.hop } }
    const gateway = await startGateway(config)
    const arrivals = new Arrivals()
    const load = new LoadClient({ address: gateway.address(), sessions: SESSIONS, to: 'alice@hop.example', random, size: (n) => (n % 100 === 0 ? LARGE_BYTES : 200 + (n % 7) * 900) })
    try {
      await until('all workers run', () => workersOf(gateway.pid).length === WORKERS)
      load.start()
      const killed = await killAgainAndAgain(gateway, load, { count, random, between: () => place.collect(arrivals) })
      const finished = load.finish().then(() => true)
      assert.ok(await Promise.race([finished, delay(60_000, false, { ref: false })]), `messages are still not accepted:\n${gateway.output().slice(-4000)}`)
      place.collect(arrivals)
      const told = [...load.fates.values()]
      t.diagnostic(`${place.name}: ${killed.wholes} times the whole, ${killed.workers} times a worker; ${load.accepted} messages accepted, ${told.filter((fate) => fate.unanswered > 0).length} cut off, ${arrivals.twice} there twice`)
      assert.deepEqual(breaches(load, arrivals), [])
      assert.equal(load.accepted, told.length, 'all were accepted in the end')
      assert.ok(await eventually(() => workersOf(gateway.pid).length === WORKERS), 'it runs on')
    } finally {
      await load.abandon()
      await gateway.stop()
      await place.stop()
    }
  })
}
