/**
 * Memory of a worker while many clients send large messages at once: 100
 * sessions of 25 MB by default. The load is Postfix's smtp-source, the next
 * hop its smtp-sink.
 *
 *   npm run bench:memory -- [--sessions 100] [--megabytes 25] [--workers 1]
 *
 * Needs Debian's postfix, and room for all the messages in the temporary
 * directory: that is where they are, and not in memory.
 */
import { readFileSync } from 'node:fs'
import { workersOf, startGateway } from '../test/support/gateway.ts'
import { freePort } from '../test/support/ports.ts'
import { run, start, untilGreets } from '../test/support/process.ts'
import { benchOptions } from './options.ts'

const values = benchOptions({
  sessions: { type: 'string', default: '100' },
  megabytes: { type: 'string', default: '25' },
  workers: { type: 'string', default: '1' },
})
const bytes = Number(values.megabytes) * 1e6

/** Resident memory at its highest so far, MB. */
function peakMb(pid: number): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  if (found?.[1] === undefined) throw new Error(`no VmHWM of ${pid}`)
  return (Number(found[1]) * 1024) / 1e6
}

const sinkPort = await freePort()
const sink = start(['smtp-sink', '-4', '-u', 'nobody', '-m', '500', `127.0.0.1:${sinkPort}`, '500'])
await untilGreets('smtp-sink', sink, { port: sinkPort })
const gateway = await startGateway({
  workers: Number(values.workers),
  log: { level: 'info', format: 'json' },
  limits: { message_bytes: bytes + 1_000_000 },
  listeners: [{ next: 'hop' }],
  hops: { hop: { smtp: `127.0.0.1:${sinkPort}`, connections: 100 } },
})
const address = gateway.address()
if (!('port' in address)) throw new Error('the gateway listens on TCP')
const workers = Number(values.workers) === 0 ? [gateway.pid] : workersOf(gateway.pid)
const idle = workers.map(peakMb)
const began = performance.now()
const outcome = await run(
  ['smtp-source', '-4', '-s', values.sessions, '-m', values.sessions, '-l', String(bytes), '-f', 'alice@example.com', '-t', 'bob@hop.example', `127.0.0.1:${address.port}`],
  { timeoutMs: 550_000 },
)
if (outcome.code !== 0) throw new Error(`smtp-source failed: ${outcome.output}\n${gateway.output().slice(-2000)}`)
const seconds = (performance.now() - began) / 1000
const peaks = workers.map(peakMb)
const accepted = gateway.log().filter((line) => line['msg'] === 'message').length
console.log(`${accepted} messages of ${values.megabytes} MB over ${values.sessions} sessions at once, in ${seconds.toFixed(1)} s`)
for (const [i, peak] of peaks.entries()) console.log(`worker ${i + 1}: ${(idle[i] ?? 0).toFixed(0)} MB idle, ${peak.toFixed(0)} MB at its highest`)
await gateway.stop()
await sink.stop()
