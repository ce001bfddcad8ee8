/**
 * The load that relays are measured with: Postfix's smtp-source in front, its
 * smtp-sink behind, neither counted; CPU of the relay and all below it.
 */
import { childrenOf } from '../test/support/gateway.ts'
import { run, start, untilGreets, type RunningProcess } from '../test/support/process.ts'
import { freePort } from '../test/support/ports.ts'
import { cpuMs, residentMb } from './cpu.ts'

export interface Load {
  readonly name: string
  readonly bytes: number
  readonly onePerConnection: boolean
  readonly sender?: string
}

export interface Amount {
  readonly messages: number
  /** at once */
  readonly sessions: number
}

export interface Relay {
  readonly name: string
  readonly port: number
  /** of its parts; those below them count too */
  readonly pids: readonly number[]
  /** a relay with a queue is done when that has drained */
  readonly queues: boolean
  stop(): Promise<unknown>
}

interface Figure {
  readonly cpuMsPerMessage: number
  readonly perSecond: number
  readonly residentMb: number
}

async function load(relay: Relay, { bytes, onePerConnection, sender = 'alice@example.com' }: Load, { messages, sessions }: Amount): Promise<void> {
  const outcome = await run(
    ['smtp-source', '-4', '-s', String(sessions), '-m', String(messages), ...(onePerConnection ? [] : ['-d']), '-l', String(bytes), '-f', sender, '-t', 'bob@hop.example', `127.0.0.1:${relay.port}`],
    { timeoutMs: 300_000 },
  )
  if (outcome.code !== 0) throw new Error(`smtp-source failed against ${relay.name}: ${outcome.output}`)
}

async function measure(relay: Relay, what: Load, amount: Amount): Promise<Figure> {
  const { messages } = amount
  await load(relay, what, { ...amount, messages: Math.max(200, Math.round(messages / 10)) })
  await drained(relay)
  const before = cpuOf(relay)
  const start = performance.now()
  await load(relay, what, amount)
  const seconds = (performance.now() - start) / 1000
  await drained(relay)
  return { cpuMsPerMessage: (cpuOf(relay) - before) / messages, perSecond: messages / seconds, residentMb: relay.pids.reduce((sum, pid) => sum + residentMb(pid), 0) }
}

/** Waits until the relay does next to nothing for half a second. */
async function drained(relay: Relay): Promise<void> {
  if (!relay.queues) return
  for (let last = -1, now = cpuOf(relay); now - last > 15; last = now, now = cpuOf(relay)) {
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

function cpuOf({ pids }: Relay): number {
  return pids.reduce((sum, pid) => sum + cpuMs(pid), 0)
}

function median(of: readonly number[]): number {
  return [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? NaN
}

export interface Sink {
  readonly port: number
  stop(): Promise<unknown>
}

export async function startSink(): Promise<Sink> {
  const port = await freePort()
  const sink: RunningProcess = start(['smtp-sink', '-4', '-u', 'nobody', '-m', '500', `127.0.0.1:${port}`, '500'])
  await untilGreets('smtp-sink', sink, { port })
  return { port, stop: () => sink.stop() }
}

/** The processes that `work` has started. */
export async function startedBy<T>(work: () => Promise<T>): Promise<{ readonly made: T; readonly pids: readonly number[] }> {
  const before = new Set(childrenOf(process.pid))
  const made = await work()
  return { made, pids: childrenOf(process.pid).filter((child) => !before.has(child)) }
}

/** A table of all systems under all loads, which take turns; the last system is the measure. */
export async function compare(systems: readonly Relay[], loads: readonly Load[], { rounds, ...amount }: Amount & { readonly rounds: number }): Promise<void> {
  const last = systems.at(-1)
  if (last === undefined) throw new Error('nothing to compare')
  console.log(`| load | system | CPU ms a message | messages/s | memory MB | against ${last.name} |\n|---|---|---|---|---|---|`)
  for (const what of loads) {
    const figures = new Map<Relay, Figure[]>(systems.map((system) => [system, []]))
    for (let round = 0; round < rounds; round++) for (const [system, list] of figures) list.push(await measure(system, what, amount))
    const cpu = (system: Relay): number => median((figures.get(system) ?? []).map((one) => one.cpuMsPerMessage))
    for (const [system, list] of figures) {
      const cells = [what.name, system.name, cpu(system).toFixed(3), median(list.map((one) => one.perSecond)).toFixed(0), median(list.map((one) => one.residentMb)).toFixed(0), `× ${(cpu(system) / cpu(last)).toFixed(2)}`]
      console.log(`| ${cells.join(' | ')} |`)
    }
  }
}
