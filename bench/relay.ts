/**
 * CPU per message as a plain relay: Postern, and Postfix in the same run. The
 * load is Postfix's smtp-source, the next hop its smtp-sink; neither counts.
 *
 *   npm run bench -- [--messages 8000] [--sessions 20] [--workers auto] [--rounds 3]
 *
 * Needs root and Debian's postfix. Absolute figures move from machine to
 * machine: what holds is the ratio of the rows, which take turns.
 */
import { parseArgs } from 'node:util'
import { childrenOf, startGateway } from '../test/support/gateway.ts'
import { startPostfix } from '../test/support/peers/postfix.ts'
import { freePort } from '../test/support/ports.ts'
import { run, start, untilGreets } from '../test/support/process.ts'
import { cpuMs, residentMb } from './cpu.ts'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '8000' },
    sessions: { type: 'string', default: '20' },
    workers: { type: 'string', default: 'auto' },
    rounds: { type: 'string', default: '3' },
  },
})
const messages = Number(values.messages)

interface Load {
  readonly name: string
  readonly bytes: number
  readonly onePerConnection: boolean
}

const LOADS: readonly Load[] = [
  { name: '4 KB', bytes: 4096, onePerConnection: false },
  { name: '50 KB', bytes: 51200, onePerConnection: false },
  { name: '4 KB, one message a connection', bytes: 4096, onePerConnection: true },
]

interface Relay {
  readonly name: string
  readonly port: number
  readonly pid: number
  /** a relay with a queue is done when that has drained */
  readonly queues: boolean
  stop(): Promise<unknown>
}

interface Figure {
  readonly cpuMsPerMessage: number
  readonly perSecond: number
  readonly residentMb: number
}

async function startPostern(sink: number): Promise<Relay> {
  const workers = values.workers === 'auto' ? 'auto' : Number(values.workers)
  const gateway = await startGateway({
    workers,
    log: { level: 'info', format: 'json' },
    listeners: [{ next: 'hop' }],
    hops: { hop: { smtp: `127.0.0.1:${sink}` } },
  })
  const address = gateway.address()
  if (!('port' in address)) throw new Error('the gateway listens on TCP')
  return { name: 'Postern', port: address.port, pid: gateway.pid, queues: false, stop: () => gateway.stop() }
}

async function startPeer(sink: number): Promise<Relay> {
  const before = new Set(childrenOf(process.pid))
  const hop = await startPostfix({
    relayTo: sink,
    main: ['smtpd_client_connection_count_limit = 0', 'smtpd_client_connection_rate_limit = 0', 'smtpd_peername_lookup = no', 'in_flow_delay = 0'],
  })
  const pid = childrenOf(process.pid).find((child) => !before.has(child))
  if (pid === undefined || !('port' in hop.address)) throw new Error('Postfix did not start')
  return { name: 'Postfix', port: hop.address.port, pid, queues: true, stop: () => hop.stop() }
}

async function load(relay: Relay, { bytes, onePerConnection }: Load, count: number): Promise<void> {
  const outcome = await run(
    ['smtp-source', '-4', '-s', values.sessions, '-m', String(count), ...(onePerConnection ? [] : ['-d']), '-l', String(bytes), '-f', 'alice@example.com', '-t', 'bob@hop.example', `127.0.0.1:${relay.port}`],
    { timeoutMs: 300_000 },
  )
  if (outcome.code !== 0) throw new Error(`smtp-source failed against ${relay.name}: ${outcome.output}`)
}

async function measure(relay: Relay, what: Load): Promise<Figure> {
  await load(relay, what, Math.max(200, Math.round(messages / 10)))
  await drained(relay)
  const before = cpuMs(relay.pid)
  const start = performance.now()
  await load(relay, what, messages)
  const seconds = (performance.now() - start) / 1000
  await drained(relay)
  return { cpuMsPerMessage: (cpuMs(relay.pid) - before) / messages, perSecond: messages / seconds, residentMb: residentMb(relay.pid) }
}

/** Waits until the relay does next to nothing for half a second. */
async function drained(relay: Relay): Promise<void> {
  if (!relay.queues) return
  for (let last = -1, now = cpuMs(relay.pid); now - last > 15; last = now, now = cpuMs(relay.pid)) {
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

function median(of: readonly number[]): number {
  return [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? NaN
}

const sinkPort = await freePort()
const sink = start(['smtp-sink', '-4', '-u', 'nobody', '-m', '500', `127.0.0.1:${sinkPort}`, '500'])
await untilGreets('smtp-sink', sink, { port: sinkPort })
const relays = [await startPostern(sinkPort), await startPeer(sinkPort)]
console.log(`${messages} messages, ${values.sessions} sessions, workers: ${values.workers}, median of ${values.rounds} rounds\n`)
console.log('| load | system | CPU ms a message | messages/s | memory MB | against Postfix |\n|---|---|---|---|---|---|')
for (const what of LOADS) {
  const figures = new Map<Relay, Figure[]>(relays.map((relay) => [relay, []]))
  for (let round = 0; round < Number(values.rounds); round++) for (const [relay, list] of figures) list.push(await measure(relay, what))
  const cpu = (relay: Relay) => median((figures.get(relay) ?? []).map((f) => f.cpuMsPerMessage))
  const postfix = relays[1] as Relay
  for (const [relay, list] of figures) {
    const cells = [what.name, relay.name, cpu(relay).toFixed(3), median(list.map((f) => f.perSecond)).toFixed(0), median(list.map((f) => f.residentMb)).toFixed(0), `× ${(cpu(relay) / cpu(postfix)).toFixed(2)}`]
    console.log(`| ${cells.join(' | ')} |`)
  }
}
for (const relay of relays) await relay.stop()
await sink.stop()
